import type { Clock } from '../clock.ts';
import type { Store } from '../cluster/store.ts';
import { FoundationError } from '../errors.ts';
import { keepNewest } from '../keep-newest.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import { isName, nameRule } from '../process/definition-check.ts';
import { nodeStopped } from '../process/process-errors.ts';
import type { Random } from '../random.ts';
import { Contender } from './contender.ts';
import { marginShare, type LeaseRules, type Sighting } from './lease-state.ts';
import type { Lease } from './lease.ts';
import { Lines } from './lines.ts';

/** How a lease is asked for. */
export interface LeaseOptions {
  /**
   * Milliseconds after which others take it over when its holder is gone. Not below what the store takes to fail
   * over, or it is lost each time that happens: then the event `problem` says so.
   * @defaultValue what the store says, 3000 on SQLite
   */
  readonly ttlMs?: number;
}

/** How a lease is waited for. */
export interface AcquireOptions extends LeaseOptions {
  /** Gives up waiting; a lease that is held already stays so. */
  readonly signal?: AbortSignal;
}

export interface LeaseProblem {
  readonly what: string;
  readonly error: unknown;
  /** The name of the lease that the store could not be asked for. */
  readonly lease?: string;
}

export interface LeasesParts {
  /** Where in the store the records are. */
  readonly prefix: string;
  /** Name of the node. */
  readonly node: string;
  readonly store: Store;
  readonly clock: Clock;
  readonly random: Random;
  /** Something is wrong that nobody waits for: with one lease, or with what was asked for. */
  readonly onProblem: (problem: LeaseProblem) => void;
  /** @defaultValue the true ones */
  readonly rules?: LeaseRules;
}

/** The shortest time of a lease, in milliseconds: timers have to come round several times in it. */
const ttlMsMin = 100;
/** Leases of others whose last sighting is remembered. */
const seenMax = 1_000;

/** `node.leases`: rights that one holder in the cluster has at a time. */
export class Leases {
  readonly #parts: LeasesParts;
  readonly #contenders = new Set<Contender>();
  /** Those who wait here: of each lease only the first one asks the store, or each release would wake them all. */
  readonly #lines = new Lines();
  /** What was seen of leases by those who wait no more, so that the next who asks need not wait from the beginning. */
  readonly #seen = new Map<string, Sighting>();
  /** Times that were too short for the store. */
  readonly #told = new Set<number>();
  #serial = 0;
  #isStopped = false;

  constructor(parts: LeasesParts) {
    this.#parts = parts;
  }

