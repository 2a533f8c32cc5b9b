import { parseAddress } from './address.ts';
import type { Contact } from './member.ts';
import { isNodeName } from './names.ts';

/** Contacts that are read in one message; a cluster of so many nodes there is not. */
const contactsMax = 1_000;

/** What members tell each other about a life of a node. */
export function contactOf({ node, incarnation, address }: Contact): Contact {
  return { node, incarnation, address };
}

/** The contacts in a decoded value from outside; what is none is left out, as is what is too much. */
export function parseContacts(value: unknown): readonly Contact[] {
  return Array.isArray(value) ? value.slice(0, contactsMax).filter(isContact) : [];
}

function isContact(value: unknown): value is Contact {
  if (typeof value !== 'object' || value === null) return false;
  const { node, incarnation, address }: Partial<Record<keyof Contact, unknown>> = value;
  return (
    isNodeName(node) &&
    Number.isSafeInteger(incarnation) &&
    typeof address === 'string' &&
    (address === '' || parseAddress(address) !== undefined)
  );
}
