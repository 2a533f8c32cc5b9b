import type {
  Good,
  PlacedPackageBid,
} from '../../src/mabeam/protocols/combinatorial/package-bids.ts';

/** An instance of the Combinatorial Auction Test Suite. */
export interface CatsInstance {
  readonly goods: readonly Required<Good>[];
  readonly bids: readonly PlacedPackageBid[];
}

/**
 * Reads a file as CATS 2.1 writes it (Leyton-Brown, Pearson and Shoham 2000; the `.txt` files here are its own): goods,
 * bids and dummy goods are counted, then each line has the number of a bid, its price, its goods and `#`. Bids that
 * share a dummy good are of one bidder and exclude each other. Prices become whole thousandths.
 */
export function readCats(text: string): CatsInstance {
  const lines = text.split('\n').map((line) => line.trim().split(/\s+/));
  const count = Number(lines.find(([word]) => word === 'goods')?.[1]);
  const bids = lines.flatMap((words): readonly PlacedPackageBid[] => {
    const [number = '', price, ...rest] = words;
    if (rest.pop() !== '#' || !/^\d+$/.test(number)) return [];
    const dummy = rest.find((good) => Number(good) >= count);
    return [
      {
        agent: dummy === undefined ? `bid-${number}` : `bidder-${dummy}`,
        goods: rest.filter((good) => Number(good) < count),
        amount: BigInt(Math.round(Number(price) * 1_000)),
      },
    ];
  });
  const goods = Array.from({ length: count }, (_, good) => ({ name: `${good}`, supply: 1 }));
  return { goods, bids };
}
