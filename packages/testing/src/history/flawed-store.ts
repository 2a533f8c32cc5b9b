import { FoundationError, type Random } from '@foundation/core';
import type { Versioned } from '@foundation/core/internal';

import type { KeyValues } from './store-history.ts';

/** What can be wrong with a store; each is a mistake that real ones have made. */
export const storeFlaws = [
  /** A read is answered by a replica that is some writes behind. */
  'reads what is old',
  /** Another writer gets in between the check and the set. */
  'checks and sets apart',
  'acknowledges and forgets',
  /** A key that was deleted begins with version 1 again. */
  'counts from one again',
  'deletes whatever is there',
  /** A read takes the version of one write and the value of another. */
  'mixes values',
  'creates over what lives',
  /** A write whose acknowledgement got lost is sent again. */
  'writes twice',
] as const;

export type StoreFlaw = (typeof storeFlaws)[number];

interface FlawedStoreOptions {
  readonly random: Random;
  readonly flaw?: StoreFlaw;
  /** At one of so many moments an operation fails, before or after it took effect. @defaultValue never */
  readonly failsEach?: number;
}

/**
 * A store in memory that answers when chance will have it, and may have one thing wrong with it: to see whether
 * a check would find that.
 */
export class FlawedStore implements KeyValues {
  readonly #random: Random;
  readonly #flaw: StoreFlaw | undefined;
  readonly #failsEach: number;
  readonly #entries = new Map<string, readonly Versioned[]>();
  #floor = 0;

  constructor({ random, flaw, failsEach = Infinity }: FlawedStoreOptions) {
    this.#random = random;
    this.#flaw = flaw;
    this.#failsEach = failsEach;
  }

  async get(key: string): Promise<Versioned | undefined> {
    await this.#pause();
    const lives = this.#entries.get(key) ?? [];
    const behind = this.#has('reads what is old') ? lives.at(-1 - this.#random.int(4)) : undefined;
    const found = behind ?? lives.at(-1);
    const value = this.#has('mixes values') ? lives.at(-2)?.value : undefined;
    await this.#pause();
    return found && { version: found.version, value: value ?? found.value };
  }

  async compareAndSet(
    key: string,
    version: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    await this.#pause();
    const next = await this.#set(key, version, value);
    this.#mayFail();
    await this.#pause();
    return next;
  }

  async #set(key: string, version: number, value: Uint8Array): Promise<number | undefined> {
    const isBlind = version === 0 && this.#has('creates over what lives');
    if (this.#at(key) !== version && !isBlind) return undefined;
    if (this.#has('checks and sets apart'))
      for (let turn = 0; turn < 8; turn++) await this.#pause();
    const next = (version === 0 ? this.#first(key) : version) + 1;
    if (this.#has('acknowledges and forgets')) return next;
    this.#put(key, { version: next, value });
    if (this.#has('writes twice')) {
      void this.#pause().then(() => this.#put(key, { version: this.#at(key) + 1, value }));
    }
    return next;
  }

  async delete(key: string, version: number): Promise<boolean> {
    await this.#pause();
    const at = this.#at(key);
    const isBlind = at > 0 && version > 0 && this.#has('deletes whatever is there');
    if ((at !== version || version === 0) && !isBlind) return false;
    this.#floor = Math.max(this.#floor, at);
    this.#entries.delete(key);
    this.#mayFail();
    await this.#pause();
    return true;
  }

  #at(key: string): number {
    return this.#entries.get(key)?.at(-1)?.version ?? 0;
  }

  #first(key: string): number {
    return this.#flaw === 'counts from one again' ? 0 : Math.max(this.#floor, this.#at(key));
  }

  #put(key: string, entry: Versioned): void {
    this.#entries.set(key, [...(this.#entries.get(key) ?? []), entry]);
  }

  /** Mistakes are made now and then. */
  #has(flaw: StoreFlaw): boolean {
    return this.#flaw === flaw && this.#random.int(5) === 0;
  }

  async #pause(): Promise<void> {
    for (let turns = this.#random.int(4); turns > 0; turns--) await Promise.resolve();
    this.#mayFail();
  }

  #mayFail(): void {
    if (this.#failsEach !== Infinity && this.#random.int(this.#failsEach) === 0) throw lost();
  }
}

function lost(): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', 'the answer is lost');
}
