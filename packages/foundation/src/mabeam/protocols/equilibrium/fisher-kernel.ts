import { exp, ln, power } from './elementary.ts';
import type { Utility } from './utility.ts';

/** A buyer as the computation takes it. */
export interface Buyer {
  readonly budget: number;
  readonly utility: Utility;
}

/** Where a computation ended: the prices with the least gap it came to. */
export interface Equilibrium {
  readonly prices: Float64Array;
  /** Σ budget · ln(best utility / own utility), as a part of all budgets: 0 is an equilibrium. */
  readonly gap: number;
  readonly rounds: number;
  /** Absent when the gap is not within the tolerance. */
  readonly purchase?: {
    /** What each buyer spends on each good, buyer by buyer. */
    readonly bids: Float64Array;
    /** ln(best utility / own utility) of each buyer. */
    readonly shortfalls: Float64Array;
  };
}

/** When to stop. */
export interface Limits {
  readonly tolerance: number;
  readonly roundsMax: number;
}

/**
 * Bids from which nobody would move, by proportional response: each buyer spreads its budget over goods in proportion
 * to what its share of each contributed to its utility in the round before (Zhang 2011; for linear utilities a mirror
 * descent of Shmyrev's potential, Birnbaum, Devanur and Xiao 2011). Buyers to whom goods complement each other (CES
 * with rho < 0, Leontief) spread it as they would at the last prices (Cheung, Cole and Tao 2018).
 *
 * Linear in the number of bids, each round.
 */
export function fisherEquilibrium(
  buyers: readonly Buyer[],
  goods: number,
  { tolerance, roundsMax }: Limits,
): Equilibrium {
  const rows = buyers.map((buyer) => rowOf(buyer, goods));
  let all = 0;
  for (const { budget } of buyers) all += budget;
  let bids = new Float64Array(rows.length * goods);
  let next = new Float64Array(rows.length * goods);
  let nextPrices = new Float64Array(goods);
  for (const [index, row] of rows.entries()) spread(row, index * goods, { bids, into: nextPrices });
  let best: Equilibrium | undefined;
  for (let round = 0; ; round++) {
    const prices = nextPrices;
    nextPrices = new Float64Array(goods);
    const inverses = prices.map((price) => (price > 0 ? 1 / price : 0));
    const lnPrices = rows.some(({ kind }) => kind !== 'linear') ? prices.map(ln) : prices;
    const shortfalls = new Float64Array(rows.length);
    const market = { prices, inverses, lnPrices, bids, next, nextPrices };
    let gap = 0;
    for (const [index, row] of rows.entries()) {
      const shortfall = responses[row.kind](row, index * goods, market);
      shortfalls[index] = shortfall;
      gap += row.budget * shortfall;
    }
    gap = Math.max(0, gap / all);
    if (gap <= tolerance) return { prices, gap, rounds: round, purchase: { bids, shortfalls } };
    if (best === undefined || gap < best.gap) best = { prices, gap, rounds: round };
    if (round === roundsMax) return best;
    [bids, next] = [next, bids];
  }
}

interface Row {
  readonly kind: Utility['kind'];
  readonly budget: number;
  readonly weights: Float64Array;
  /** Of a CES utility. */
  readonly rho: number;
  /** s · ln a of a CES utility, where s is its elasticity. */
  readonly lnScale: Float64Array;
}

function rowOf({ budget, utility }: Buyer, goods: number): Row {
  const weights = new Float64Array(goods);
  weights.set(utility.weights);
  const rho = utility.kind === 'ces' ? utility.rho : 0;
  if (utility.kind === 'cobb_douglas') {
    const all = weights.reduce((total, weight) => total + weight, 0);
    for (let good = 0; good < goods; good++) weights[good] = (weights[good] ?? 0) / all;
  }
  const lnScale = utility.kind === 'ces' ? weights.map((each) => ln(each) / (1 - rho)) : weights;
  return { kind: utility.kind, budget, weights, rho, lnScale };
}

