import type { Amount } from '../../amount.ts';
import { isValues, type Wants } from './assignment-questions.ts';
import { emptyMatching, inCircles, type Matching, place, release, serve } from './matching.ts';

/** What a buyer likes best at the present prices. */
export interface Liking {
  /** Goods by their place. */
  readonly wants: readonly number[];
  /** Whether it would as soon have nothing. */
  readonly orNothing: boolean;
  /**
   * By how much the prices of these goods may rise, all alike, before it likes something else as well: 1 if that is not
   * known.
   */
  readonly slack: (goods: ReadonlySet<number>, prices: readonly Amount[]) => Amount;
}

/** What is on offer. */
export interface Prices {
  readonly prices: readonly Amount[];
  readonly reserves: readonly Amount[];
}

/** Where the clock stops: somebody has to be asked, or everybody can have what it likes best. */
export interface Climbed {
  readonly prices: readonly Amount[];
  readonly likings: readonly Liking[];
  /** Buyers to be asked; none when the matching has come out. */
  readonly asked: readonly number[];
  readonly matching: Matching;
}

/**
 * The ascending auction of Demange, Gale and Sotomayor (1986), buyer by buyer: while one finds nothing among what it
 * likes best, the goods it has looked through are wanted by more buyers, and by them nothing else, than there are, and
 * their prices rise together. They are the lowest for those who have been served so far, so they never rise too far.
 *
 * @param start - `likings` in the order in which buyers are served where it does not matter to them
 * @param likingAtPrices - what a buyer likes at other prices; undefined when it has to be asked
 */
export function climb(
  start: { readonly prices: readonly Amount[]; readonly likings: readonly Liking[] },
  likingAtPrices: (buyer: number, prices: readonly Amount[]) => Liking | undefined,
): Climbed {
  const likings = [...start.likings];
  const wants = likings.map((liking) => liking.wants);
  const matching = emptyMatching(likings.length, start.prices.length);
  let { prices } = start;
  const unserved = [...likings.keys()].toReversed();
  for (let buyer = unserved.at(-1); buyer !== undefined; buyer = unserved.at(-1)) {
    const set = likings[buyer]?.orNothing === false ? serve(buyer, wants, matching) : undefined;
    if (set === undefined) {
      unserved.pop();
      continue;
    }
    const rising = new Set(set);
    const by = riseOf(rising, buyer, { prices, likings, matching });
    prices = prices.map((price, good) => (rising.has(good) ? price + by : price));
    const asked: number[] = [];
    for (const [other, wanted] of wants.entries()) {
      if (!meets(wanted, rising)) continue;
      const liking = likingAtPrices(other, prices);
      if (liking === undefined) asked.push(other);
      else [likings[other], wants[other]] = [liking, liking.wants];
      // Its good is as good to it as before, but it may be that nothing is, too.
      if (liking?.orNothing === true) release(matching, other);
    }
    if (asked.length > 0) return { prices, likings, asked, matching };
  }
  // From the start, so that who has what depends on the order of buyers only, and not on the way up.
  const settled = emptyMatching(likings.length, prices.length);
  for (const [buyer, { orNothing }] of likings.entries()) {
    if (!orNothing) serve(buyer, wants, settled);
  }
  return { prices, likings, asked: [], matching: settled };
}

/** By how much goods rise until their owners, or who wants one of them, like something else as well. */
// oxlint-disable-next-line max-params -- what, for whom, where things stand
function riseOf(
  goods: ReadonlySet<number>,
  buyer: number,
  { prices, likings, matching }: Omit<Climbed, 'asked'>,
): Amount {
  let rise: Amount | undefined;
  for (const one of [buyer, ...[...goods].map((good) => matching.buyerOf[good] ?? -1)]) {
    const most = likings[one]?.slack(goods, prices);
    if (rise === undefined || (most !== undefined && most < rise)) rise = most;
  }
  return rise ?? 1n;
}

function meets(wants: readonly number[], goods: ReadonlySet<number>): boolean {
  return wants.some((good) => goods.has(good));
}

