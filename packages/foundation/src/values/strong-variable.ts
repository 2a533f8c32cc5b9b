import { sleep, type Clock } from '../clock.ts';
import type { Store, Versioned } from '../cluster/store.ts';
import { FoundationError, isFoundationError } from '../errors.ts';
import { fencedOff } from '../lease/fence.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import { backoffMs, type Backoff } from '../process/restart-state.ts';
import type { Random } from '../random.ts';
import type { Codec } from '../wire/codec.ts';
import { Newest } from './newest.ts';
import type { VariableForm } from './variable-form.ts';
import { decodeVariable, encodeVariable, type VariableRecord } from './variable-record.ts';

/** A value as it was at a moment, and the version that names it: 0 before the first one was written. */
export interface Reading<Value> {
  readonly value: Value;
  readonly version: number;
}

/** How a variable is watched. */
export interface VariableWatchOptions {
  /** Ends the watching. */
  readonly signal?: AbortSignal;
}

/**
 * A value that all nodes agree on: each operation happens at one moment between its call and its reply. Made by
 * `node.variables.strong`.
 *
 * An operation ends in one of three ways: it was done; an error with `outcome: 'not-executed'`, then nothing has
 * happened and nothing will; an error with `outcome: 'unknown'`, such as `STORE_UNAVAILABLE`: it may have happened, or
 * happen a little later. Nothing is ever answered with an old value.
 *
 * @remarks `Given` is what a schema takes, `Value` what it makes of that.
 */
export interface StrongVariable<Value, Given = Value> {
  readonly name: string;
  get(): Promise<Value>;
  /** The value with its version, for `compareAndSet`. */
  read(): Promise<Reading<Value>>;
  /** Writes whatever was there before. @returns the new version */
  set(value: Given): Promise<number>;
  /**
   * Writes if the value is still that of `version`.
   *
   * @returns the new version, or undefined when it is not: then nothing was written
   */
  compareAndSet(version: number, value: Given): Promise<number | undefined>;
  /**
   * Writes what `change` makes of the value. When another writes in between, `change` is run again with the new value,
   * so it must do nothing else.
   *
   * @throws FoundationError `STORE_CONFLICT` when others were faster until `timeoutMs`
   */
  update(change: (value: Value) => Given | Promise<Given>): Promise<Reading<Value>>;
  /**
   * The value of now, then each newer one; when several follow fast only the newest. Never goes back, and goes on
   * after an outage.
   */
  watch(options?: VariableWatchOptions): AsyncIterable<Reading<Value>>;
  /**
   * The same variable for the holder of a lease. Once this has resolved, whoever has an earlier token, or none, gets
   * `FENCED` for each write, and no write of theirs gets in that is still on its way.
   *
   * @throws FoundationError `FENCED` when a later holder has been there
   */
  fencedBy(token: number): Promise<StrongVariable<Value, Given>>;
}

export interface VariableParts {
  readonly name: string;
  readonly key: string;
  readonly form: VariableForm;
  readonly timeoutMs: number;
  readonly store: Store;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
  /** 0: that of nobody. */
  readonly token: number;
  /** @throws FoundationError `NODE_STOPPED` */
  readonly checkRunning: () => void;
  /** Aborts when the node stops. */
  readonly stopped: AbortSignal;
}

/** What is known of the record that is to be replaced. */
type Seen = Pick<VariableRecord, 'token' | 'schemaVersion'> & { readonly version: number };

/** Waits between two tries, in milliseconds. */
const backoff: Backoff = { minMs: 1, maxMs: 200, factor: 2, jitter: 1 };

/** A variable in the store of the cluster. What its values are is known by its form, so here they are unknown. */
export class StoreVariable implements StrongVariable<unknown> {
  readonly #parts: VariableParts;
  /** What was seen last: mostly it is still so. */
  #seen: Seen | undefined;
  /** Resolves when the last one here that tries to write has come to its end. */
  #line: Promise<void> | undefined;

  constructor(parts: VariableParts) {
    this.#parts = parts;
  }

  get name(): string {
    return this.#parts.name;
  }

  async get(): Promise<unknown> {
    return (await this.read()).value;
  }

