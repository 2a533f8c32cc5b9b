/** A mechanism that agents of three nodes go through, once with all of them and once when a node was killed. */
export interface Mechanism {
  readonly protocol: string;
  readonly spec: unknown;
  /** What each agent answers, by type of request; `c1` and `c2` live on the node that is killed. */
  readonly replies: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  /** What the outcome must say with everybody, and without those who were killed. */
  readonly whole: object;
  readonly bereft: object;
}

/** Where each agent lives. */
export const agents = { a: ['a1', 'a2'], b: ['b1', 'b2'], c: ['c1', 'c2'] };

const bids = { a1: 10n, a2: 3n, b1: 8n, b2: 7n, c1: 20n, c2: 9n };
const get_bid = Object.fromEntries(Object.entries(bids).map(([id, amount]) => [id, { amount }]));
const sale = { spec: { lot: 'cpu' }, replies: { get_bid } };

/** One line for each mechanism. */
export const mechanisms: readonly Mechanism[] = [
  { protocol: 'auction.vickrey', ...sale, ...ending(['c1', 10n], ['a1', 8n]) },
  { protocol: 'auction.first_price', ...sale, ...ending(['c1', 20n], ['a1', 10n]) },
];

function ending(
  [winner, price]: readonly [string, bigint],
  [next, nextPrice]: readonly [string, bigint],
): Pick<Mechanism, 'whole' | 'bereft'> {
  return {
    whole: { status: 'decided', result: { winner, price } },
    bereft: { status: 'decided', result: { winner: next, price: nextPrice } },
  };
}
