import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { alone, failure } from '../../test/alone.ts';
import type { Amount } from './amount.ts';
import { emptyLedger, openBooks, writeBooks, type LedgerSnapshot } from './ledger-snapshot.ts';
import { LedgerState } from './ledger-state.ts';
import { createLedger, type Ledger } from './ledger.ts';

/** A clock that a test sets. */
function setClock(): { now: number; wallNow: () => number } {
  const clock = { now: 1_000, wallNow: () => clock.now };
  return clock;
}

async function funded(
  amount: Amount,
  options: Parameters<typeof createLedger>[0] = {},
): Promise<Ledger> {
  const ledger = createLedger(options);
  await ledger.deposit('team', amount, 'first');
  return ledger;
}

describe('a ledger', () => {
  it('sets aside before it spends, and frees what is left', async () => {
    const ledger = await funded(100n);
    const held = await ledger.reserve('team', 60n, { key: 'job' });
    expect(held).toMatchObject({ account: 'team', amount: 60n, status: 'held', spent: 0n });
    expect(await ledger.balance('team')).toEqual({
      deposited: 100n,
      reserved: 60n,
      spent: 0n,
      available: 40n,
    });
    await ledger.raise('job', 70n);
    await ledger.raise('job', 10n);
    expect(await ledger.settle('job', 45n)).toMatchObject({ status: 'settled', spent: 45n });
    expect(await ledger.balance('team')).toEqual({
      deposited: 100n,
      reserved: 0n,
      spent: 45n,
      available: 55n,
    });
    await ledger.reserve('team', 55n, { key: 'other' });
    await ledger.release('other');
    expect(await ledger.balance('team')).toMatchObject({ reserved: 0n, available: 55n });
  });

  it('refuses what an account has not got, with what remains', async () => {
    const ledger = await funded(100n);
    await ledger.reserve('team', 60n, { key: 'a' });
    expect(await failure(ledger.reserve('team', 41n, { key: 'b' }))).toMatchObject({
      code: 'OVER_BUDGET',
      outcome: 'not-executed',
      details: { account: 'team', wanted: '41', remaining: '40' },
    });
    expect(await failure(ledger.raise('a', 101n))).toMatchObject({
      code: 'OVER_BUDGET',
      details: { wanted: '41', remaining: '40' },
    });
    expect(await failure(ledger.settle('a', 61n))).toMatchObject({
      code: 'OVER_BUDGET',
      details: { wanted: '61', remaining: '100' },
    });
    expect(await ledger.balance('team')).toMatchObject({ reserved: 60n, spent: 0n });
    expect(await failure(ledger.reserve('nobody', 1n, { key: 'c' }))).toMatchObject({
      code: 'UNKNOWN_ACCOUNT',
    });
    expect(await failure(ledger.settle('never', 1n))).toMatchObject({
      code: 'UNKNOWN_RESERVATION',
    });
  });

  it('does the same under the same key once, and nothing else under it', async () => {
    const ledger = await funded(100n);
    await ledger.deposit('team', 100n, 'first');
    expect((await ledger.balance('team')).deposited).toBe(100n);
    expect(await failure(ledger.deposit('team', 99n, 'first'))).toMatchObject({
      code: 'KEY_REUSED',
    });
    const reserve = (amount: Amount): Promise<unknown> =>
      ledger.reserve('team', amount, { key: 'a' });
    await reserve(60n);
    await ledger.raise('a', 80n);
    expect(await reserve(60n)).toMatchObject({ amount: 80n });
    expect(await failure(reserve(80n))).toMatchObject({ code: 'KEY_REUSED' });
    await ledger.settle('a', 50n);
    expect(await ledger.settle('a', 50n)).toMatchObject({ spent: 50n });
    expect(await reserve(60n)).toMatchObject({ status: 'settled' });
    for (const late of [ledger.settle('a', 51n), ledger.release('a'), ledger.raise('a', 99n)]) {
      expect(await failure(late)).toMatchObject({ code: 'RESERVATION_CLOSED' });
    }
    await ledger.reserve('team', 10n, { key: 'b' });
    await ledger.release('b');
    expect(await ledger.release('b')).toMatchObject({ status: 'released' });
    expect(await failure(ledger.settle('b', 1n))).toMatchObject({ code: 'RESERVATION_CLOSED' });
    expect(await ledger.balance('team')).toMatchObject({ reserved: 0n, spent: 50n });
  });

  it('frees a reservation when its time is over: it can be settled no more', async () => {
    const clock = setClock();
    const ledger = await funded(100n, { clock, reservationMs: 5_000 });
    await ledger.reserve('team', 30n, { key: 'short', expiresMs: 1_000 });
    await ledger.reserve('team', 30n, { key: 'long' });
    clock.now += 999;
    expect((await ledger.balance('team')).available).toBe(40n);
    clock.now += 1;
    expect((await ledger.balance('team')).available).toBe(70n);
    expect(await ledger.reservation('short')).toMatchObject({ status: 'expired' });
    expect(await failure(ledger.settle('short', 1n))).toMatchObject({
      code: 'RESERVATION_CLOSED',
      details: { status: 'expired' },
    });
    expect(await ledger.release('short')).toMatchObject({ status: 'expired' });
    clock.now += 4_000;
    expect((await ledger.balance('team')).available).toBe(100n);
  });

  it('goes on from a snapshot as it was, also through JSON, and from nothing that does not add up', async () => {
    const clock = setClock();
    const ledger = await funded(100n, { clock });
    await ledger.reserve('team', 30n, { key: 'a' });
    await ledger.reserve('team', 30n, { key: 'b' });
    await ledger.settle('b', 7n);
    const snapshot = JSON.parse(JSON.stringify(await ledger.snapshot())) as LedgerSnapshot;
    const again = createLedger({ clock, snapshot });
    expect(await again.balance('team')).toEqual(await ledger.balance('team'));
    expect(await again.settle('b', 7n)).toMatchObject({ spent: 7n });
    await again.deposit('team', 100n, 'first');
    expect(await again.balance('team')).toEqual(await ledger.balance('team'));
    clock.now += 600_000;
    expect((await again.balance('team')).available).toBe(93n);

    const [account] = snapshot.accounts;
    const [reservation] = snapshot.reservations;
    for (const bad of [
      {},
      { ...snapshot, version: 2 },
      { ...snapshot, accounts: [{ ...account, spent: '101' }] },
      { ...snapshot, accounts: [{ ...account, spent: '101' }], reservations: [] },
      { ...snapshot, accounts: [{ ...account, deposited: '-1' }] },
      { ...snapshot, accounts: [] },
      { ...snapshot, reservations: [{ ...reservation, amount: '94' }] },
      { ...snapshot, reservations: [reservation, reservation] },
    ]) {
      expect(() => createLedger({ snapshot: bad as LedgerSnapshot })).toThrow(
        expect.objectContaining({ code: 'MALFORMED' }),
      );
    }
  });

  it('remembers only so many that are over', async () => {
    const ledger = await funded(100n, { rememberedMax: 2 });
    for (const key of ['a', 'b', 'c']) {
      await ledger.reserve('team', 10n, { key });
      await ledger.settle(key, 10n);
    }
    expect(await ledger.reservation('a')).toBeUndefined();
    expect(await ledger.reservation('c')).toMatchObject({ spent: 10n });
    expect(await ledger.balance('team')).toMatchObject({ spent: 30n, available: 70n });
  });

  it('refuses bad input by its name', async () => {
    const ledger = createLedger();
    for (const bad of [
      ledger.deposit('', 1n, 'k'),
      ledger.deposit('team', -1n, 'k'),
      ledger.deposit('team', 5 as never, 'k'),
      ledger.deposit('team', 1n, 'k'.repeat(257)),
      ledger.reserve('team', 1n, { key: 'k', expiresMs: 0 }),
      ledger.reserve('team', 1n, { key: 'k', expires: 1 } as never),
    ]) {
      expect(await failure(bad)).toMatchObject({ code: 'INVALID_OPTION' });
    }
    await ledger.deposit('team', 2n ** 63n - 1n, 'all');
    expect(await failure(ledger.deposit('team', 1n, 'more'))).toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(() => createLedger({ reservationMs: -1 })).toThrow(/reservationMs/);
  });
});

