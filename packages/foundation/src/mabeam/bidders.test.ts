import { describe, expect, it } from 'vitest';

import { defineProcess, type Node, startNode } from '../index.ts';
import type { Amount } from './amount.ts';
import { bidReservation, proxy, truthful, withBudget } from './bidders.ts';
import { createLedger, type Ledger } from './ledger.ts';
import type { AgentId, CoordinationRequest } from './message.ts';
import { participant, type ParticipantHandlers } from './participant.ts';
import type { OutcomeStatus } from './protocol.ts';

/** Context of a process that knows what a lot is worth to it. */
interface Valuing {
  readonly state: { value: Amount };
}
type Handlers = ParticipantHandlers<Valuing>;
type Crowd = Readonly<Record<AgentId, readonly [value: Amount, handlers: Handlers]>>;

const own = ({ state }: Valuing): Amount => state.value;
const open = { lot: 'lot', increment: 1n };
const auctions = {
  'first price': ['auction.first_price', { lot: 'lot' }],
  Vickrey: ['auction.vickrey', { lot: 'lot' }],
  'English clock': ['auction.english', open],
  'English outcry': ['auction.english', { ...open, variant: 'outcry' }],
  Dutch: ['auction.dutch', { ...open, start: 40n }],
} as const;
type Auction = keyof typeof auctions;

/** Each bidder is a process of one node, and takes part in every auction. */
async function market(crowd: Crowd): Promise<Node> {
  const node = await startNode({ cluster: 'off' });
  for (const [name, [value, handlers]] of Object.entries(crowd)) {
    const bidder = defineProcess('bidder', {
      init: (): Valuing['state'] => ({ value }),
      coordinate: participant(handlers),
    });
    await node.processes.start(bidder, { name });
  }
  return node;
}

async function sales(
  crowd: Crowd,
  terms: Readonly<Record<string, unknown>> = {},
): Promise<Readonly<Record<string, readonly [AgentId, Amount] | OutcomeStatus>>> {
  await using node = await market(crowd);
  const ended = Object.entries(auctions).map(async ([name, [protocol, spec]]) => {
    const options = { deadlineMs: 20_000, seed: 'seed', tie: 'lexicographic' } as const;
    const { coordination } = node.mabeam;
    const session = coordination.start(
      protocol,
      { ...spec, ...terms },
      Object.keys(crowd),
      options,
    );
    const { status, result } = await session.outcome;
    const { winner, price }: { winner: AgentId; price: Amount } = Object(result);
    const sale: readonly [AgentId, Amount] = [winner, price];
    return [name, result === undefined ? status : sale] as const;
  });
  return Object.fromEntries(await Promise.all(ended));
}

const crowdOf = (make: () => Handlers): Crowd => ({
  a: [20n, make()],
  b: [31n, make()],
  c: [12n, make()],
});

/** How many rounds an auction takes. */
async function roundsOf(crowd: Crowd, auction: Auction): Promise<number> {
  await using node = await market(crowd);
  const [protocol, spec] = auctions[auction];
  const session = node.mabeam.coordination.start(protocol, spec, Object.keys(crowd), {
    deadlineMs: 20_000,
  });
  const { record } = await session.outcome;
  const rounds = record.entries.map((entry) =>
    entry.kind === 'request' ? entry.request.round : 0,
  );
  return Math.max(...rounds);
}

describe('a truthful bidder', () => {
  it('wins what is worth most to it, by its process’s own state', async () => {
    expect(await sales(crowdOf(() => truthful(own)))).toEqual({
      'first price': ['b', 31n],
      Vickrey: ['b', 20n],
      'English clock': ['b', 21n],
      'English outcry': ['b', 21n],
      Dutch: ['b', 31n],
    });
  });

  it('answers at every tick', async () => {
    expect(
      await roundsOf(
        crowdOf(() => truthful(own)),
        'English clock',
      ),
    ).toBe(22);
  });

  it('supplies for its cost or more when somebody buys', async () => {
    const crowd = crowdOf(() => truthful(own));
    expect(await sales(crowd, { side: 'buy', reserve: 45n })).toEqual({
      'first price': ['c', 12n],
      Vickrey: ['c', 20n],
      'English clock': ['c', 19n],
      'English outcry': ['c', 20n],
      // All three are content with its first price, 40.
      Dutch: ['a', 40n],
    });
  });
});

describe('a proxy', () => {
  it('comes to the same', async () => {
    expect(await sales(crowdOf(() => proxy(own)))).toEqual({
      'first price': ['b', 31n],
      Vickrey: ['b', 20n],
      'English clock': ['b', 21n],
      'English outcry': ['b', 21n],
      Dutch: ['b', 31n],
    });
  });

  it('is not asked tick by tick', async () => {
    const crowd = crowdOf(() => proxy(own));
    expect(await roundsOf(crowd, 'English clock')).toBe(3);
    expect(await roundsOf(crowd, 'English outcry')).toBe(2);
    expect(await roundsOf(crowd, 'Dutch')).toBe(1);
  });
});