/** The first bids: even parts for whatever is wanted. */
function spread(
  { weights, budget }: Row,
  offset: number,
  { bids, into }: { readonly bids: Float64Array; readonly into: Float64Array },
): void {
  let wanted = 0;
  for (const weight of weights) if (weight > 0) wanted++;
  for (const [good, weight] of weights.entries()) {
    if (weight === 0) continue;
    bids[offset + good] = budget / wanted;
    into[good] = (into[good] ?? 0) + budget / wanted;
  }
}

interface Market {
  readonly prices: Float64Array;
  readonly inverses: Float64Array;
  /** Only where somebody's utility is not linear. */
  readonly lnPrices: Float64Array;
  readonly bids: Float64Array;
  /** Bids of the next round, which are written. */
  readonly next: Float64Array;
  readonly nextPrices: Float64Array;
}

/** Writes the next bids of one buyer, adds them to the next prices, and returns its shortfall. */
type Response = (row: Row, offset: number, market: Market) => number;

const responses: Readonly<Record<Utility['kind'], Response>> = {
  linear({ weights, budget }, offset, { inverses, bids, next, nextPrices }) {
    let own = 0;
    let best = 0;
    for (let good = 0; good < weights.length; good++) {
      const perMoney = (weights[good] ?? 0) * (inverses[good] ?? 0);
      const gained = perMoney * (bids[offset + good] ?? 0);
      next[offset + good] = gained;
      own += gained;
      if (perMoney > best) best = perMoney;
    }
    const scale = budget / own;
    for (let good = 0; good < weights.length; good++) {
      const bid = (next[offset + good] ?? 0) * scale;
      next[offset + good] = bid;
      nextPrices[good] = (nextPrices[good] ?? 0) + bid;
    }
    return ln((best * budget) / own);
  },

  cobb_douglas({ weights, budget }, offset, { bids, next, nextPrices }) {
    let shortfall = 0;
    for (let good = 0; good < weights.length; good++) {
      const weight = weights[good] ?? 0;
      if (weight === 0) continue;
      const bid = budget * weight;
      // The price does not matter: ln(best amount / own amount) = ln(best bid / own bid).
      shortfall += weight * ln(bid / (bids[offset + good] ?? 0));
      next[offset + good] = bid;
      nextPrices[good] = (nextPrices[good] ?? 0) + bid;
    }
    return Math.max(0, shortfall);
  },

  ces(row, offset, market) {
    const { weights, budget, rho, lnScale } = row;
    const { inverses, lnPrices, bids, next, nextPrices } = market;
    const s = 1 / (1 - rho);
    let own = 0;
    let costs = 0;
    let all = 0;
    for (let good = 0; good < weights.length; good++) {
      const weight = weights[good] ?? 0;
      if (weight === 0) continue;
      const gained = weight * power((bids[offset + good] ?? 0) * (inverses[good] ?? 0), rho);
      const best = exp((lnScale[good] ?? 0) + (1 - s) * (lnPrices[good] ?? 0));
      own += gained;
      costs += best;
      const part = rho > 0 ? gained : best;
      next[offset + good] = part;
      all += part;
    }
    scaleRow({ offset, goods: weights.length, scale: budget / all }, next, nextPrices);
    return Math.max(0, ln(budget) - ln(costs) / (1 - s) - ln(own) / rho);
  },

  leontief({ weights, budget }, offset, { prices, inverses, bids, next, nextPrices }) {
    let cost = 0;
    let own = Infinity;
    for (let good = 0; good < weights.length; good++) {
      const weight = weights[good] ?? 0;
      if (weight === 0) continue;
      const part = weight * (prices[good] ?? 0);
      next[offset + good] = part;
      cost += part;
      const served = ((bids[offset + good] ?? 0) * (inverses[good] ?? 0)) / weight;
      if (served < own) own = served;
    }
    scaleRow({ offset, goods: weights.length, scale: budget / cost }, next, nextPrices);
    return Math.max(0, ln(budget / cost / own));
  },
};

// oxlint-disable-next-line max-params -- which row, of what, into what
function scaleRow(
  { offset, goods, scale }: { offset: number; goods: number; scale: number },
  next: Float64Array,
  nextPrices: Float64Array,
): void {
  for (let good = 0; good < goods; good++) {
    const bid = (next[offset + good] ?? 0) * scale;
    next[offset + good] = bid;
    nextPrices[good] = (nextPrices[good] ?? 0) + bid;
  }
}
