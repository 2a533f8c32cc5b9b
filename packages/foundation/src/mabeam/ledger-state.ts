import { type Amount, amountMax } from './amount.ts';
import {
  beyondReservation,
  closed,
  keyReused,
  overBudget,
  tooMuch,
  unknownAccount,
  unknownReservation,
} from './ledger-errors.ts';

/** What an account has. `deposited` is `available`, `reserved` and `spent` together, always and exactly. */
export interface Balance {
  readonly deposited: Amount;
  /** Set aside by reservations that are held. */
  readonly reserved: Amount;
  readonly spent: Amount;
  /** What can still be reserved. */
  readonly available: Amount;
}

/** What was set aside under a key. */
export interface Reservation {
  readonly key: string;
  readonly account: string;
  /** What is, or was, set aside. */
  readonly amount: Amount;
  readonly status: 'held' | 'settled' | 'released' | 'expired';
  /** What it came to; 0 unless it is settled. */
  readonly spent: Amount;
  /** When it is released by itself, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** A reservation with what was asked for first: a repeat must ask for the same. */
export interface Held extends Reservation {
  readonly asked: Amount;
}

/** Money that came in, under a key. */
export interface Deposit {
  readonly key: string;
  readonly account: string;
  readonly amount: Amount;
}

interface Account {
  readonly deposited: Amount;
  readonly reserved: Amount;
  readonly spent: Amount;
}

/** What to set aside, and until when. */
export interface Claim {
  readonly key: string;
  readonly account: string;
  readonly amount: Amount;
  readonly expiresAt: number;
}

/**
 * The books of a ledger: who has what, and what is set aside. No clock and no store: time comes in. Each step happens as a
 * whole or throws and changes nothing; the same step under the same key happens once.
 */
export class LedgerState {
  readonly #accounts = new Map<string, Account>();
  readonly #deposits = new Map<string, Deposit>();
  readonly #reservations = new Map<string, Held>();
  /** Those that are over, the oldest first. */
  readonly #closed = new Set<string>();
  readonly #rememberedMax: number;
  /** Before this none expires. */
  #nextExpiry = Infinity;

  constructor(rememberedMax: number) {
    this.#rememberedMax = rememberedMax;
  }

  // ── reads ──────────────────────────────────────────────────────────────────

