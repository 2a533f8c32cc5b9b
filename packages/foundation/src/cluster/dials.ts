import type { Clock } from '../clock.ts';
import { keepNewest } from '../keep-newest.ts';
import type { Hint } from './discovery.ts';

/** Dials at a time. */
const dialsMax = 8;
/** Milliseconds until an address is dialled again where nobody was; twice as many each time, up to a limit. */
const pauseMinMs = 400;
const pauseMaxMs = 4_000;
/** Addresses of which it is remembered that a node was there, and as many where none was. */
const rememberedMax = 1_000;

interface Failures {
  readonly inARow: number;
  readonly nextMs: number;
}

export interface DialsOptions {
  readonly clock: Clock;
  /** Resolves with whether a node is there. Does not reject. */
  dial(hint: Hint): Promise<boolean>;
}

/**
 * Who is to be dialled, and when: a few at a time, so that whoever makes this node believe in others cannot have it
 * flood a network. Whoever was linked before comes first; addresses at which nobody ever was come last, and ever less often.
 */
export class Dials {
  readonly #options: DialsOptions;
  readonly #waiting: Readonly<Record<'known' | 'new' | 'failed', Hint[]>> = {
    known: [],
    new: [],
    failed: [],
  };
  /** Addresses at which a node was; the longest known first. */
  readonly #known = new Set<string>();
  /** Addresses at which none was the last time; the oldest first. */
  readonly #failures = new Map<string, Failures>();
  #running = 0;

  constructor(options: DialsOptions) {
    this.#options = options;
  }

  /** Addresses that are not to be dialled yet: nobody was there the last time, nor ever before. */
  get early(): ReadonlySet<string> {
    const nowMs = this.#options.clock.now();
    const early = [...this.#failures].filter(([, { nextMs }]) => nowMs < nextMs);
    return new Set(early.flatMap(([address]) => (this.#known.has(address) ? [] : [address])));
  }

  add(hint: Hint): void {
    const isKnown = this.#known.has(hint.address);
    const hasFailed = this.#failures.has(hint.address);
    this.#waiting[isKnown ? 'known' : hasFailed ? 'failed' : 'new'].push(hint);
    this.#next();
  }

  /** A node is at an address: when it is gone, it is dialled as often as anybody asks. */
  found(address: string): void {
    this.#failures.delete(address);
    this.#known.delete(address);
    keepNewest(this.#known.add(address), rememberedMax);
  }

  /** Those that wait are not dialled any more. */
  clear(): void {
    for (const hints of Object.values(this.#waiting)) hints.length = 0;
  }

  #next(): void {
    while (this.#running < dialsMax) {
      const { known, new: fresh, failed } = this.#waiting;
      const hint = (known.length > 0 ? known : fresh.length > 0 ? fresh : failed).shift();
      if (hint === undefined) return;
      void this.#run(hint);
    }
  }

  async #run(hint: Hint): Promise<void> {
    this.#running++;
    const isThere = await this.#options.dial(hint);
    if (isThere) this.found(hint.address);
    else this.#failed(hint.address);
    this.#running--;
    this.#next();
  }

  #failed(address: string): void {
    const inARow = (this.#failures.get(address)?.inARow ?? 0) + 1;
    this.#failures.delete(address);
    const pauseMs = Math.min(pauseMinMs * 2 ** (inARow - 1), pauseMaxMs);
    this.#failures.set(address, { inARow, nextMs: this.#options.clock.now() + pauseMs });
    keepNewest(this.#failures, rememberedMax);
  }
}
