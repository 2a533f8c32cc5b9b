import { isFoundationError, messageOf } from '../errors.ts';
import type { Hint } from './discovery.ts';
import type { Transport } from './transport.ts';

/** What a dial has shown. */
export interface DialOutcome {
  /** Who is there; may be this node itself. */
  readonly found?: string;
  /** The machine says that nobody listens there. */
  readonly isRefused: boolean;
  /** Why nobody was found. */
  readonly reason?: string;
}

/** What a node says that is there and does not take a dial. */
const answers: ReadonlySet<string> = new Set(['DUPLICATE_LINK', 'STALE_INCARNATION']);

/** Dials. A node that makes way for its own dial, or refuses this one, is there. */
export async function whoIsAt({ node, address }: Hint, transport: Transport): Promise<DialOutcome> {
  try {
    const { peer } = await transport.dial(address);
    return { found: peer.node, isRefused: false };
  } catch (error) {
    const reason = messageOf(error);
    if (!isFoundationError(error)) return { isRefused: false, reason };
    const { node: found = node, isRefused } = error.details;
    const isThere = answers.has(error.code) && typeof found === 'string';
    return { ...(isThere ? { found } : { reason }), isRefused: isRefused === true };
  }
}