describe.each([
  ['a truthful bidder', (value: Amount): Handlers => truthful(value)],
  ['a proxy', (value: Amount): Handlers => proxy(value)],
])('%s with a budget', (_what, make) => {
  it('never pays more than that', async () => {
    const rich = withBudget(15n, make(1_000n));
    expect(await sales({ rich: [0n, rich], b: [0n, make(14n)] })).toEqual({
      'first price': ['rich', 15n],
      Vickrey: ['rich', 14n],
      'English clock': ['rich', 15n],
      'English outcry': [
        'rich',
        expect.toSatisfy((price: Amount) => price === 14n || price === 15n),
      ],
      Dutch: ['rich', 15n],
    });
    expect(await sales({ rich: [0n, rich], b: [0n, make(16n)] })).toMatchObject({
      'first price': ['b', 16n],
      Vickrey: ['b', 15n],
      'English clock': ['b', 16n],
      Dutch: ['b', 16n],
    });
  });

  it('stays away when the least price is more than that', async () => {
    const rich = withBudget(15n, make(1_000n));
    const at20 = await sales({ rich: [0n, rich] }, { reserve: 20n });
    expect(new Set(Object.values(at20))).toEqual(new Set(['no_deal']));
  });

  it('is not held back by it when it is paid', async () => {
    const supplier = withBudget(1n, make(10n));
    expect(await sales({ supplier: [0n, supplier] }, { side: 'buy', reserve: 50n })).toMatchObject({
      'first price': ['supplier', 10n],
      Vickrey: ['supplier', 50n],
      'English clock': ['supplier', 50n],
      Dutch: ['supplier', 40n],
    });
  });
});

describe('a budget', () => {
  it('may follow the state of the process, and leaves other handlers as they are', async () => {
    const notices: unknown[] = [];
    const handlers: Handlers = {
      bid: () => 1_000n,
      told: (_ctx, { body }) => void notices.push(body),
    };
    const limited = withBudget(own, handlers);
    expect(limited.told).toBe(handlers.told);
    expect(limited).not.toHaveProperty('stay');
    expect(await sales({ a: [9n, limited] })).toMatchObject({ 'first price': ['a', 9n] });
  });

  it('is never exceeded by several units, sealed or by a clock', async () => {
    const units = (worths: readonly Amount[]): Handlers => ({
      marginals: () => worths,
      quantity: (_ctx, { price }) => worths.filter((worth) => worth >= price).length,
    });
    const won = async (rival: readonly Amount[]): Promise<readonly unknown[]> => {
      const rich = withBudget(20n, units([20n, 20n, 20n]));
      await using node = await market({ rich: [0n, rich], rival: [0n, units(rival)] });
      const specs = {
        'auction.multi_unit': { lot: 'lot', units: 3, pricing: 'discriminatory' },
        'auction.ausubel': { lot: 'lot', units: 3, increment: 1n },
      };
      const sessions = Object.entries(specs).map(async ([protocol, spec]) => {
        const options = { deadlineMs: 20_000, seed: 'seed' };
        const { coordination } = node.mabeam;
        const { outcome } = coordination.start(protocol, spec, ['rich', 'rival'], options);
        const { awards = [] } = Object((await outcome).result);
        const award = awards.find(({ agent }: { agent: AgentId }) => agent === 'rich');
        return [award?.units, award?.payment];
      });
      const all = await Promise.all(sessions);
      return all;
    };
    // A sealed bid can be paid for one unit; by a clock two can up to 10, and all three up to 6.
    expect(await won([18n, 18n])).toEqual([
      [1, 20n],
      [1, 0n],
    ]);
    expect(await won([5n, 5n])).toEqual([
      [1, 20n],
      [3, 10n],
    ]);
    const paid = withBudget(1n, units([9n, 9n]));
    const question = { lot: 'lot', side: 'buy', units: 2 } as const;
    const ctx = { state: { value: 0n } };
    expect(await paid.marginals?.(ctx, question, Object({}))).toEqual([9n, 9n]);
  });
});