  /**
   * Waits until the lease is free, and holds it. While the store cannot be reached it waits as well. Those who
   * wait on one node have their turns in the order in which they came; no node is promised one.
   *
   * @throws FoundationError `INVALID_OPTION`; `ABORTED` when `signal` aborts; `NODE_STOPPED`; or what the store says for
   * good, such as `STORE_UNSUITABLE`. Nothing is held then.
   */
  async acquire(name: string, options: AcquireOptions = {}): Promise<Lease> {
    refuseUnknown('leases.acquire', options, ['ttlMs', 'signal']);
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidOption('leases.acquire', { signal }, 'an AbortSignal');
    }
    const isAborted = (): boolean => signal?.aborted === true;
    const ttlMs = this.#checked(name, options);
    if (isAborted()) throw neverAsked(name, signal?.reason);
    using place = this.#lines.join(name);
    let contender: Contender | undefined;
    const giveUp = (): void => {
      place.giveUp(neverAsked(name, signal?.reason));
      if (contender === undefined) return;
      this.#remember(name, contender.seen);
      contender.giveUp(aborted(name, signal?.reason));
    };
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await place.turn;
      // In the moment at which its turn has come.
      if (isAborted()) throw neverAsked(name, signal?.reason);
      contender = this.#contender(name, ttlMs, false);
      await contender.begin();
      // In the moment at which it was granted.
      if (isAborted()) throw aborted(name, signal?.reason);
      return contender;
    } finally {
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /**
   * Holds the lease if it is free. One whose holder is gone is free when this node has seen it unchanged
   * for its whole time, from one try to another.
   *
   * @returns undefined when another holds it
   * @throws FoundationError `INVALID_OPTION`, `NODE_STOPPED`, or `STORE_UNAVAILABLE` and `NO_QUORUM`
   */
  async tryAcquire(name: string, options: LeaseOptions = {}): Promise<Lease | undefined> {
    refuseUnknown('leases.tryAcquire', options, ['ttlMs']);
    const contender = this.#contender(name, this.#checked(name, options), true);
    if (await contender.begin()) return contender;
    this.#remember(name, contender.seen);
    void contender.release();
    return undefined;
  }

  /** Releases all leases, and ends all waiting for them: each one in a line is told when its turn comes, which is now. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const stopped = this.#stopped();
    const contenders = [...this.#contenders];
    for (const each of contenders) each.giveUp(stopped);
    await Promise.all(contenders.map((each) => each.release()));
  }

  /** Returns how long it is to last, in milliseconds. */
  #checked(name: string, { ttlMs = this.#usualMs }: LeaseOptions): number {
    if (!isName(name)) throw invalidOption('leases', { name }, nameRule);
    checkNumber('leases', { ttlMs }, { min: ttlMsMin });
    if (this.#isStopped) throw this.#stopped();
    this.#tellIfShort(ttlMs);
    return ttlMs;
  }

  /** What cannot hold one says so itself. */
  get #usualMs(): number {
    return Math.max(ttlMsMin, this.#parts.store.promises.leaseMs);
  }

  #stopped(): FoundationError {
    return nodeStopped(this.#parts.node, 'You do not hold it. Acquire it on another node.');
  }

  #contender(name: string, ttlMs: number, isHasty: boolean): Contender {
    if (this.#isStopped) throw this.#stopped();
    const { prefix, node, store, clock, onProblem, rules } = this.#parts;
    const what = `the lease "${name}"`;
    const contender = new Contender({
      name,
      key: `${prefix}/${name}`,
      holder: node,
      terms: { nonce: this.#nonce(), ttlMs, marginMs: ttlMs * marginShare },
      store,
      clock,
      isHasty,
      seen: this.#seen.get(name),
      onProblem: (error) => onProblem({ what, error, lease: name }),
      rules,
    });
    this.#contenders.add(contender);
    const forget = (): void => void this.#contenders.delete(contender);
    contender.signal.addEventListener('abort', forget, { once: true });
    return contender;
  }

  /** Of one who asks once: also when a clock or a seed says the same twice. */
  #nonce(): string {
    const { node, clock, random } = this.#parts;
    const numbers = [clock.wallNow(), ++this.#serial, random.int(2 ** 32), random.int(2 ** 32)];
    return [node, ...numbers.map((each) => Math.floor(each).toString(36))].join('.');
  }

  #remember(name: string, seen: Sighting | undefined): void {
    this.#seen.delete(name);
    if (seen === undefined) return;
    this.#seen.set(name, seen);
    keepNewest(this.#seen, seenMax);
  }

  #tellIfShort(ttlMs: number): void {
    const { store, onProblem } = this.#parts;
    const { leaseMs, scope } = store.promises;
    if (scope === 'process' || ttlMs >= leaseMs || this.#told.has(ttlMs)) return;
    this.#told.add(ttlMs);
    const message = `leases of ${ttlMs} ms are lost whenever the store "${store.name}" fails over`;
    const hint = `Leave \`ttlMs\` out, or give at least ${leaseMs}.`;
    const error = new FoundationError('INVALID_OPTION', message, { hint, details: { ttlMs } });
    onProblem({ what: 'the time of a lease', error });
  }
}

function aborted(name: string, cause: unknown): FoundationError {
  return new FoundationError('ABORTED', `the lease "${name}" is not waited for any more`, {
    hint: 'The signal that was given with it has aborted. You do not hold it; what was being granted is given back.',
    details: { name },
    cause,
  });
}

function neverAsked(name: string, cause: unknown): FoundationError {
  return new FoundationError('ABORTED', `the lease "${name}" was not asked for`, {
    hint: 'The signal that was given with it had aborted before. Nothing has changed.',
    details: { name },
    cause,
    traits: { retryable: false, outcome: 'not-executed' },
  });
}
