/** Who has what, both ways; -1 for nobody and nothing. Changes in place. */
export interface Matching {
  readonly goodOf: Int32Array;
  readonly buyerOf: Int32Array;
}

export function emptyMatching(buyers: number, goods: number): Matching {
  return { goodOf: new Int32Array(buyers).fill(-1), buyerOf: new Int32Array(goods).fill(-1) };
}

/** Takes from a buyer what it has. */
export function release({ goodOf, buyerOf }: Matching, buyer: number): void {
  const good = goodOf[buyer] ?? -1;
  if (good >= 0) buyerOf[good] = -1;
  goodOf[buyer] = -1;
}

/**
 * Finds something for a buyer, if need be by giving others something else that they want as well (an augmenting path,
 * Berge 1957).
 *
 * @returns nothing if there was something; else all goods that were considered: they are wanted by one buyer more than
 * there are, and by their owners nothing else is.
 */
export function serve(
  buyer: number,
  wants: readonly (readonly number[])[],
  matching: Matching,
): readonly number[] | undefined {
  const cameFrom = new Map<number, number>();
  const queue = [buyer];
  for (const next of queue) {
    for (const good of wants[next] ?? []) {
      if (cameFrom.has(good)) continue;
      cameFrom.set(good, next);
      const owner = matching.buyerOf[good] ?? -1;
      if (owner < 0) {
        shift(good, cameFrom, matching);
        return undefined;
      }
      queue.push(owner);
    }
  }
  return [...cameFrom.keys()];
}

/** Gives a free good to who has asked for it, the good that one had to who has asked for that, and so on. */
function shift(good: number, cameFrom: ReadonlyMap<number, number>, matching: Matching): void {
  let free = good;
  while (free >= 0) {
    const buyer = cameFrom.get(free) ?? -1;
    const given = matching.goodOf[buyer] ?? -1;
    matching.goodOf[buyer] = free;
    matching.buyerOf[free] = buyer;
    free = given;
  }
}

/**
 * Finds a buyer for a good: one that has nothing, or has what may be left over, or that gives up what another takes.
 *
 * @param how - `wantedBy`: who would have each good. `mayBeFree`: goods that need no buyer.
 * @returns whether there is one.
 */
export function place(
  good: number,
  how: {
    readonly wantedBy: readonly (readonly number[])[];
    readonly mayBeFree: (good: number) => boolean;
  },
  matching: Matching,
): boolean {
  const takenFor = new Map<number, number>();
  const queue = [good];
  for (const next of queue) {
    for (const buyer of how.wantedBy[next] ?? []) {
      if (takenFor.has(buyer)) continue;
      takenFor.set(buyer, next);
      const owned = matching.goodOf[buyer] ?? -1;
      if (owned >= 0 && !how.mayBeFree(owned)) {
        queue.push(owned);
        continue;
      }
      release(matching, buyer);
      pass(good, takenFor, { buyer, matching });
      return true;
    }
  }
  return false;
}

/** Gives a buyer what it would take, the one that had it what that would take, and so on, up to `good`. */
function pass(
  good: number,
  takenFor: ReadonlyMap<number, number>,
  { buyer, matching }: { readonly buyer: number; readonly matching: Matching },
): void {
  let [taker, taken] = [buyer, -1];
  while (taken !== good) {
    taken = takenFor.get(taker) ?? good;
    const loser = matching.buyerOf[taken] ?? -1;
    matching.goodOf[taker] = taken;
    matching.buyerOf[taken] = taker;
    taker = loser;
  }
}

/**
 * Those who lie on a circle of wishes, each of whom could have what the next one has: an assignment is the only one of
 * its value if there are none. Strongly connected components by Tarjan (1972), without recursion.
 *
 * @param envied - of each of `count`, those whose place it could take
 */
export function inCircles(
  count: number,
  envied: (one: number) => readonly number[],
): ReadonlySet<number> {
  const order = new Int32Array(count).fill(-1);
  const low = new Int32Array(count);
  const isOpen = new Uint8Array(count);
  const open: number[] = [];
  const found = new Set<number>();
  let next = 0;
  for (let root = 0; root < count; root++) {
    if ((order[root] ?? 0) >= 0) continue;
    const path: { readonly one: number; readonly others: readonly number[]; at: number }[] = [];
    const enter = (one: number): void => {
      order[one] = next;
      low[one] = next++;
      isOpen[one] = 1;
      open.push(one);
      path.push({ one, others: envied(one), at: 0 });
    };
    enter(root);
    for (let top = path.at(-1); top !== undefined; top = path.at(-1)) {
      const { one, others } = top;
      const other = others[top.at++];
      if (other !== undefined) {
        if (other === one) found.add(one);
        if ((order[other] ?? 0) < 0) enter(other);
        else if (isOpen[other] === 1) low[one] = Math.min(low[one] ?? 0, order[other] ?? 0);
        continue;
      }
      path.pop();
      const parent = path.at(-1)?.one;
      if (parent !== undefined) low[parent] = Math.min(low[parent] ?? 0, low[one] ?? 0);
      if (low[one] !== order[one]) continue;
      const members = open.splice(open.lastIndexOf(one));
      for (const member of members) {
        isOpen[member] = 0;
        if (members.length > 1) found.add(member);
      }
    }
  }
  return found;
}
