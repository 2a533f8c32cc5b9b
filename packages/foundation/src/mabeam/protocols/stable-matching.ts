/** Who finds whom acceptable, the best first. Both sides are numbered from 0; who is left out is not acceptable. */
export interface MatchingMarket {
  /** Of each proposer the receivers it would have. */
  readonly proposers: readonly (readonly number[])[];
  /** Of each receiver the proposers it would take. */
  readonly receivers: readonly (readonly number[])[];
  /** Of each receiver how many it takes, from 1. */
  readonly quotas: readonly number[];
}

/** The lists of a market, laid out to be run through: entry after entry of one proposer, then of the next. */
export interface RankedMarket extends MatchingMarket {
  /** First entry of each proposer, and behind the last one the number of entries. */
  readonly starts: Int32Array;
  /** Of each entry the receiver. */
  readonly receiverAt: Int32Array;
  /** Of each entry the place of its proposer in the receiver's list; -1 where it has none. */
  readonly rankAt: Int32Array;
}

/** Of each proposer its receiver, or -1. */
export type Matches = Int32Array;

/** Looks up for every entry of a proposer what its receiver thinks of it, once, in steps as many as there are entries. */
export function ranked(market: MatchingMarket): RankedMarket {
  const { proposers, receivers } = market;
  const starts = new Int32Array(proposers.length + 1);
  for (const [proposer, list] of proposers.entries()) {
    starts[proposer + 1] = at(starts, proposer) + list.length;
  }
  const receiverAt = new Int32Array(at(starts, proposers.length));
  const rankAt = new Int32Array(receiverAt.length).fill(-1);
  // The entries of each receiver as a chain: the last one, and before each the one before it.
  const lastOf = new Int32Array(receivers.length).fill(-1);
  const before = new Int32Array(receiverAt.length);
  const proposerAt = new Int32Array(receiverAt.length);
  let entry = 0;
  for (const [proposer, list] of proposers.entries()) {
    for (const receiver of list) {
      receiverAt[entry] = receiver;
      proposerAt[entry] = proposer;
      before[entry] = at(lastOf, receiver);
      lastOf[receiver] = entry++;
    }
  }
  const rankOf = new Int32Array(proposers.length).fill(-1);
  for (const [receiver, list] of receivers.entries()) {
    for (const [rank, proposer] of list.entries()) rankOf[proposer] = rank;
    for (let each = at(lastOf, receiver); each >= 0; each = at(before, each)) {
      rankAt[each] = at(rankOf, at(proposerAt, each));
    }
    for (const proposer of list) rankOf[proposer] = -1;
  }
  return { ...market, starts, receiverAt, rankAt };
}

/**
 * The stable matching that is best for every proposer and worst for every receiver: proposers propose down their lists,
 * receivers hold the best so far and let the others go (Gale and Shapley 1962; one proposer at a time, McVitie and
 * Wilson 1971: whoever proposes when, the proposals are the same).
 */
export function deferredAcceptance(market: RankedMarket): {
  readonly matches: Matches;
  readonly proposals: number;
} {
  const { starts, receiverAt, rankAt, proposers, receivers } = market;
  const matches = new Int32Array(proposers.length).fill(-1);
  const next = starts.slice();
  const holds = new Holds(market);
  let proposals = 0;
  for (let first = 0; first < proposers.length; first++) {
    // Whoever is let go is free next: so the chain ends with one who is held or has nobody left.
    for (let free = first; free >= 0;) {
      const entry = at(next, free);
      if (entry === at(starts, free + 1)) break;
      next[free] = entry + 1;
      proposals++;
      const rank = at(rankAt, entry);
      if (rank < 0) continue;
      const receiver = at(receiverAt, entry);
      const refused = holds.take(receiver, rank);
      if (refused === rank) continue;
      matches[free] = receiver;
      free = refused < 0 ? -1 : (receivers[receiver]?.[refused] ?? -1);
      if (free >= 0) matches[free] = -1;
    }
  }
  return { matches, proposals };
}

