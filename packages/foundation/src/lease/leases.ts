import type { Clock } from '../clock.ts';
import type { Store } from '../cluster/store.ts';
import { FoundationError } from '../errors.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import { isName, nameRule } from '../process/definition-check.ts';
import { nodeStopped } from '../process/process-errors.ts';
import type { Random } from '../random.ts';
import { Contender } from './contender.ts';
import { marginShare, type LeaseRules, type Sighting } from './lease-state.ts';
import type { Lease } from './lease.ts';

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
  /** What was seen of leases that were not waited for, so that the next who asks need not wait from the beginning. */
  readonly #seen = new Map<string, Sighting>();
  /** Times that were too short for the store. */
  readonly #told = new Set<number>();
  #serial = 0;
  #isStopped = false;

  constructor(parts: LeasesParts) {
    this.#parts = parts;
  }

  /**
   * Waits until the lease is free, and holds it. While the store cannot be reached it waits as well. Nobody is
   * promised a turn: whoever comes first has it.
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
    const contender = this.#contender(name, options, false);
    const giveUp = (): void => contender.giveUp(aborted(name, signal?.reason));
    if (signal?.aborted === true) contender.giveUp(neverAsked(name, signal.reason));
    signal?.addEventListener('abort', giveUp, { once: true });
    try {
      await contender.begin();
      // In the moment at which it was granted.
      if (signal?.aborted === true) throw aborted(name, signal.reason);
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
    const contender = this.#contender(name, options, true);
    if (await contender.begin()) return contender;
    this.#remember(name, contender.seen);
    void contender.release();
    return undefined;
  }

  /** Releases all leases, and ends all waiting for them. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    const stopped = nodeStopped(
      this.#parts.node,
      'You do not hold it. Acquire it on another node.',
    );
    const contenders = [...this.#contenders];
    for (const each of contenders) each.giveUp(stopped);
    await Promise.all(contenders.map((each) => each.release()));
  }

  #contender(name: string, { ttlMs }: LeaseOptions, isHasty: boolean): Contender {
    const { prefix, node, store, clock, onProblem, rules } = this.#parts;
    if (!isName(name)) throw invalidOption('leases', { name }, nameRule);
    const leaseMs = ttlMs ?? store.promises.leaseMs;
    checkNumber('leases', { ttlMs: leaseMs }, { min: ttlMsMin });
    if (this.#isStopped) throw nodeStopped(node, 'It holds no leases any more.');
    this.#checkTtl(leaseMs);
    const what = `the lease "${name}"`;
    const contender = new Contender({
      name,
      key: `${prefix}/${name}`,
      holder: node,
      terms: { nonce: this.#nonce(), ttlMs: leaseMs, marginMs: leaseMs * marginShare },
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
    const [oldest = ''] = this.#seen.keys();
    if (this.#seen.size > seenMax) this.#seen.delete(oldest);
  }

  #checkTtl(ttlMs: number): void {
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
