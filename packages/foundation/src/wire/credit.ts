import type { Lane } from '../cluster/transport.ts';

/** Kind byte of a frame that gives the peer credit. */
export const creditKind = 3;

/** A lane whose bytes on the way are bounded. */
export type CreditLane = Exclude<Lane, 'control'>;

export const creditLanes: readonly CreditLane[] = ['normal', 'bulk'];

/**
 * Bytes of a lane that may be on their way to a peer that has not said that it has handled them, give or take
 * one piece. What is on its way cannot be overtaken: a control frame waits behind it, in the buffers of the
 * systems and for the peer's handlers.
 */
export const windowBytes: Readonly<Record<CreditLane, number>> = {
  normal: 1_048_576,
  bulk: 196_608,
};

/** Bytes after which the peer is told that they were handled. */
export const creditEveryBytes: Readonly<Record<CreditLane, number>> = {
  normal: windowBytes.normal / 4,
  bulk: windowBytes.bulk / 4,
};

const kinds: Readonly<Record<CreditLane, number>> = { normal: 1, bulk: 2 };
const creditBytes = 5;

/** How many bytes of a lane have been handled since the last time. */
export interface Credit {
  readonly lane: CreditLane;
  readonly bytes: number;
}

/** One byte of lane, four of bytes (big-endian). */
export function encodeCredit({ lane, bytes }: Credit): Buffer {
  const payload = Buffer.allocUnsafe(creditBytes);
  payload[0] = kinds[lane];
  payload.writeUInt32BE(bytes, 1);
  return payload;
}

/** Undefined when it is none. */
export function parseCredit(payload: Buffer): Credit | undefined {
  const lane = creditLanes.find((each) => kinds[each] === payload[0]);
  if (lane === undefined || payload.length !== creditBytes) return undefined;
  return { lane, bytes: payload.readUInt32BE(1) };
}