/**
 * Pairs that would rather have each other than what they have: none in a stable matching.
 *
 * @returns proposer and receiver of each, by number
 */
export function blockingPairs(
  market: RankedMarket,
  matches: Matches,
): readonly (readonly [proposer: number, receiver: number])[] {
  const { starts, receiverAt, rankAt, receivers, quotas } = market;
  const taken = new Int32Array(receivers.length);
  const worst = new Int32Array(receivers.length).fill(-1);
  eachEntry(market, (proposer, entry) => {
    const receiver = at(receiverAt, entry);
    if (matches[proposer] !== receiver) return;
    taken[receiver] = at(taken, receiver) + 1;
    worst[receiver] = Math.max(at(worst, receiver), at(rankAt, entry));
  });
  const pairs: [number, number][] = [];
  for (let proposer = 0; proposer < matches.length; proposer++) {
    for (let entry = at(starts, proposer); entry < at(starts, proposer + 1); entry++) {
      const receiver = at(receiverAt, entry);
      if (receiver === matches[proposer]) break;
      const rank = at(rankAt, entry);
      if (rank < 0) continue;
      const isFree = at(taken, receiver) < (quotas[receiver] ?? 1);
      if (isFree || rank < at(worst, receiver)) pairs.push([proposer, receiver]);
    }
  }
  return pairs;
}

/** Whom receivers hold: of each the ranks, as a heap whose top is the one that it likes least. */
class Holds {
  readonly #heaps: Int32Array;
  readonly #starts: Int32Array;
  readonly #sizes: Int32Array;

  constructor({ receivers, quotas }: MatchingMarket) {
    this.#starts = new Int32Array(receivers.length + 1);
    for (const [receiver, list] of receivers.entries()) {
      const most = Math.min(quotas[receiver] ?? 1, list.length);
      this.#starts[receiver + 1] = at(this.#starts, receiver) + most;
    }
    this.#heaps = new Int32Array(at(this.#starts, receivers.length));
    this.#sizes = new Int32Array(receivers.length);
  }

  /** Holds one, and lets one go if there are too many. @returns the rank of that one, or -1 */
  take(receiver: number, rank: number): number {
    const start = at(this.#starts, receiver);
    const size = at(this.#sizes, receiver);
    const top = at(this.#heaps, start);
    if (start + size < at(this.#starts, receiver + 1)) {
      this.#sizes[receiver] = size + 1;
      this.#rise(start, { place: size, rank });
      return -1;
    }
    if (rank > top) return rank;
    this.#sink(start, { size, rank });
    return top;
  }

  #rise(start: number, { place, rank }: { place: number; rank: number }): void {
    let child = place;
    while (child > 0) {
      const parent = (child - 1) >> 1;
      const above = at(this.#heaps, start + parent);
      if (above >= rank) break;
      this.#heaps[start + child] = above;
      child = parent;
    }
    this.#heaps[start + child] = rank;
  }

  #sink(start: number, { size, rank }: { size: number; rank: number }): void {
    let parent = 0;
    for (;;) {
      const left = 2 * parent + 1;
      if (left >= size) break;
      const isRight =
        left + 1 < size && at(this.#heaps, start + left + 1) > at(this.#heaps, start + left);
      const child = isRight ? left + 1 : left;
      const below = at(this.#heaps, start + child);
      if (below <= rank) break;
      this.#heaps[start + parent] = below;
      parent = child;
    }
    this.#heaps[start + parent] = rank;
  }
}

function eachEntry(
  { starts, proposers }: RankedMarket,
  visit: (proposer: number, entry: number) => void,
): void {
  for (let proposer = 0; proposer < proposers.length; proposer++) {
    for (let entry = at(starts, proposer); entry < at(starts, proposer + 1); entry++) {
      visit(proposer, entry);
    }
  }
}

/** What stands there; the places asked for exist. */
function at(numbers: Int32Array, place: number): number {
  return numbers[place] ?? -1;
}
