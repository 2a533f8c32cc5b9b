/**
 * Bids on packages of goods like those of the Combinatorial Auction Test Suite: its families, drawn by simpler rules
 * (Leyton-Brown, Pearson and Shoham, "Towards a Universal Test Suite for Combinatorial Auction Algorithms", 2000).
 */
import { seededRandom, type Random } from '@foundation/core';
import type { PackageBid } from '@foundation/core/mabeam';

export type Family = 'matching' | 'scheduling' | 'paths' | 'regions' | 'arbitrary' | 'L4' | 'L6';

/** What each of some bidders bids: of its bids one wins at most. */
export type Offers = readonly (readonly PackageBid[])[];

/** What one bidder wants: packages of goods, each with its value. */
type Wish = readonly (readonly [goods: Iterable<number>, value: number])[];

export interface Instance {
  readonly family: Family;
  readonly goods: number;
  readonly bids: number;
  /** Another one of the same kind. */
  readonly draw: number;
}

export function offersOf({ family, goods, bids, draw }: Instance): Offers {
  const random = new Draws(seededRandom(`${family} ${goods} ${bids} ${draw}`));
  const wishes = families[family](random, goods);
  const offers: PackageBid[][] = [];
  let left = bids;
  while (left > 0) {
    const own = wishes()
      .slice(0, left)
      .map(([wanted, value]) => ({
        goods: [...new Set(wanted)].map((good) => `${good}`),
        amount: BigInt(Math.max(Math.round(value * 1_000), 1)),
      }))
      .filter((bid) => bid.goods.length > 0);
    left -= own.length;
    offers.push(own);
  }
  return offers;
}

const families: Readonly<Record<Family, (random: Draws, goods: number) => () => Wish>> = {
  matching,
  scheduling,
  paths,
  regions: (random, goods) => regions(random, goods, gridOf(goods)),
  arbitrary: (random, goods) => regions(random, goods, () => 1),
  L4: (random, goods) => legacy(random, goods, () => random.chance(0.55)),
  L6: (random, goods) => legacy(random, goods, () => random.chance(Math.exp(-1 / 5))),
};

/**
 * Slots of four airports: a flight needs one to take off and one to land. What these are worth depends on the airports,
 * and falls with each slot that it is late or longer on its way.
 */
function matching(random: Draws, goods: number): () => Wish {
  const slots = Math.floor(goods / 4);
  const airports = Array.from({ length: 4 }, () => ({
    worth: 5 * random.part(),
    at: random.part(),
  }));
  return () => {
    const [from, to] = random.two(4);
    const [start, end] = [
      airports[from] ?? { worth: 0, at: 0 },
      airports[to] ?? { worth: 0, at: 0 },
    ];
    const flight = 1 + Math.round(8 * Math.abs(start.at - end.at));
    const wanted = 1 + random.below(Math.max(slots - flight - 4, 1));
    const worth = (start.worth + end.worth) * (0.5 + random.part());
    const wish: [number[], number][] = [];
    for (let off = wanted - 1; off <= wanted + 2; off++) {
      for (let on = off + flight; on <= wanted + flight + 2; on++) {
        const [late, longer] = [Math.max(on - wanted - flight, 0), on - off - flight];
        if (on >= slots) continue;
        wish.push([[from * slots + off, to * slots + on], worth * 0.75 ** late * 0.9 ** longer]);
      }
    }
    return wish;
  };
}

/** Hours of a machine: a job needs some on end, the sooner the better. */
function scheduling(random: Draws, goods: number): () => Wish {
  return () => {
    const length = 1 + random.below(10);
    const start = random.below(Math.max(goods - length - 4, 1));
    const worth = length ** 1.2 * (0.5 + random.part());
    return Array.from({ length: 1 + random.below(5) }, (_, late) => {
      const hours = Array.from({ length }, (_hour, hour) =>
        Math.min(start + late + hour, goods - 1),
      );
      return [hours, worth * 0.9 ** late] as const;
    });
  };
}

/** Tracks between cities in a plane: a train needs all of a path, and there are several. */
function paths(random: Draws, goods: number): () => Wish {
  const cities = Array.from({ length: Math.max(Math.floor(goods / 3), 4) }, () => [
    random.part(),
    random.part(),
  ]);
  const far = (one: number, other: number): number =>
    Math.hypot(...[0, 1].map((axis) => (cities[one]?.[axis] ?? 0) - (cities[other]?.[axis] ?? 0)));
  const pairs = cities
    .flatMap((_, one) => cities.slice(0, one).map((_city, other) => [one, other] as const))
    .toSorted((left, right) => far(...left) - far(...right));
  const tracks = pairs.slice(0, goods);
  return () => {
    const [from, to] = random.two(cities.length);
    const worth = far(from, to) * (1 + 0.5 * random.part());
    const wish: [number[], number][] = [];
    const banned = new Set<number>();
    for (let way = 0; way < 5; way++) {
      const path = shortest({ tracks, far, banned }, from, to);
      if (path === undefined || path.length === 0) break;
      const long = path.reduce((sum, track) => sum + far(...(tracks[track] ?? [0, 0])), 0);
      if (long > 2 * worth) break;
      wish.push([path, worth * (1 + 0.3 * random.part()) - 0.3 * long]);
      banned.add(path[random.below(path.length)] ?? 0);
    }
    return wish.filter(([, value]) => value > 0);
  };
}

