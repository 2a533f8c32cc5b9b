import { randomUUID } from 'node:crypto';

import type { Store, StorePromises, Versioned, WatchHandlers } from '../cluster/store.ts';
import { FoundationError, isFoundationError } from '../errors.ts';
import { checkNumber, invalidOption, refuseUnknown, withDefaults } from '../options.ts';
import { JetStreamBucket, type Entry } from './jet-stream-bucket.ts';
import { isMismatch } from './jet-stream-failure.ts';
import { checkServer, openStream, promisesOf } from './jet-stream-setup.ts';
import { JetStreamWatches } from './jet-stream-watches.ts';
import type { NatsClient } from './nats-client.ts';
import { SharedRuns } from './shared-runs.ts';
import { tokenOf } from './subjects.ts';
import { Tries } from './tries.ts';

/** Where a store keeps its data, how safe, how patient. */
export interface JetStreamStoreOptions {
  /** May be shared with the transport and the discovery. */
  readonly nats: NatsClient;
  /** Name of the cluster; its stream is `foundation-<cluster>`. */
  readonly cluster: string;
  /** Servers that keep a copy. One is a single point of failure. @defaultValue 3 */
  readonly replicas?: 1 | 3 | 5;
  /** How long an operation is tried before `STORE_UNAVAILABLE`, in milliseconds. @defaultValue 10_000 */
  readonly deadlineMs?: number;
  /** How long a start waits for the servers to be ready, in milliseconds. @defaultValue 20_000 */
  readonly startMs?: number;
}

export interface JetStreamSettings {
  readonly replicas: 1 | 3 | 5;
  readonly deadlineMs: number;
  readonly startMs: number;
}

const defaults: JetStreamSettings = { replicas: 3, deadlineMs: 10_000, startMs: 20_000 };
const keyCharsMax = 1_024;
const who = 'JetStreamStore';

/**
 * The store of a cluster on NATS: a JetStream stream whose subjects are the keys.
 *
 * A key's version is the number of its entry in the stream, which never goes back, not even across deletes. A write
 * is a conditional publish. A read is followed by a mark that is written under the condition that what was read is
 * still the newest: only that makes it one of this very moment. What became of a write whose acknowledgement was
 * lost is told by its successor, as each entry names its operation and the entry that it has replaced.
 */
export class JetStreamStore implements Store {
  readonly name = 'jetstream';
  readonly #client: NatsClient;
  readonly #cluster: string;
  readonly #settings: JetStreamSettings;
  readonly #bucket: JetStreamBucket;
  readonly #watches: JetStreamWatches;
  /** Of this process; with a number it names an operation. */
  readonly #writer = randomUUID();
  #operations = 0;
  readonly #running = new Set<Promise<unknown>>();
  readonly #reads = new SharedRuns<Entry | undefined>();
  #promises: StorePromises;
  #starting: Promise<void> | undefined = undefined;

  /** @throws FoundationError `INVALID_OPTION` */
  constructor(options: JetStreamStoreOptions) {
    const { nats, cluster, ...given } = options;
    const settings = withDefaults(defaults, given);
    refuseUnknown(who, options, ['nats', 'cluster', ...Object.keys(defaults)]);
    if (typeof cluster !== 'string' || cluster === '')
      throw invalidOption(who, { cluster }, 'a name');
    if (![1, 3, 5].includes(settings.replicas)) {
      throw invalidOption(who, { replicas: settings.replicas }, '1, 3 or 5');
    }
    checkNumber(who, { deadlineMs: settings.deadlineMs, startMs: settings.startMs }, { above: 0 });
    this.#client = nats;
    this.#cluster = cluster;
    this.#settings = settings;
    this.#bucket = new JetStreamBucket(nats, cluster);
    this.#watches = new JetStreamWatches(this.#bucket, nats);
    this.#promises = promisesOf(settings.replicas);
  }

  get promises(): StorePromises {
    return this.#promises;
  }

  /** @throws FoundationError `STORE_UNSUITABLE`, `STORE_UNAVAILABLE` or `AUTHENTICATION_FAILED` */
  async start(): Promise<void> {
    this.#starting ??= this.#start();
    try {
      await this.#starting;
    } catch (error) {
      this.#starting = undefined;
      throw error;
    }
  }

