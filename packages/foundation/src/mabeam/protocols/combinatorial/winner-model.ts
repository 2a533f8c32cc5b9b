import { digest } from '../../digest.ts';
import type { AgentId } from '../../message.ts';
import type { PureEnv } from '../../protocol.ts';
import type { MipColumn, MipModel, MipRow } from '../../solver.ts';
import { type Allocation, type Lots } from './lots.ts';

/**
 * Which bids win: worth as much as possible together, no more of a good than there is (`buy`: no less than is needed),
 * of each group at most one.
 *
 * @param without - somebody whose bids do not count
 */
export function winnerModel(lots: Lots, without?: AgentId): MipModel {
  const columns = lots.bids.map((bid): MipColumn => {
    const isOut = !bid.canWin || bid.agent === without;
    return { worth: Number(bid.scaled), most: isOut ? 0 : 1, isWhole: true };
  });
  return { columns, rows: [...goodRows(lots), ...groupRows(lots)] };
}

/** The same with parts of bids: what a unit of a good is worth there bounds what all may be worth together. */
export function relaxedModel(lots: Lots): MipModel {
  const { columns, rows } = winnerModel(lots);
  return { rows, columns: columns.map(({ worth, most = 1 }) => ({ worth, most })) };
}

export interface RivalSearch {
  readonly ranks: readonly number[];
  readonly hopeless: ReadonlySet<number>;
}

/**
 * Another allocation that is worth as much, and of these the one that the session's rule prefers: largest sum of ranks,
 * which are drawn (`seeded`) or fall with the id. Sums of drawn ranks are hardly ever equal (Mulmuley, Vazirani and
 * Vazirani 1987).
 *
 * @param search - how much the rule prefers each bid, and which bids are in no allocation that is worth as much
 */
// oxlint-disable-next-line max-params -- of what, beside which, among which
export function rivalModel(lots: Lots, allocation: Allocation, search: RivalSearch): MipModel {
  const { ranks, hopeless } = search;
  const { columns, rows } = winnerModel(lots);
  const won = new Set(allocation);
  const least = allocation.reduce((sum, index) => sum + Number(lots.bids[index]?.scaled ?? 0n), 0);
  const asGood: MipRow = {
    terms: lots.bids.map(({ scaled }, index) => [index, Number(scaled)] as const),
    least,
  };
  const different: MipRow = {
    terms: lots.bids.map((_, index) => [index, won.has(index) ? 1 : -1] as const),
    most: won.size - 1,
  };
  return {
    columns: columns.map(({ isWhole = false, most = 1 }, index) => {
      return { worth: ranks[index] ?? 0, most: hopeless.has(index) ? 0 : most, isWhole };
    }),
    rows: [...rows, asGood, different],
  };
}

/** How much the session's rule prefers each bid: by whose it is and which of its own, not by where it stands. */
export function ranksOf(lots: Lots, env: PureEnv): readonly number[] {
  if (env.tie === 'lexicographic') {
    const ids = [...new Set(lots.bids.map(({ agent }) => agent))].toSorted();
    const places = new Map(ids.map((id, place) => [id, place]));
    return lots.bids.map(({ agent }) => ids.length - (places.get(agent) ?? 0));
  }
  const counts = new Map<AgentId, number>();
  return lots.bids.map(({ agent }) => {
    const own = counts.get(agent) ?? 0;
    counts.set(agent, own + 1);
    return 1 + Number.parseInt(digest(env.seed, `bid ${own}`, agent).slice(0, 5), 16);
  });
}

export function goodRows({ side, goods, bids }: Lots): readonly MipRow[] {
  const terms = goods.map((): [number, number][] => []);
  for (const [index, { units }] of bids.entries()) {
    for (const [good, count] of units) terms[good]?.push([index, count]);
  }
  return goods.map(({ supply }, good) => ({
    terms: terms[good] ?? [],
    ...(side === 'sell' ? { most: supply } : { least: supply }),
  }));
}

function groupRows({ groups }: Lots): readonly MipRow[] {
  return groups
    .filter((group) => group.length > 1)
    .map((group) => ({ terms: group.map((index) => [index, 1] as const), most: 1 }));
}

/** Bids that a solver has chosen. */
export function chosenOf(lots: Lots, values: readonly number[]): Allocation {
  return lots.bids.flatMap((_, index) => (values[index] === 1 ? [index] : []));
}

/** One value for each column of a model of winners. */
export function valuesOf(lots: Lots, allocation: Allocation): readonly number[] {
  const won = new Set(allocation);
  return lots.bids.map((_, index) => (won.has(index) ? 1 : 0));
}
