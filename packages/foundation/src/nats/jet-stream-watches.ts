import { sleep } from '../clock.ts';
import type { Versioned, WatchHandlers } from '../cluster/store.ts';
import { FoundationError } from '../errors.ts';
import { tell } from '../events.ts';
import type { JetStreamBucket } from './jet-stream-bucket.ts';
import { JetStreamIndex } from './jet-stream-index.ts';
import type { NatsClient } from './nats-client.ts';
import type { Tries } from './tries.ts';

interface Watch {
  readonly prefix: string;
  readonly handlers: WatchHandlers;
  /** The version told last of each key that is there. */
  readonly told: Map<string, number>;
  /** Keys that have changed, or may have. */
  readonly changed: Set<string>;
  /** Whether changes are being told. */
  isBusy: boolean;
  isOut: boolean;
  isOver: boolean;
}

/** Pauses after a value could not be read, in milliseconds; each is twice the one before. */
const pauseMinMs = 20;
const pauseMaxMs = 2_000;
/** Values that a watch reads at a time. */
const readsMax = 32;

/** The watches of a process, and what they share: one index of all keys. Values are read for those who watch them. */
export class JetStreamWatches {
  readonly index: JetStreamIndex;
  readonly #bucket: JetStreamBucket;
  readonly #client: NatsClient;
  readonly #watches = new Set<Watch>();

  constructor(bucket: JetStreamBucket, client: NatsClient) {
    this.#bucket = bucket;
    this.#client = client;
    this.index = new JetStreamIndex(bucket, client, {
      onChange: (key) => this.#onChange(key),
      onOutage: (error) => {
        for (const watch of this.#watches) this.#out(watch, error);
      },
      onRecovery: () => {
        for (const watch of this.#watches) watch.isOut = false;
      },
    });
  }

  /** Resolves when all there is has been told. @throws FoundationError as `tries` does */
  async add(prefix: string, handlers: WatchHandlers, tries: Tries): Promise<Disposable> {
    await this.index.upToDate(tries);
    const changed = new Set(this.index.keys(prefix));
    const state = { isBusy: true, isOut: false, isOver: false };
    const watch: Watch = { prefix, handlers, told: new Map(), changed, ...state };
    const end = (): void => {
      watch.isOver = true;
      this.#watches.delete(watch);
    };
    this.#watches.add(watch);
    try {
      await tries.until(() => this.#tellChanges(watch));
    } catch (error) {
      end();
      throw error;
    }
    void this.#follow(watch);
    return { [Symbol.dispose]: end };
  }

  stop(): void {
    for (const watch of this.#watches) watch.isOver = true;
    this.#watches.clear();
    this.index.stop();
  }

  #onChange(key: string): void {
    for (const watch of this.#watches) {
      if (!key.startsWith(watch.prefix)) continue;
      watch.changed.add(key);
      if (!watch.isBusy) void this.#follow(watch);
    }
  }

  async #follow(watch: Watch): Promise<void> {
    watch.isBusy = true;
    for (let pauseMs = pauseMinMs; watch.changed.size > 0 && !watch.isOver;) {
      try {
        await this.#tellChanges(watch);
        watch.isOut = false;
        pauseMs = pauseMinMs;
      } catch (error) {
        this.#out(watch, error);
        await sleep(this.#client.settings.clock, pauseMs);
        pauseMs = Math.min(2 * pauseMs, pauseMaxMs);
      }
    }
    watch.isBusy = false;
  }

  async #tellChanges(watch: Watch): Promise<void> {
    while (watch.changed.size > 0) {
      const keys = [...watch.changed].slice(0, readsMax);
      const told = await Promise.allSettled(keys.map((key) => this.#tellChange(watch, key)));
      const failed = told.find((each) => each.status === 'rejected');
      if (failed !== undefined) throw failed.reason;
    }
  }

  async #tellChange(watch: Watch, key: string): Promise<void> {
    watch.changed.delete(key);
    const head = this.index.head(key);
    if (head === undefined || head.isDeleted) {
      const wasTold = watch.told.delete(key);
      // A read may have shown what came and went before it could be told.
      if (wasTold || head !== undefined) say(watch, key, undefined);
      return;
    }
    if (head.sequence <= (watch.told.get(key) ?? 0)) return;
    try {
      const entry = await this.#bucket.at(head.sequence);
      if (entry === undefined) {
        if (this.index.head(key) === head) throw behind(key);
        return; // replaced: what has replaced it is among what has changed
      }
      watch.told.set(key, entry.sequence);
      say(watch, key, { version: entry.sequence, value: entry.value });
    } catch (error) {
      watch.changed.add(key);
      throw error;
    }
  }

  #out(watch: Watch, error: unknown): void {
    if (watch.isOut || watch.isOver) return;
    watch.isOut = true;
    tell((told: unknown) => watch.handlers.onError(told), error);
  }
}

function say(watch: Watch, key: string, found: Versioned | undefined): void {
  if (!watch.isOver) tell(() => watch.handlers.onChange(key, found), undefined);
}

function behind(key: string): FoundationError {
  const what = `the server asked has not got the newest value of "${key}" yet`;
  return new FoundationError('STORE_UNAVAILABLE', what, { details: { key } });
}
