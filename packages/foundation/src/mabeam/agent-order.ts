import { FoundationError } from '../errors.ts';
import { isName } from '../process/definition-check.ts';
import type { AgentChanges, AgentRegistration } from './agent-registration.ts';
import type { UpdateTerms } from './agent-update.ts';
import type { AgentId } from './message.ts';
import { isOneOf, isRecord, shown } from './parse.ts';

/** What is to be done with an agent, by the node that it is registered on. */
export type OrderToAgent =
  | { readonly kind: (typeof plainKinds)[number]; readonly id: AgentId }
  | ({
      readonly kind: 'update';
      readonly id: AgentId;
      readonly changes: AgentChanges;
    } & UpdateTerms);

/** What the registry of one node asks of that of another. */
export type AgentOrder =
  | OrderToAgent
  | { readonly kind: 'list' }
  | { readonly kind: 'running'; readonly ids: readonly AgentId[] }
  | { readonly kind: 'forget' | 'usage'; readonly id: AgentId }
  | {
      readonly kind: 'register';
      readonly id: AgentId;
      /** Its process is one of the definitions that the other node has. */
      readonly registration: AgentRegistration<{ readonly name: string }>;
    };

const plainKinds = ['start', 'stop', 'restart', 'deregister'] as const;

/** Reads an order from another node. What is in a registration or a change is checked where it is taken. */
export function parseOrder(value: unknown): AgentOrder {
  if (!isRecord(value)) throw noOrder(value);
  const { kind, id, ids } = value;
  if (kind === 'list') return { kind };
  if (kind === 'running' && Array.isArray(ids) && ids.every(isName)) return { kind, ids };
  if (!isName(id)) throw noOrder(value);
  if (kind === 'forget' || kind === 'usage' || isOneOf(plainKinds, kind)) return { kind, id };
  if (kind === 'register' && isRegistration(value['registration'])) {
    return { kind, id, registration: value['registration'] };
  }
  const { changes, call, timeoutMs } = value;
  if (kind !== 'update' || !isRecord(changes) || typeof timeoutMs !== 'number') {
    throw noOrder(value);
  }
  if (call === undefined) return { kind, id, changes, timeoutMs };
  if (typeof call !== 'string') throw noOrder(value);
  return { kind, id, changes, call, timeoutMs };
}

function isRegistration(value: unknown): value is AgentRegistration<{ readonly name: string }> {
  return isRecord(value) && isRecord(value['process']) && isName(value['process']['name']);
}

function noOrder(value: unknown): FoundationError {
  return new FoundationError('INVALID_MESSAGE', `expected an order, got ${shown(value)}`, {
    hint: 'Run the same version of Foundation on all nodes.',
  });
}