  accounts(): readonly string[] {
    return [...this.#accounts.keys()];
  }

  deposits(): readonly Deposit[] {
    return [...this.#deposits.values()];
  }

  reservations(): readonly Held[] {
    return [...this.#reservations.values()];
  }

  /** @throws FoundationError `UNKNOWN_ACCOUNT` */
  balance(account: string): Balance {
    const { deposited, reserved, spent } = this.#account(account);
    return { deposited, reserved, spent, available: deposited - reserved - spent };
  }

  reservation(key: string): Held | undefined {
    return this.#reservations.get(key);
  }

  // ── steps ──────────────────────────────────────────────────────────────────

  /** @throws FoundationError `KEY_REUSED`, `INVALID_OPTION` for more than an amount can hold */
  deposit({ key, account, amount }: Deposit): void {
    const known = this.#deposits.get(key);
    if (known !== undefined) {
      if (known.account === account && known.amount === amount) return;
      throw keyReused(key, `${known.amount} for "${known.account}"`);
    }
    const before = this.#accounts.get(account) ?? { deposited: 0n, reserved: 0n, spent: 0n };
    if (before.deposited + amount > amountMax) throw tooMuch(account);
    this.#accounts.set(account, { ...before, deposited: before.deposited + amount });
    this.#deposits.set(key, { key, account, amount });
    forgetOldest(this.#deposits, this.#rememberedMax);
  }

  /** @throws FoundationError `OVER_BUDGET`, `UNKNOWN_ACCOUNT`, `KEY_REUSED` */
  reserve({ key, account, amount, expiresAt }: Claim): Held {
    const known = this.#reservations.get(key);
    if (known !== undefined) {
      if (known.account === account && known.asked === amount) return known;
      throw keyReused(key, `${known.asked} of "${known.account}"`);
    }
    this.#take(account, amount);
    const held: Held = {
      key,
      account,
      asked: amount,
      amount,
      status: 'held',
      spent: 0n,
      expiresAt,
    };
    this.#reservations.set(key, held);
    this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
    return held;
  }

  /**
   * Sets aside at least so much.
   *
   * @throws FoundationError `OVER_BUDGET`, `UNKNOWN_RESERVATION`, `RESERVATION_CLOSED`
   */
  raise(key: string, amount: Amount): Held {
    const held = this.#held(key, 'raised');
    if (amount <= held.amount) return held;
    this.#take(held.account, amount - held.amount);
    return this.#put({ ...held, amount });
  }

  /**
   * Spends what it came to and frees the rest.
   *
   * @throws FoundationError `OVER_BUDGET` for more than was set aside, `UNKNOWN_RESERVATION`, `RESERVATION_CLOSED`
   */
  settle(key: string, actual: Amount): Held {
    const known = this.#known(key);
    if (known.status === 'settled' && known.spent === actual) return known;
    const held = this.#held(key, `settled at ${actual}`);
    if (actual > held.amount) throw beyondReservation(held, actual, this.balance(held.account));
    this.#give(held, actual);
    return this.#close({ ...held, status: 'settled', spent: actual });
  }

  /** Frees what is set aside. @throws FoundationError `UNKNOWN_RESERVATION`, `RESERVATION_CLOSED` when it was settled */
  release(key: string): Held {
    const known = this.#known(key);
    if (known.status === 'released' || known.status === 'expired') return known;
    const held = this.#held(key, 'released');
    this.#give(held, 0n);
    return this.#close({ ...held, status: 'released' });
  }

  /** Frees what was set aside until now. */
  expire(now: number): void {
    if (now < this.#nextExpiry) return;
    this.#nextExpiry = Infinity;
    for (const each of this.reservations()) {
      if (each.status !== 'held') continue;
      if (each.expiresAt > now) {
        this.#nextExpiry = Math.min(this.#nextExpiry, each.expiresAt);
        continue;
      }
      this.#give(each, 0n);
      this.#close({ ...each, status: 'expired' });
    }
  }

  /** Enters what was written down before; what an account has must cover what it has set aside. */
  enter(account: string, deposited: Amount, spent: Amount): void {
    this.#accounts.set(account, { deposited, reserved: 0n, spent });
  }

  /** The same for a reservation and a deposit. @throws what {@link reserve} throws */
  enterReservation(reservation: Held): void {
    const { key, account, amount, status, expiresAt } = reservation;
    if (this.#reservations.has(key)) throw keyReused(key, 'twice');
    if (status === 'held') {
      this.#take(account, amount);
      this.#nextExpiry = Math.min(this.#nextExpiry, expiresAt);
      this.#put(reservation);
    } else {
      this.#account(account);
      this.#close(reservation);
    }
  }

  enterDeposit(deposit: Deposit): void {
    this.#deposits.set(deposit.key, deposit);
  }

  // ── parts ──────────────────────────────────────────────────────────────────

  #account(account: string): Account {
    const known = this.#accounts.get(account);
    if (known === undefined) throw unknownAccount(account);
    return known;
  }

  #known(key: string): Held {
    const known = this.#reservations.get(key);
    if (known === undefined) throw unknownReservation(key);
    return known;
  }

  #held(key: string, wanted: string): Held {
    const known = this.#known(key);
    if (known.status !== 'held') throw closed(known, wanted);
    return known;
  }

  #take(id: string, amount: Amount): void {
    const account = this.#account(id);
    const { available } = this.balance(id);
    if (amount > available) throw overBudget(id, amount, available);
    this.#accounts.set(id, { ...account, reserved: account.reserved + amount });
  }

  #give({ account: id, amount }: Held, spent: Amount): void {
    const account = this.#account(id);
    const { reserved } = account;
    const after = { reserved: reserved - amount, spent: account.spent + spent };
    this.#accounts.set(id, { ...account, ...after });
  }

  #put(held: Held): Held {
    this.#reservations.set(held.key, held);
    return held;
  }

  #close(over: Held): Held {
    this.#closed.add(over.key);
    const [oldest] = this.#closed;
    if (this.#closed.size > this.#rememberedMax && oldest !== undefined) {
      this.#closed.delete(oldest);
      this.#reservations.delete(oldest);
      if (oldest === over.key) return over;
    }
    return this.#put(over);
  }
}

function forgetOldest(entries: Map<string, unknown>, max: number): void {
  const [oldest] = entries.keys();
  if (entries.size > max && oldest !== undefined) entries.delete(oldest);
}
