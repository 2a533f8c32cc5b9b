import type { Clock, Timer } from '../clock.ts';
import type { Store, Versioned } from '../cluster/store.ts';
import { runForNobody } from '../context/scope.ts';
import { FoundationError, isFoundationError } from '../errors.ts';
import { decodeRecord, encodeRecord } from './lease-record.ts';
import {
  leaseRules,
  newContender,
  type LeaseEnd,
  type LeaseEvent,
  type LeasePlan,
  type LeaseRules,
  type LeaseState,
  type LeaseTerms,
  type Moment,
  type Sighting,
} from './lease-state.ts';
import type { Lease } from './lease.ts';

/** What is needed to ask for a lease, and to keep it. */
export interface ContenderParts {
  /** What users call it. */
  readonly name: string;
  /** Where its record is in the store. */
  readonly key: string;
  readonly holder: string;
  readonly terms: LeaseTerms;
  readonly store: Store;
  readonly clock: Clock;
  /** Asks once, and does not wait until another gives it up. */
  readonly isHasty: boolean;
  /** What was seen of it before. */
  readonly seen: Sighting | undefined;
  /** The store could not be asked: told once for each time that it is away. */
  readonly onProblem: (error: unknown) => void;
  readonly rules?: LeaseRules | undefined;
}

/**
 * One who asks for a lease and then keeps it: asks the store, one thing at a time, and looks at the clock
 * meanwhile, so that its end never waits for the store.
 */
export class Contender implements Lease {
  readonly #parts: ContenderParts;
  readonly #rules: LeaseRules;
  readonly #granted = Promise.withResolvers<boolean>();
  readonly #lost = new AbortController();
  #state: LeaseState;
  #token = 0;
  #timer: Timer | undefined;
  #watch: Promise<Disposable> | undefined;
  #isAsking = false;
  /** Whether something has changed while the store was asked. */
  #isPoked = false;
  #isTroubled = false;
  #left: PromiseWithResolvers<void> | undefined;

  constructor(parts: ContenderParts) {
    this.#parts = parts;
    this.#rules = parts.rules ?? leaseRules;
    this.#state = newContender(parts.seen);
    // Nobody may wait for it any more when it fails.
    this.#granted.promise.catch(() => {});
  }

  /**
   * Begins to ask. Resolves when it is held; with false when it is another's and is not to be waited for,
   * or when it was given up.
   */
  begin(): Promise<boolean> {
    runForNobody(() => this.#on({ kind: 'looked' }));
    return this.#granted.promise;
  }

  /** Stops asking, for a reason that whoever waits is told. */
  giveUp(error: unknown): void {
    this.#granted.reject(error);
    void this.release();
  }

  get name(): string {
    return this.#parts.name;
  }

  get ttlMs(): number {
    return this.#parts.terms.ttlMs;
  }

  get token(): number {
    return this.#token;
  }

  /** Looked up anew each time: a program that has stood still is told so before any timer comes round. */
  get isHeld(): boolean {
    const isHeld = this.remainingMs > 0;
    if (!isHeld && this.#state.phase === 'held') this.#on({ kind: 'looked' });
    return isHeld;
  }

  get remainingMs(): number {
    return this.#rules.remainingMs(this.#state, this.#now(), this.#parts.terms);
  }

  get signal(): AbortSignal {
    return this.#lost.signal;
  }

  /** What one who does not have it has seen of it last. */
  get seen(): Sighting | undefined {
    return this.#state.phase === 'contending' ? this.#state.seen : undefined;
  }

  release(): Promise<void> {
    if (this.#left === undefined) {
      this.#left = Promise.withResolvers();
      this.#on({ kind: 'released' });
    }
    return this.#left.promise;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }

  // ── what happens ───────────────────────────────────────────────────────────

  #on(event: LeaseEvent): void {
    const { phase } = this.#state;
    this.#state = this.#rules.next(this.#state, event, {
      at: this.#now(),
      terms: this.#parts.terms,
    });
    if (this.#state.phase !== phase) this.#enter(this.#state);
    const plan = this.#rules.plan(this.#state, this.#now(), this.#parts.terms);
    this.#lookIn(plan.lookInMs);
    if (this.#isAsking) return;
    if (plan.ask === undefined) this.#rest();
    else void this.#ask(plan);
  }

  #enter(state: LeaseState): void {
    if (state.phase === 'held') {
      this.#token = state.token;
      this.#unwatch();
      this.#granted.resolve(true);
    }
    if (state.phase === 'over') {
      this.#unwatch();
      this.#granted.resolve(false);
      this.#lost.abort(lost(this.name, state.end));
    }
  }

  /** Nothing is to be asked of the store now. */
  #rest(): void {
    const state = this.#state;
    if (state.phase === 'over') this.#left?.resolve();
    // With an answer that is to be acted upon, and nothing to do: it is another's.
    if (state.phase !== 'contending' || !state.isFresh) return;
    if (this.#parts.isHasty) this.#granted.resolve(false);
    else if (this.#watch === undefined) this.#beginWatch();
  }

  #lookIn(delayMs: number): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (delayMs === Infinity) return;
    const kind = this.#state.phase === 'contending' ? 'foreground' : 'background';
    const look = (): void => this.#on({ kind: 'looked' });
    this.#timer = this.#parts.clock.after(delayMs, look, kind);
  }

  #now(): Moment {
    const { clock } = this.#parts;
    return { monotonicMs: clock.now(), wallMs: clock.wallNow() };
  }