describe('a bidder whose budget is an account', () => {
  /** Two bidders of one account, and a rival that pays from its own pocket. */
  async function auction(
    protocol: string,
    spec: object,
    deposit: Amount,
  ): Promise<{
    readonly ledger: Ledger;
    readonly session: string;
    readonly result: { readonly winner: AgentId; readonly price: Amount };
  }> {
    const ledger = createLedger();
    await ledger.deposit('team', deposit, 'first');
    const budget = { ledger, account: 'team' };
    await using node = await market({
      a: [30n, withBudget(budget, truthful(own))],
      b: [20n, withBudget(budget, truthful(own))],
      rival: [15n, truthful(own)],
    });
    const roster = ['a', 'b', 'rival'];
    const options = { deadlineMs: 20_000, seed: 'seed' };
    const session = node.mabeam.coordination.start(protocol, spec, roster, options);
    const { result } = await session.outcome;
    return { ledger, session: session.id, result: Object(result) };
  }

  it('sets aside what it agrees to pay before it says so; the price is spent, the rest freed', async () => {
    const { ledger, session, result } = await auction('auction.vickrey', { lot: 'lot' }, 100n);
    expect(result).toMatchObject({ winner: 'a', price: 20n });
    expect(await ledger.balance('team')).toMatchObject({ reserved: 50n, spent: 0n });
    await ledger.settle(bidReservation(session, 'a'), result.price);
    await ledger.release(bidReservation(session, 'b'));
    expect(await ledger.balance('team')).toMatchObject({
      reserved: 0n,
      spent: 20n,
      available: 80n,
    });
  });

  it('never agrees to more than there is, together with the others of its account', async () => {
    const { ledger, result } = await auction('auction.first_price', { lot: 'lot' }, 24n);
    const { reserved, available } = await ledger.balance('team');
    expect([reserved, available]).toEqual([24n, 0n]);
    expect(['a', 'b', 'rival']).toContain(result.winner);
    expect(result.price <= 24n).toBe(true);
  });

  it('sets aside more as the price rises, once for all rounds', async () => {
    const spec = { lot: 'lot', increment: 1n, variant: 'outcry' };
    const { ledger, session, result } = await auction('auction.english', spec, 100n);
    expect(result.winner).toBe('a');
    const held = await ledger.reservation(bidReservation(session, 'a'));
    expect(held).toMatchObject({ status: 'held', amount: result.price });
    const other = await ledger.reservation(bidReservation(session, 'b'));
    expect(other?.amount).toBeLessThanOrEqual(20n);
  });

  it('counts what it has set aside for a session as still to be had there', async () => {
    const ledger = createLedger();
    await ledger.deposit('team', 18n, 'first');
    await using node = await market({
      a: [30n, withBudget({ ledger, account: 'team' }, truthful(own))],
      rival: [15n, truthful(own)],
    });
    const spec = { lot: 'lot', increment: 1n, variant: 'outcry' };
    const options = { deadlineMs: 20_000, seed: 'seed' };
    const { coordination } = node.mabeam;
    const session = coordination.start('auction.english', spec, ['a', 'rival'], options);
    expect((await session.outcome).result).toMatchObject({ winner: 'a' });
  });

  it('wants as many units as it can pay, and sets aside what they may cost', async () => {
    const ledger = createLedger();
    await ledger.deposit('team', 25n, 'first');
    const worths = [9n, 9n, 8n];
    const many = withBudget<Valuing>(
      { ledger, account: 'team' },
      { marginals: () => worths, quantity: () => 3 },
    );
    const ctx: Valuing = { state: { value: 0n } };
    const asked = (session: string): CoordinationRequest => Object({ session, to: 'a' });
    const given = await many.marginals?.(ctx, Object({ side: 'sell' }), asked('one'));
    expect([given, (await ledger.balance('team')).reserved]).toEqual([[9n, 9n], 18n]);
    const units = await many.quantity?.(ctx, Object({ side: 'sell', price: 3n }), asked('two'));
    expect([units, (await ledger.balance('team')).reserved]).toEqual([2, 24n]);
  });

  it('bids what is left also when others of its account are asked at the same time', async () => {
    const ledger = createLedger();
    await ledger.deposit('team', 50n, 'first');
    const { bid } = withBudget<Valuing>({ ledger, account: 'team' }, truthful(30n));
    const ctx: Valuing = { state: { value: 0n } };
    const question = { side: 'sell' } as const;
    const bids = await Promise.all(
      ['a', 'b', 'c'].map(async (to) => bid?.(ctx, Object(question), Object({ session: 's', to }))),
    );
    expect(bids.map(String).toSorted()).toEqual(['0', '20', '30']);
    expect((await ledger.balance('team')).reserved).toBe(50n);
  });

  it('stays in a clock only while its account has the price', async () => {
    const { ledger, session, result } = await auction(
      'auction.english',
      { lot: 'lot', increment: 1n },
      17n,
    );
    // Each of the two would need more than half of it, which is less than what the rival pays.
    expect(result.winner).toBe('rival');
    const held = await ledger.reservation(bidReservation(session, 'b'));
    expect(held?.amount).toBeLessThan(15n);
    expect((await ledger.balance('team')).available >= 0n).toBe(true);
  });
});