describe('a ledger in a strong variable', () => {
  it('is one for all who use it: together they spend no more than there is', async () => {
    await using node = await alone();
    const open = (): Ledger =>
      createLedger({ variable: node.variables.strong('ledger', { initial: emptyLedger }) });
    const [one, two] = [open(), open()];
    await one.deposit('team', 100n, 'first');
    const claims = Array.from({ length: 15 }, (_, index) =>
      (index % 2 === 0 ? one : two).reserve('team', 10n, { key: `k${index}` }).then(
        () => 'held',
        (error: unknown) => String(Object(error).code),
      ),
    );
    const ended = await Promise.all(claims);
    expect(ended.filter((each) => each === 'held')).toHaveLength(10);
    expect(ended.filter((each) => each === 'OVER_BUDGET')).toHaveLength(5);
    expect(await two.balance('team')).toMatchObject({ reserved: 100n, available: 0n });
  });
});

// ── laws ─────────────────────────────────────────────────────────────────────

type Step = (books: LedgerState) => unknown;

const key = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const account = fc.constantFrom('x', 'y');
const amount = fc.bigInt({ min: 0n, max: 40n });
const at = fc.integer({ min: 0, max: 100 });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ key, account, amount }).map(
    (each): Step =>
      (books) =>
        books.deposit(each),
  ),
  fc.record({ key, account, amount, expiresAt: at }).map(
    (each): Step =>
      (books) =>
        books.reserve(each),
  ),
  fc.tuple(key, amount).map(
    ([name, most]): Step =>
      (books) =>
        books.raise(name, most),
  ),
  fc.tuple(key, amount).map(
    ([name, actual]): Step =>
      (books) =>
        books.settle(name, actual),
  ),
  key.map(
    (name): Step =>
      (books) =>
        books.release(name),
  ),
  at.map(
    (now): Step =>
      (books) =>
        books.expire(now),
  ),
);