  /** Lets what was asked end, and tries nothing again. */
  async stop(): Promise<void> {
    if (this.#starting === undefined) return;
    this.#starting = undefined;
    this.#watches.stop();
    await Promise.allSettled(this.#running);
    await this.#client.close();
  }

  async get(key: string): Promise<Versioned | undefined> {
    const entry = await this.#run(`the reading of "${key}"`, { key }, (tries) =>
      // Confirmations of one key get into each other's way.
      this.#reads.run(key, async () => {
        for (;;) {
          const found = await tries.until(() => this.#bucket.last(key));
          if (await this.#isNewest(key, found, tries)) return found;
          await tries.pause();
        }
      }),
    );
    return versionedOf(entry);
  }

  compareAndSet(key: string, version: number, value: Uint8Array): Promise<number | undefined> {
    return this.#run(`the writing of "${key}"`, { key, value }, (tries) => {
      // A copy: the caller may use its bytes again before they have left.
      const write = { key, isDeleted: false, value: new Uint8Array(value) };
      if (version === 0) return this.#create(write, tries);
      return this.#write({ ...write, over: version }, tries);
    });
  }

  delete(key: string, version: number): Promise<boolean> {
    return this.#run(`the deleting of "${key}"`, { key }, async (tries) => {
      if (version === 0) return false;
      const mark = { key, isDeleted: true, value: new Uint8Array(0), over: version };
      return (await this.#write(mark, tries)) !== undefined;
    });
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#run(`the listing of "${prefix}"`, { key: prefix }, async (tries) => {
      await this.#watches.index.upToDate(tries);
      return this.#watches.index.keys(prefix).toSorted(byBytes);
    });
  }

  watch(prefix: string, handlers: WatchHandlers): Promise<Disposable> {
    return this.#run(`the watching of "${prefix}"`, { key: prefix }, (tries) =>
      this.#watches.add(prefix, handlers, tries),
    );
  }

  async #start(): Promise<void> {
    try {
      await this.#client.open();
    } catch (error) {
      throw isFoundationError(error) && error.code === 'NODE_UNREACHABLE' ? noServer(error) : error;
    }
    try {
      const { replicas, startMs } = this.#settings;
      const wish = { client: this.#client, bucket: this.#bucket, replicas };
      const { settings } = this.#client;
      const what = 'the start of the store';
      const tries = new Tries({ what, deadlineMs: startMs, settings, isOver: () => false });
      this.#promises = await openStream(wish, tries);
    } catch (error) {
      await this.#client.close();
      throw error;
    }
  }

  /** Does what was asked for, unless it cannot be, or the store does not run. */
  async #run<T>(what: string, given: Given, action: (tries: Tries) => Promise<T>): Promise<T> {
    this.#check(given);
    const { settings } = this.#client;
    const { deadlineMs } = this.#settings;
    const isOver = (): boolean => this.#starting === undefined;
    const running = action(new Tries({ what, deadlineMs, settings, isOver }));
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Whether an entry is the newest at this moment. A single server knows without being asked. */
  async #isNewest(key: string, entry: Entry | undefined, tries: Tries): Promise<boolean> {
    if (this.#promises.voters === 1) return true;
    return tries.until(async () => {
      const confirmed = await this.#bucket.confirm(key, entry?.sequence ?? 0);
      if (confirmed.kind === 'done') return true;
      if (isMismatch(confirmed.error)) return false;
      throw confirmed.error;
    });
  }

  /** Writes where there is nothing, or the mark of what was deleted. */
  async #create(write: Omit<Write, 'over'>, tries: Tries): Promise<number | undefined> {
    const { key } = write;
    for (;;) {
      const entry = await tries.until(() => this.#bucket.last(key));
      if (entry === undefined || entry.isDeleted) {
        const written = await this.#write({ ...write, over: entry?.sequence ?? 0 }, tries);
        if (written !== undefined) return written;
      } else if (await this.#isNewest(key, entry, tries)) {
        return undefined;
      }
      await tries.pause();
    }
  }

  /**
   * Writes over entry number `over`.
   *
   * @returns the number of the new entry, or undefined when another one has followed `over`.
   */
  async #write(write: Write, tries: Tries): Promise<number | undefined> {
    const { key, ...content } = write;
    const operation = `${this.#writer}.${++this.#operations}`;
    for (;;) {
      const done = await this.#bucket.write(key, { ...content, operation });
      if (done.kind === 'done') return done.sequence;
      // A first try may still be under way when a second one is refused because of it.
      tries.isUnclear ||= done.kind === 'unclear';
      await tries.pause(done.error);
      const found = await tries.until(() =>
        this.#fateOf({ key, operation, over: content.over }, tries),
      );
      if (found !== 'open') return found === 'lost' ? undefined : found;
    }
  }

  /**
   * What has become of a write: its number, `lost` when it can no more succeed, or `open` when nothing has followed the
   * entry that it is to replace. That something has followed stays true, so that even a stale read tells.
   */
  async #fateOf(
    { key, operation, over }: Pending,
    tries: Tries,
  ): Promise<number | 'lost' | 'open'> {
    const next = await this.#bucket.next(key, over + 1);
    if (next === undefined) {
      const last = await this.#bucket.last(key);
      if ((last?.sequence ?? 0) === over) return 'open';
      return (await this.#isNewest(key, last, tries)) ? 'lost' : 'open';
    }
    if (next.operation === operation) return next.sequence;
    if (next.over === over || !tries.isUnclear) return 'lost';
    throw outrun(key);
  }

  /** @throws FoundationError `INVALID_OPTION`, `FRAME_TOO_LARGE`, `STORE_UNAVAILABLE` or `STORE_UNSUITABLE` */
  #check({ key, value }: Given): void {
    if (this.#starting === undefined) throw notRunning(this.#cluster);
    if (!key.isWellFormed() || tokenOf(key).length > keyCharsMax) {
      throw invalidOption(who, { key }, `a text of at most ${keyCharsMax} characters in a subject`);
    }
    const bytesMax = this.#bucket.valueBytesMax;
    if (value !== undefined && value.length > bytesMax) throw tooLarge(key, value.length, bytesMax);
    checkServer(this.#client, this.#promises.voters);
  }
}

interface Write {
  readonly key: string;
  readonly isDeleted: boolean;
  readonly value: Uint8Array;
  readonly over: number;
}

/** What an operation is given, as far as it can be wrong. */
interface Given {
  readonly key: string;
  readonly value?: Uint8Array;
}

interface Pending {
  readonly key: string;
  readonly operation: string;
  readonly over: number;
}

function versionedOf(entry: Entry | undefined): Versioned | undefined {
  if (entry === undefined || entry.isDeleted) return undefined;
  // A copy: others may have asked for the same.
  return { version: entry.sequence, value: new Uint8Array(entry.value) };
}

function byBytes(one: string, other: string): number {
  return Buffer.compare(Buffer.from(one), Buffer.from(other));
}

function noServer(cause: FoundationError): FoundationError {
  const { message, hint = '' } = cause;
  return new FoundationError('STORE_UNAVAILABLE', message, { hint, cause });
}

function notRunning(cluster: string): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', `the store of ${cluster} does not run`, {
    hint: 'Start it first.',
  });
}

function tooLarge(key: string, bytes: number, bytesMax: number): FoundationError {
  const what = `a value of ${bytes} bytes for "${key}", where NATS takes ${bytesMax}`;
  return new FoundationError('FRAME_TOO_LARGE', what, {
    hint: 'Raise `max_payload` in the configuration of the NATS servers, or store less under one key.',
    details: { key, bytes, bytesMax },
  });
}

/** The entry that directly followed is not kept any more. */
function outrun(key: string): FoundationError {
  const what = `"${key}" was written several times since, so that what became of a write cannot be told`;
  return new FoundationError('STORE_UNAVAILABLE', what, {
    hint: 'Read the key, and see what is there.',
    details: { key },
    traits: { retryable: false, outcome: 'unknown' },
  });
}