/** What somebody likes best at prices, by what it has said. */
export function likingAt(prices: readonly Amount[], goods: readonly string[], said: Wants): Liking {
  if (isValues(said)) return likingOf(said.values, prices);
  const wants = said.wants.map((good) => goods.indexOf(good));
  return { wants, orNothing: said.orNothing ?? wants.length === 0, slack: () => 1n };
}

function likingOf(values: readonly (Amount | null)[], prices: readonly Amount[]): Liking {
  const surplus = prices.map((price, good) => {
    const value = values[good] ?? null;
    return value === null ? -1n : value - price;
  });
  let best = 0n;
  for (const each of surplus) if (each > best) best = each;
  const wants = [...surplus.keys()].filter((good) => surplus[good] === best);
  const slack = (goods: ReadonlySet<number>, now: readonly Amount[]): Amount => {
    let outside = 0n;
    for (const [good, value] of values.entries()) {
      if (value === null || goods.has(good)) continue;
      const gain = value - (now[good] ?? 0n);
      if (gain > outside) outside = gain;
    }
    return best - outside;
  };
  return { wants, orNothing: best === 0n, slack };
}

/**
 * Sells also what has risen and is wanted only by buyers who would as soon have nothing, without taking from anybody
 * what it needs.
 *
 * @returns goods that have risen and that nobody wants any more
 */
export function placeRaised(
  likings: readonly Liking[],
  { prices, reserves }: Prices,
  matching: Matching,
): readonly number[] {
  const wantedBy = prices.map((): number[] => []);
  for (const [buyer, { wants }] of likings.entries()) {
    for (const good of wants) wantedBy[good]?.push(buyer);
  }
  const mayBeFree = (good: number): boolean => prices[good] === reserves[good];
  const unsold = [...prices.keys()].filter(
    (good) => !mayBeFree(good) && (matching.buyerOf[good] ?? -1) < 0,
  );
  return unsold.filter((good) => !place(good, { wantedBy, mayBeFree }, matching));
}

/** Buyers who could as well have something else, with everybody as content as before. */
export function indifferent(
  likings: readonly Liking[],
  { prices, reserves }: Prices,
  { goodOf, buyerOf }: Matching,
): ReadonlySet<number> {
  const house = likings.length;
  const isFree = (good: number): boolean => prices[good] === reserves[good];
  const circles = inCircles(house + 1, (one) => {
    if (one === house) {
      return [...likings.keys()].filter((buyer) => {
        const own = goodOf[buyer] ?? -1;
        return own < 0 || isFree(own);
      });
    }
    const own = goodOf[one] ?? -1;
    const { wants = [], orNothing = false } = likings[one] ?? {};
    const others = wants.filter((good) => good !== own).map((good) => buyerOf[good] ?? -1);
    const takesFromHouse = others.some((buyer) => buyer < 0) || (orNothing && own >= 0);
    const envied = others.filter((buyer) => buyer >= 0);
    return takesFromHouse ? [...envied, house] : envied;
  });
  return new Set([...circles].filter((one) => one !== house));
}

/**
 * For each good that has risen, a buyer that would as soon have it and has something else, or would without it if
 * another did: they keep its price from being lower. Prices are the lowest if each good that has risen has one
 * (Mishra and Talman 2010).
 */
export function rivalsOf(
  likings: readonly Liking[],
  { prices, reserves }: Prices,
  { goodOf, buyerOf }: Matching,
): ReadonlyMap<number, number> {
  const isRaised = (good: number): boolean => good >= 0 && prices[good] !== reserves[good];
  const rivals = new Map<number, number>();
  const queue = [...likings.keys()].filter((buyer) => !isRaised(goodOf[buyer] ?? -1));
  for (const buyer of queue) {
    for (const good of likings[buyer]?.wants ?? []) {
      if (!isRaised(good) || rivals.has(good) || goodOf[buyer] === good) continue;
      rivals.set(good, buyer);
      const owner = buyerOf[good] ?? -1;
      if (owner >= 0) queue.push(owner);
    }
  }
  return rivals;
}
