import type { Life } from './swim-message.ts';

/** How a node was seen last. */
export interface Sighting {
  /** Milliseconds from a ping to its answer, by datagram: smoothed, and told when it has changed by much. */
  readonly rttMs: number | undefined;
  /** Its event loop does not come round. */
  readonly isStalled: boolean;
  /** It answers over its link or through others only: datagrams do not pass between it and this node. */
  readonly isDetoured: boolean;
}

/** By which way an answer came: from the node itself as a datagram, or not. */
export type AnswerWay = { readonly rttMs: number } | 'detour';

interface Seen extends Sighting {
  readonly detours: number;
  readonly smoothMs: number | undefined;
}

/** How much a new round trip counts (RFC 6298, §2). */
const newShare = 1 / 8;
/** A round trip has changed by much when it did by this share of it, and by this many milliseconds. */
const notable = { share: 0.5, ms: 1 };

/** Answers in a row on detours, after which datagrams are taken not to pass. */
const detoursMax = 6;
const unseen: Seen = {
  rttMs: undefined,
  isStalled: false,
  isDetoured: false,
  detours: 0,
  smoothMs: undefined,
};

/** What a node has seen of the others, beside that they live. */
export class SightingsState {
  readonly #seen = new Map<string, Seen>();
  readonly #tell: (about: Life, sighting: Sighting) => void;

  /** @param tell - Hears what has changed. */
  constructor(tell: (about: Life, sighting: Sighting) => void) {
    this.#tell = tell;
  }

  isDetoured(node: string): boolean {
    return this.#seen.get(node)?.isDetoured === true;
  }

  forget(node: string): void {
    this.#seen.delete(node);
  }

  /** A node says whether its event loop comes round. */
  said(about: Life, isStalled: boolean): void {
    const seen = this.#seen.get(about.node) ?? unseen;
    this.#put(about, { ...seen, isStalled });
  }

  /** A node has answered a probe. */
  answered(about: Life, way: AnswerWay): void {
    const seen = this.#seen.get(about.node) ?? unseen;
    const detours = way === 'detour' ? seen.detours + 1 : 0;
    const isDetoured = detours >= detoursMax;
    if (way === 'detour') return this.#put(about, { ...seen, detours, isDetoured });
    const { smoothMs = way.rttMs } = seen;
    const nowMs = smoothMs + (way.rttMs - smoothMs) * newShare;
    const rttMs = isNotable(seen.rttMs, nowMs) ? nowMs : seen.rttMs;
    this.#put(about, { ...seen, rttMs, detours, isDetoured, smoothMs: nowMs });
  }

  #put(about: Life, seen: Seen): void {
    const before = this.#seen.get(about.node) ?? unseen;
    this.#seen.set(about.node, seen);
    const { rttMs, isStalled, isDetoured } = seen;
    const isSame = isStalled === before.isStalled && isDetoured === before.isDetoured;
    if (!isSame || rttMs !== before.rttMs) this.#tell(about, { rttMs, isStalled, isDetoured });
  }
}

function isNotable(beforeMs: number | undefined, nowMs: number): boolean {
  const changeMs = Math.abs(nowMs - (beforeMs ?? Infinity));
  return changeMs > notable.ms && changeMs > notable.share * (beforeMs ?? 0);
}