interface Net {
  readonly tracks: readonly (readonly [number, number])[];
  readonly far: (one: number, other: number) => number;
  readonly banned: ReadonlySet<number>;
}

/** Bellman and Ford. */
// oxlint-disable-next-line max-params -- where, from, to
function shortest({ tracks, far, banned }: Net, from: number, to: number): number[] | undefined {
  const best = new Map<number, { readonly cost: number; readonly path: readonly number[] }>();
  best.set(from, { cost: 0, path: [] });
  for (let isBetter = true; isBetter;) {
    isBetter = false;
    for (const [track, [one, other]] of tracks.entries()) {
      if (banned.has(track)) continue;
      for (const [start, end] of [
        [one, other],
        [other, one],
      ] as const) {
        const known = best.get(start);
        const cost = (known?.cost ?? Infinity) + far(one, other);
        if (known === undefined || cost >= (best.get(end)?.cost ?? Infinity)) continue;
        best.set(end, { cost, path: [...known.path, track] });
        isBetter = true;
      }
    }
  }
  const found = best.get(to);
  return found === undefined ? undefined : [...found.path];
}

/** How near two goods are: 1 beside each other on a grid, 0 else. */
function gridOf(goods: number): (one: number, other: number) => number {
  const width = Math.ceil(Math.sqrt(goods));
  return (one, other) => {
    const rows = Math.abs(Math.floor(one / width) - Math.floor(other / width));
    const columns = Math.abs((one % width) - (other % width));
    return rows <= 1 && columns <= 1 && (rows + columns === 1 || (one * 7 + other) % 5 === 0)
      ? 1
      : 0;
  };
}

/** Goods that grow from one, each near to one of those before; worth more together, and five bids a bidder. */
// oxlint-disable-next-line max-params -- by chance, of how many, how near
function regions(
  random: Draws,
  goods: number,
  near: (one: number, other: number) => number,
): () => Wish {
  const common = Array.from({ length: goods }, () => 1 + 99 * random.part());
  const all = Array.from({ length: goods }, (_, good) => good);
  const weights = all.map(() => all.map(() => random.part()));
  const neighbours = all.map((one) => all.filter((other) => other !== one && near(one, other) > 0));
  return () => {
    const own = common.map((value) => value * (0.5 + random.part()));
    return Array.from({ length: 1 + random.below(5) }, () => {
      const wanted = new Set([random.below(goods)]);
      while (wanted.size < goods && random.chance(0.9)) {
        const edge = [...wanted]
          .flatMap((good) => neighbours[good] ?? [])
          .filter((good) => !wanted.has(good));
        if (edge.length === 0) break;
        const weight = (good: number): number =>
          [...wanted].reduce((sum, from) => sum + (weights[from]?.[good] ?? 0), 0);
        const [one, other] = [
          edge[random.below(edge.length)] ?? 0,
          edge[random.below(edge.length)] ?? 0,
        ];
        wanted.add(weight(one) > weight(other) ? one : other);
      }
      const sum = [...wanted].reduce((total, good) => total + (own[good] ?? 0), 0);
      return [wanted, sum + wanted.size ** 1.2] as const;
    });
  };
}

/** Any goods, as many as chance has it, at a price for each: one bid a bidder. */
// oxlint-disable-next-line max-params -- by chance, of how many, whether one more
function legacy(random: Draws, goods: number, more: () => boolean): () => Wish {
  return () => {
    const wanted = new Set([random.below(goods)]);
    while (wanted.size < goods && more()) wanted.add(random.below(goods));
    return [[wanted, wanted.size * (1 + 999 * random.part())]];
  };
}

class Draws {
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  below(limit: number): number {
    return this.#random.int(limit);
  }

  /** From 0 up to 1. */
  part(): number {
    return this.#random.int(2 ** 30) / 2 ** 30;
  }

  chance(part: number): boolean {
    return this.part() < part;
  }

  two(of: number): readonly [number, number] {
    const one = this.below(of);
    return [one, (one + 1 + this.below(of - 1)) % of];
  }
}