  // ── the store ──────────────────────────────────────────────────────────────

  async #ask(plan: LeasePlan): Promise<void> {
    this.#isAsking = true;
    let event: LeaseEvent;
    try {
      event = await this.#inTime(this.#answer(plan));
      this.#isTroubled = false;
    } catch (error) {
      event = { kind: 'failed' };
      this.#onFailure(plan, error);
    }
    this.#isAsking = false;
    this.#on(event);
    if (this.#isPoked) this.#poke();
  }

  /** One answer that does not come must not cost the whole time: what became of it is found out by reading. */
  async #inTime<T>(answer: Promise<T>): Promise<T> {
    const { clock, terms } = this.#parts;
    const { promise: limit, reject } = Promise.withResolvers<never>();
    const limitMs = terms.ttlMs / 4;
    const timer = clock.after(limitMs, () => reject(noAnswer(limitMs)), 'background');
    return Promise.race([answer, limit]).finally(() => timer.cancel());
  }

  async #answer({ ask, version }: LeasePlan): Promise<LeaseEvent> {
    const { store, key, holder, terms } = this.#parts;
    if (ask === 'write') {
      const sentAt = this.#now();
      const record = encodeRecord({ holder, nonce: terms.nonce, ttlMs: terms.ttlMs });
      const written = await store.compareAndSet(key, version, record);
      return written === undefined
        ? { kind: 'refused' }
        : { kind: 'written', version: written, sentAt };
    }
    if (ask === 'remove')
      return { kind: (await store.delete(key, version)) ? 'removed' : 'refused' };
    return this.#found(await store.get(key));
  }

  #found(found: Versioned | undefined): LeaseEvent {
    if (found === undefined) return { kind: 'found', version: 0, record: undefined };
    const record = decodeRecord(this.#parts.key, found.value);
    return { kind: 'found', version: found.version, record };
  }

  /** Whoever waits is told at once of what does not pass by itself; a holder only loses it by its clock. */
  #onFailure({ ask }: LeasePlan, error: unknown): void {
    if (!this.#isTroubled) this.#parts.onProblem(error);
    this.#isTroubled = true;
    if (this.#state.phase !== 'contending') return;
    const mayPass = isFoundationError(error) && error.retryable;
    if (mayPass && !(this.#parts.isHasty && ask === 'read')) return;
    this.giveUp(error);
  }

  #beginWatch(): void {
    // Whatever is told, it is known by then that somebody watches.
    const watch = Promise.resolve().then(() => this.#watched());
    this.#watch = watch;
    watch.catch(() => {
      // The next look tries again.
      if (this.#watch === watch) this.#watch = undefined;
    });
  }

  /** Tells what is written, and when it is given up. It does not replace the clock: it may come late, or not at all. */
  async #watched(): Promise<Disposable> {
    const { store, key } = this.#parts;
    let isTold = false;
    const watch = await store.watch(key, {
      onChange: (changed, found) => {
        if (changed !== key) return;
        isTold = true;
        this.#onChange(found);
      },
      onError: () => {},
    });
    // It may have been given up before.
    if (!isTold) this.#poke();
    return watch;
  }

  #onChange(found: Versioned | undefined): void {
    if (this.#state.phase !== 'contending') return;
    // An answer that is on its way may be older than this.
    if (this.#isAsking) return this.#poke();
    let event: LeaseEvent;
    try {
      event = this.#found(found);
    } catch {
      return this.#poke(); // the read that follows says what is wrong
    }
    return this.#on(event);
  }

  #unwatch(): void {
    this.#watch?.then(
      (watch) => watch[Symbol.dispose](),
      () => {},
    );
    this.#watch = undefined;
  }

  #poke(): void {
    this.#isPoked = this.#isAsking;
    if (!this.#isAsking) this.#on({ kind: 'poked' });
  }
}

function noAnswer(limitMs: number): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', `the store did not answer within ${limitMs} ms`);
}

const whys: Readonly<Record<LeaseEnd, string>> = {
  expired: 'was not renewed in time',
  taken: 'is held by another',
  stalled: 'was not looked after for too long: the program or its machine stood still',
  released: 'was released',
};

function lost(name: string, why: LeaseEnd): FoundationError {
  return new FoundationError('LEASE_LOST', `the lease "${name}" ${whys[why]}`, {
    hint: 'Stop what needed it. Acquire it again to go on; its token will be a higher one.',
    details: { name, why },
  });
}