  async read(): Promise<Reading<unknown>> {
    const { version, record } = await this.#load();
    return { version, value: await this.#parts.form.valueOf(record) };
  }

  async set(value: unknown): Promise<number> {
    await this.#parts.form.parse(value);
    return this.#untilWritten(async () => {
      const seen = this.#seen ?? (await this.#load()).seen;
      return this.#write(seen, { value });
    });
  }

  async compareAndSet(version: number, value: unknown): Promise<number | undefined> {
    checkNumber('compareAndSet', { version }, { min: 0, integer: true });
    await this.#parts.form.parse(value);
    const seen = this.#seen?.version === version ? this.#seen : (await this.#load()).seen;
    return seen.version === version ? this.#write(seen, { value }) : undefined;
  }

  async update(change: (value: unknown) => unknown): Promise<Reading<unknown>> {
    if (typeof change !== 'function') throw invalidOption('update', { change }, 'a function');
    const { form } = this.#parts;
    return this.#untilWritten(async () => {
      const { record, seen } = await this.#load();
      const given = await change(await form.valueOf(record));
      const value = await form.parse(given);
      const version = await this.#write(seen, { value: given });
      return version === undefined ? undefined : { value, version };
    });
  }

  watch(options: VariableWatchOptions = {}): AsyncIterable<Reading<unknown>> {
    refuseUnknown('watch', options, ['signal']);
    const { signal } = options;
    if (signal !== undefined && !(signal instanceof AbortSignal)) {
      throw invalidOption('watch', { signal }, 'an AbortSignal');
    }
    this.#parts.checkRunning();
    return this.#watch(signal);
  }

  async fencedBy(token: number): Promise<StrongVariable<unknown>> {
    checkNumber('fencedBy', { token }, { min: 1, integer: true });
    const fenced = new StoreVariable({ ...this.#parts, token });
    await fenced.#raiseFence();
    return fenced;
  }

  /** What is there stays there; only the token is entered, if that is not there yet. */
  async #raiseFence(): Promise<void> {
    await this.#untilWritten(async () => {
      const { seen, record } = await this.#load();
      if (seen.token === this.#parts.token) return seen.version;
      return this.#write(seen, record?.stored, seen.schemaVersion);
    });
  }

  // ── the store ──────────────────────────────────────────────────────────────

  async #load(): Promise<{ version: number; record: VariableRecord | undefined; seen: Seen }> {
    const { store, codec, name, key, checkRunning } = this.#parts;
    checkRunning();
    const found = await store.get(key).catch((error: unknown) => {
      throw withoutEffect(error);
    });
    const record = found && decodeVariable(codec, name, found.value);
    const { version = 0 } = found ?? {};
    const { token = 0, schemaVersion = 0 } = record ?? {};
    this.#seen = { version, token, schemaVersion };
    return { version, record, seen: this.#seen };
  }

  /** @returns undefined when another was first */
  async #write(
    seen: Seen,
    stored: VariableRecord['stored'],
    schemaVersion: number = this.#parts.form.schemaVersion,
  ): Promise<number | undefined> {
    const { store, codec, name, key, form, token, checkRunning } = this.#parts;
    checkRunning();
    if (seen.token > token) throw fencedOff(token, seen.token);
    form.checkKnown(seen);
    const bytes = encodeVariable(codec, name, { token, schemaVersion, stored });
    this.#seen = undefined;
    const version = await store.compareAndSet(key, seen.version, bytes);
    if (version !== undefined) this.#seen = { version, token, schemaVersion };
    return version;
  }

  /**
   * Those who write here at the same time do so one after another: they would only get in each other's way. Whoever
   * takes too long, as its function has something else to wait for, is not waited for.
   */
  async #untilWritten<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    const { clock, timeoutMs } = this.#parts;
    const { promise: done, resolve } = Promise.withResolvers<void>();
    const before = this.#line;
    this.#line = done;
    try {
      if (before !== undefined) await atMost(before, { clock, ms: timeoutMs });
      return await this.#try(attempt);
    } finally {
      if (this.#line === done) this.#line = undefined;
      resolve();
    }
  }

  /** Tries until nobody was faster, and each time waits a little longer, for a time that is left to chance. */
  async #try<T>(attempt: () => Promise<T | undefined>): Promise<T> {
    const { clock, random, timeoutMs, name } = this.#parts;
    const deadline = clock.now() + timeoutMs;
    for (let tries = 1; ; tries++) {
      const done = await attempt();
      if (done !== undefined) return done;
      if (clock.now() >= deadline) throw tooSlow(name, tries, timeoutMs);
      await sleep(clock, backoffMs(tries, backoff, random));
    }
  }

  async *#watch(signal: AbortSignal | undefined): AsyncGenerator<Reading<unknown>, void> {
    const { store, codec, name, key, form, stopped } = this.#parts;
    const changes = new Newest<Versioned | undefined>();
    using _links = endsWith(changes, [signal, stopped]);
    using _watch = await store.watch(key, {
      onChange: (changed, found) => {
        if (changed === key && found !== undefined) changes.put(found);
      },
      onError: () => {},
    });
    if (changes.isEmpty) changes.put(undefined);
    let toldVersion = -1;
    for await (const found of changes) {
      const { version = 0 } = found ?? {};
      if (version <= toldVersion) continue;
      toldVersion = version;
      const record = found && decodeVariable(codec, name, found.value);
      yield { version, value: await form.valueOf(record) };
    }
  }
}

/** Ends something when one of some signals aborts, until it is disposed. */
function endsWith(
  ended: { end(): void },
  signals: readonly (AbortSignal | undefined)[],
): Disposable {
  const given = signals.filter((signal) => signal !== undefined);
  const end = (): void => ended.end();
  for (const signal of given) {
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
  }
  return {
    [Symbol.dispose]: () => {
      for (const signal of given) signal.removeEventListener('abort', end);
    },
  };
}

/** Resolves with `other`, or when so much time has passed. */
function atMost(
  other: Promise<void>,
  { clock, ms }: { readonly clock: Clock; readonly ms: number },
): Promise<void> {
  return new Promise((resolve) => {
    const timer = clock.after(ms, resolve);
    void other.then(() => {
      timer.cancel();
      resolve();
    });
  });
}

/** A read changes nothing, whatever has become of it: nor does a write that has come to no more. */
function withoutEffect(error: unknown): unknown {
  if (!isFoundationError(error) || error.outcome === 'not-executed') return error;
  const { code, message, hint, details, retryable } = error;
  return new FoundationError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    details,
    cause: error,
    traits: { retryable, outcome: 'not-executed' },
  });
}

function tooSlow(name: string, tries: number, timeoutMs: number): FoundationError {
  const message = `others have written "${name}" first, ${tries} times within ${timeoutMs} ms`;
  return new FoundationError('STORE_CONFLICT', message, {
    hint: 'Nothing was written. Let fewer write at once, or divide it into several variables.',
    details: { name, tries, timeoutMs },
  });
}
