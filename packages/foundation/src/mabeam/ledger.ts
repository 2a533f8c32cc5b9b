import { systemClock, type Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import type { StrongVariable } from '../values/strong-variable.ts';
import { amountMax, isAmount, type Amount } from './amount.ts';
import { emptyLedger, openBooks, writeBooks, type LedgerSnapshot } from './ledger-snapshot.ts';
import type { Balance, LedgerState, Reservation } from './ledger-state.ts';

/** How long something is set aside. */
export interface ReserveOptions {
  /** Names it, so that a repeat does not set aside twice. Unique in the ledger, at most 256 characters. */
  readonly key: string;
  /** Milliseconds until it is released by itself. @defaultValue `reservationMs` of the ledger */
  readonly expiresMs?: number;
}

/** Accounts from which nothing is spent that was not set aside before. */
export interface Ledger {
  /** Adds to an account; the first deposit opens it. @throws FoundationError `KEY_REUSED`, `INVALID_OPTION` */
  deposit(account: string, amount: Amount, key: string): Promise<Balance>;
  /**
   * Sets an amount aside. The same again, under the same key, gives the reservation as it is now.
   *
   * @throws FoundationError `OVER_BUDGET` with what remains, `UNKNOWN_ACCOUNT`, `KEY_REUSED`, `INVALID_OPTION`
   */
  reserve(account: string, amount: Amount, options: ReserveOptions): Promise<Reservation>;
  /** Sets aside at least so much under a key. @throws FoundationError `OVER_BUDGET`, `UNKNOWN_RESERVATION`, `RESERVATION_CLOSED` */
  raise(key: string, amount: Amount): Promise<Reservation>;
  /**
   * Spends what it came to, and frees the rest.
   *
   * @throws FoundationError `OVER_BUDGET` for more than was set aside, `UNKNOWN_RESERVATION`, `RESERVATION_CLOSED`
   */
  settle(key: string, actual: Amount): Promise<Reservation>;
  /** Frees what was set aside. @throws FoundationError `UNKNOWN_RESERVATION`, `RESERVATION_CLOSED` when it was settled */
  release(key: string): Promise<Reservation>;
  /** @throws FoundationError `UNKNOWN_ACCOUNT` */
  balance(account: string): Promise<Balance>;
  /** What was set aside under a key, if that is remembered. */
  reservation(key: string): Promise<Reservation | undefined>;
  /** All that it knows, as plain JSON. */
  snapshot(): Promise<LedgerSnapshot>;
}

/** How a ledger is kept. */
export interface LedgerOptions {
  /**
   * Keeps it in a variable that all nodes agree on, `node.variables.strong('ledger', { initial: emptyLedger })`: several
   * ledgers on that are one. It is written as a whole with each step. @defaultValue in memory
   */
  readonly variable?: StrongVariable<LedgerSnapshot>;
  /** What a ledger in memory begins with. @defaultValue {@link emptyLedger} */
  readonly snapshot?: LedgerSnapshot;
  /** Milliseconds until a reservation is released by itself. @defaultValue 600000 */
  readonly reservationMs?: number;
  /** Deposits, and reservations that are over, of which a repeat is recognised. @defaultValue 10000, in a variable 1000 */
  readonly rememberedMax?: number;
  /** Tells when reservations expire. @defaultValue the system's */
  readonly clock?: Pick<Clock, 'wallNow'>;
}

const known = ['variable', 'snapshot', 'reservationMs', 'rememberedMax', 'clock'];

/** Where the books are. */
interface Desk {
  /** Takes one step, as a whole. */
  step<T>(action: (books: LedgerState) => T): Promise<T>;
  look<T>(action: (books: LedgerState) => T): Promise<T>;
}

/**
 * Makes a ledger.
 *
 * @throws FoundationError `INVALID_OPTION`, or `MALFORMED` for a snapshot that is none or does not add up
 */
export function createLedger(options: LedgerOptions = {}): Ledger {
  refuseUnknown('createLedger', options, known);
  const { variable, snapshot, reservationMs = 600_000, clock = systemClock } = options;
  const { rememberedMax = variable === undefined ? 10_000 : 1_000 } = options;
  checkNumber('createLedger', { reservationMs }, { above: 0 });
  checkNumber('createLedger', { rememberedMax }, { min: 0, integer: true });
  if (variable !== undefined && snapshot !== undefined) {
    throw invalidOption('createLedger', { snapshot }, 'left out: the variable has what there is');
  }
  const desk =
    variable === undefined
      ? deskInMemory(openBooks(snapshot ?? emptyLedger, rememberedMax))
      : deskOn(variable, rememberedMax);
  return new DeskLedger(desk, clock, reservationMs);
}

function deskInMemory(books: LedgerState): Desk {
  // A step throws before anything has changed.
  const run: Desk['step'] = async (action) => action(books);
  return { step: run, look: run };
}

function deskOn(variable: StrongVariable<LedgerSnapshot>, rememberedMax: number): Desk {
  return {
    async step<T>(action: (books: LedgerState) => T): Promise<T> {
      let done: { readonly result: T } | undefined;
      await variable.update((snapshot) => {
        const books = openBooks(snapshot, rememberedMax);
        done = { result: action(books) };
        return writeBooks(books);
      });
      if (done === undefined) throw new FoundationError('INTERNAL', 'a step was not taken');
      return done.result;
    },
    look: async (action) => action(openBooks(await variable.get(), rememberedMax)),
  };
}

class DeskLedger implements Ledger {
  readonly #desk: Desk;
  readonly #clock: Pick<Clock, 'wallNow'>;
  readonly #reservationMs: number;

  constructor(desk: Desk, clock: Pick<Clock, 'wallNow'>, reservationMs: number) {
    this.#desk = desk;
    this.#clock = clock;
    this.#reservationMs = reservationMs;
  }

  async deposit(account: string, amount: Amount, key: string): Promise<Balance> {
    checkNames('ledger.deposit', { account, key });
    checkAmount('ledger.deposit', { amount });
    return this.#step((books) => {
      books.deposit({ key, account, amount });
      return books.balance(account);
    });
  }

  async reserve(account: string, amount: Amount, options: ReserveOptions): Promise<Reservation> {
    refuseUnknown('ledger.reserve', options, ['key', 'expiresMs']);
    const { key, expiresMs = this.#reservationMs } = options;
    checkNames('ledger.reserve', { account, key });
    checkAmount('ledger.reserve', { amount });
    checkNumber('ledger.reserve', { expiresMs }, { above: 0 });
    const expiresAt = this.#clock.wallNow() + expiresMs;
    return this.#step((books) => plain(books.reserve({ key, account, amount, expiresAt })));
  }

  async raise(key: string, amount: Amount): Promise<Reservation> {
    checkAmount('ledger.raise', { amount });
    return this.#step((books) => plain(books.raise(key, amount)));
  }

  async settle(key: string, actual: Amount): Promise<Reservation> {
    checkAmount('ledger.settle', { actual });
    return this.#step((books) => plain(books.settle(key, actual)));
  }

  async release(key: string): Promise<Reservation> {
    return this.#step((books) => plain(books.release(key)));
  }

  async balance(account: string): Promise<Balance> {
    return this.#look((books) => books.balance(account));
  }

  async reservation(key: string): Promise<Reservation | undefined> {
    return this.#look((books) => {
      const found = books.reservation(key);
      return found && plain(found);
    });
  }

  async snapshot(): Promise<LedgerSnapshot> {
    return this.#look((books) => writeBooks(books));
  }

  #step<T>(action: (books: LedgerState) => T): Promise<T> {
    return this.#desk.step((books) => action(this.#upToDate(books)));
  }

  #look<T>(action: (books: LedgerState) => T): Promise<T> {
    return this.#desk.look((books) => action(this.#upToDate(books)));
  }

  #upToDate(books: LedgerState): LedgerState {
    books.expire(this.#clock.wallNow());
    return books;
  }
}

function plain({ key, account, amount, status, spent, expiresAt }: Reservation): Reservation {
  return { key, account, amount, status, spent, expiresAt };
}

function checkNames(who: string, names: Readonly<Record<string, unknown>>): void {
  for (const [option, name] of Object.entries(names)) {
    if (typeof name === 'string' && name !== '' && name.length <= 256) continue;
    throw invalidOption(who, { [option]: name }, 'a text of 1 to 256 characters');
  }
}

function checkAmount(who: string, given: Readonly<Record<string, unknown>>): void {
  if (Object.values(given).every((each) => isAmount(each))) return;
  throw invalidOption(who, given, `a whole amount from 0n to ${amountMax}n`);
}