/** Takes a step, or leaves it where it is refused. */
function attempt(books: LedgerState, action: Step): boolean {
  try {
    action(books);
    return true;
  } catch {
    return false;
  }
}

function check(books: LedgerState): void {
  for (const id of books.accounts()) {
    const { deposited, reserved, spent, available } = books.balance(id);
    const own = books.reservations().filter((each) => each.account === id);
    const held = own.filter(({ status }) => status === 'held');
    expect(deposited).toBe(available + reserved + spent);
    expect(available >= 0n && reserved >= 0n && spent >= 0n).toBe(true);
    expect(reserved).toBe(held.reduce((sum, each) => sum + each.amount, 0n));
    expect(spent).toBe(own.reduce((sum, each) => sum + each.spent, 0n));
    expect(own.every((each) => each.spent <= each.amount)).toBe(true);
    const deposits = books.deposits().filter((each) => each.account === id);
    expect(deposited).toBe(deposits.reduce((sum, each) => sum + each.amount, 0n));
  }
}

describe('the books of a ledger, whatever is done', () => {
  it('add up to the last unit; what is refused changes nothing, what is repeated neither', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const books = new LedgerState(1_000);
        for (const each of steps) {
          const before = writeBooks(books);
          const isTaken = attempt(books, each);
          const after = writeBooks(books);
          expect(isTaken ? before : after).toEqual(before);
          expect(!isTaken || attempt(books, each)).toBe(true);
          expect(writeBooks(books)).toEqual(after);
          check(books);
        }
      }),
      { numRuns: 200 },
    );
  });

  it('are the same after they were written and opened', () => {
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(step, { maxLength: 10 }),
        (one, two) => {
          const books = new LedgerState(1_000);
          for (const each of one) attempt(books, each);
          const again = openBooks(writeBooks(books), 1_000);
          for (const each of two) expect(attempt(again, each)).toBe(attempt(books, each));
          expect(writeBooks(again)).toEqual(writeBooks(books));
        },
      ),
      { numRuns: 200 },
    );
  });
});
