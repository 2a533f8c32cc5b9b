import { FoundationError, messageOf } from '../errors.ts';
import { type Amount, parseAmount } from './amount.ts';
import { LedgerState, type Held } from './ledger-state.ts';
import { isOneOf, isRecord, shown } from './parse.ts';

/** All that a ledger knows, as plain JSON: amounts are decimal strings. */
export interface LedgerSnapshot {
  readonly version: 1;
  readonly accounts: readonly {
    readonly id: string;
    readonly deposited: string;
    readonly spent: string;
  }[];
  /** Those that are remembered. */
  readonly deposits: readonly {
    readonly key: string;
    readonly account: string;
    readonly amount: string;
  }[];
  readonly reservations: readonly {
    readonly key: string;
    readonly account: string;
    readonly asked: string;
    readonly amount: string;
    readonly status: 'held' | 'settled' | 'released' | 'expired';
    readonly spent: string;
    readonly expiresAt: number;
  }[];
}

/** A ledger without accounts. */
export const emptyLedger: LedgerSnapshot = {
  version: 1,
  accounts: [],
  deposits: [],
  reservations: [],
};

export function writeBooks(books: LedgerState): LedgerSnapshot {
  return {
    version: 1,
    accounts: books.accounts().map((id) => {
      const { deposited, spent } = books.balance(id);
      return { id, deposited: String(deposited), spent: String(spent) };
    }),
    deposits: books.deposits().map((each) => ({ ...each, amount: String(each.amount) })),
    reservations: books.reservations().map((each) => ({
      ...each,
      asked: String(each.asked),
      amount: String(each.amount),
      spent: String(each.spent),
    })),
  };
}

/** @throws FoundationError `MALFORMED` for what is no snapshot, or does not add up */
export function openBooks(snapshot: unknown, rememberedMax: number): LedgerState {
  const books = new LedgerState(rememberedMax);
  try {
    const { version, accounts, deposits, reservations } = recordOf(snapshot, 'a snapshot');
    if (version !== 1) throw unfit('version 1', version);
    for (const each of listOf(accounts)) {
      const { id, deposited, spent } = recordOf(each, 'an account');
      books.enter(textOf(id), amountOf(deposited), amountOf(spent));
    }
    for (const each of listOf(deposits)) {
      const { key, account, amount } = recordOf(each, 'a deposit');
      const deposit = { key: textOf(key), account: textOf(account), amount: amountOf(amount) };
      books.enterDeposit(deposit);
    }
    for (const each of listOf(reservations)) books.enterReservation(reservationOf(each));
    for (const id of books.accounts()) {
      if (books.balance(id).available < 0n) throw unfit('no more spent than deposited', id);
    }
  } catch (error) {
    throw new FoundationError('MALFORMED', `no ledger: ${messageOf(error)}`, {
      hint: 'Give what `ledger.snapshot()` gave. Nothing was opened.',
      cause: error,
    });
  }
  return books;
}

function reservationOf(value: unknown): Held {
  const given = recordOf(value, 'a reservation');
  const { status, expiresAt } = given;
  if (!isOneOf(['held', 'settled', 'released', 'expired'], status)) throw unfit('a status', status);
  if (typeof expiresAt !== 'number') throw unfit('milliseconds', expiresAt);
  const { key, account, asked, amount, spent } = given;
  return {
    key: textOf(key),
    account: textOf(account),
    asked: amountOf(asked),
    amount: amountOf(amount),
    spent: amountOf(spent),
    status,
    expiresAt,
  };
}

function recordOf(value: unknown, expected: string): Readonly<Record<string, unknown>> {
  if (!isRecord(value)) throw unfit(expected, value);
  return value;
}

function listOf(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw unfit('a list', value);
  return value;
}

function textOf(value: unknown): string {
  if (typeof value !== 'string') throw unfit('a text', value);
  return value;
}

function amountOf(value: unknown): Amount {
  const amount = parseAmount('amount', value);
  if (!amount.ok) throw unfit('an amount', value);
  return amount.value;
}

function unfit(expected: string, value: unknown): TypeError {
  return new TypeError(`expected ${expected}, got ${shown(value)}`);
}
