import type { Contact } from './membership-state.ts';

/** What members tell each other about a life of a node. */
export function contactOf({ node, incarnation, address }: Contact): Contact {
  return { node, incarnation, address };
}

/** The contacts in a decoded value from outside; what is none is left out. */
export function parseContacts(value: unknown): readonly Contact[] {
  return Array.isArray(value) ? value.filter(isContact) : [];
}

function isContact(value: unknown): value is Contact {
  if (typeof value !== 'object' || value === null) return false;
  const { node, incarnation, address }: Partial<Record<keyof Contact, unknown>> = value;
  return typeof node === 'string' && typeof incarnation === 'number' && typeof address === 'string';
}
