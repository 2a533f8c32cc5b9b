import { FoundationError } from '../errors.ts';
import { Codec } from '../wire/codec.ts';
import type { Coordination } from './coordination.ts';
import type { SessionId } from './message.ts';
import { withoutSecret } from './nonce.ts';
import type { Outcome } from './outcome.ts';
import { isRecord } from './parse.ts';
import { checkRecord } from './record-codec.ts';
import type { SessionRecord } from './record.ts';
import type { SessionInfo } from './session-log.ts';

/** The sessions of a node. */
export interface SessionListing {
  /** The newest {@link sessionsListed}, the oldest of them first. */
  readonly sessions: readonly SessionInfo[];
  /** How many there are. */
  readonly total: number;
}

/** A session as another node sees it. What would be larger than 4 MiB is left out. */
export interface SessionView {
  readonly info: SessionInfo;
  /** After its end. */
  readonly outcome?: Omit<Outcome<unknown>, 'record'>;
  /** Up to now, without the secret of its nonces. */
  readonly record?: SessionRecord;
  /** Size in bytes of what was left out. */
  readonly omittedBytes?: number;
}

/** Most sessions that a node tells of. */
export const sessionsListed = 1_000;

/** Most bytes that a node tells of one session. */
const viewBytesMax = 4 * 2 ** 20;

/** Arrays and objects of one view. */
const itemsMax = 1_000_000;

export function listSessions(coordination: Coordination): SessionListing {
  const all = coordination.sessions();
  return { sessions: all.slice(-sessionsListed), total: all.length };
}

/** One session in Foundation's codec, as its record may have more items than a message. */
export async function viewSession(
  coordination: Coordination,
  id: SessionId,
): Promise<Uint8Array | undefined> {
  const session = coordination.session(id);
  const info = coordination.sessions().find((each) => each.id === id);
  if (session === undefined || info === undefined) return undefined;
  if (info.status === 'running') {
    return bounded({ info, record: withoutSecret(session.record) });
  }
  const { record, ...outcome } = await session.outcome;
  return bounded({ info, outcome, record: withoutSecret(record) });
}

function bounded(view: SessionView): Uint8Array {
  const { info, outcome } = view;
  const whole = encode(view);
  if (whole.length <= viewBytesMax) return whole;
  const left = { info, omittedBytes: whole.length };
  const claim = encode(outcome === undefined ? left : { ...left, outcome });
  return claim.length <= viewBytesMax ? claim : encode(left);
}

function encode(view: SessionView): Uint8Array {
  return new Codec(undefined, { itemsMax: Number.MAX_SAFE_INTEGER }).encode(view);
}

/** @throws FoundationError `MALFORMED` when another node has sent something else. */
export function readView(bytes: Uint8Array): SessionView {
  const view = new Codec(undefined, { itemsMax }).decode(bytes);
  if (!isView(view)) throw new FoundationError('MALFORMED', 'a node told of no session');
  return view;
}

/** @throws FoundationError `MALFORMED` when another node has sent something else. */
export function readListing(value: unknown): SessionListing {
  if (!isListing(value)) throw new FoundationError('MALFORMED', 'a node told of no sessions');
  return value;
}

function isListing(value: unknown): value is SessionListing {
  if (!isRecord(value) || !Number.isSafeInteger(value['total'])) return false;
  const { sessions } = value;
  return Array.isArray(sessions) && sessions.every((each) => isInfo(each));
}

function isInfo(value: unknown): value is SessionInfo {
  return isRecord(value) && typeof value['id'] === 'string' && Number.isFinite(value['tookMs']);
}

function isView(view: unknown): view is SessionView {
  if (!isRecord(view) || !isInfo(view['info'])) return false;
  if (view['record'] !== undefined) checkRecord(view['record']);
  return view['outcome'] === undefined || isRecord(view['outcome']);
}
