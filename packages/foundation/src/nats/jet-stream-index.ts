import { sleep, type Timer } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { EntryFeed, type EntryHead } from './entry-feed.ts';
import type { JetStreamBucket } from './jet-stream-bucket.ts';
import { notConnected } from './jet-stream-failure.ts';
import type { NatsClient } from './nats-client.ts';
import type { Tries } from './tries.ts';

export interface IndexHandlers {
  /** A key has another newest entry, or none any more. */
  onChange(key: string): void;
  /** Told once for each outage: until it is over, changes are not seen. */
  onOutage(error: unknown): void;
  onRecovery(): void;
}

/** Pauses before a broken feed is begun anew, in milliseconds; each is twice the one before. */
const pauseMinMs = 100;
const pauseMaxMs = 30_000;
/** Longest to wait for a mark to come by, in milliseconds; then another one is written. */
const markMs = 2_000;
/** A deleted key is forgotten after a day: by then nothing that was on its way can arrive any more. */
const forgetAfterMs = 24 * 3_600_000;
const sweepEveryMs = 3_600_000;

interface Mark {
  readonly sequence: number;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/**
 * Which keys there are, at which version. One for all watches of a process, fed by one consumer; begins when it is
 * first asked, and goes on by itself after an outage.
 */
export class JetStreamIndex {
  readonly #bucket: JetStreamBucket;
  readonly #client: NatsClient;
  readonly #handlers: IndexHandlers;
  readonly #heads = new Map<string, EntryHead>();
  /** Keys that an earlier feed has told, and the one at hand not yet. */
  readonly #untold = new Set<string>();
  readonly #marks = new Set<Mark>();
  #sweeps: Timer | undefined = undefined;
  #again: Timer | undefined = undefined;
  #reached = 0;
  #feed: EntryFeed | undefined = undefined;
  #isOut = false;
  #pauseMs = pauseMinMs;
  #listening: Disposable | undefined = undefined;

  constructor(bucket: JetStreamBucket, client: NatsClient, handlers: IndexHandlers) {
    this.#bucket = bucket;
    this.#client = client;
    this.#handlers = handlers;
  }

  /** The newest entry of a key. */
  head(key: string): EntryHead | undefined {
    return this.#heads.get(key);
  }

  /** Keys that begin with a prefix and have a value. */
  keys(prefix: string): readonly string[] {
    return [...this.#heads.values()]
      .filter(({ key, isDeleted }) => !isDeleted && key.startsWith(prefix))
      .map(({ key }) => key);
  }

  /** Resolves when everything is in it that was written before. @throws FoundationError as `tries` does */
  async upToDate(tries: Tries): Promise<void> {
    this.#start();
    await tries.until(() => this.#passMark());
  }

  stop(): void {
    this.#listening?.[Symbol.dispose]();
    this.#listening = undefined;
    this.#sweeps?.cancel();
    this.#again?.cancel();
    this.#feed?.end();
    this.#feed = undefined;
    this.#heads.clear();
    this.#rejectMarks(notConnected(this.#client.addresses));
  }

  #start(): void {
    if (this.#listening !== undefined) return;
    this.#listening = this.#client.listen({
      onUp: () => this.#begin(),
      onDown: () => this.#onEnd(notConnected(this.#client.addresses)),
    });
    const { clock } = this.#client.settings;
    this.#sweeps = clock.every(sweepEveryMs, () => void this.#sweep());
    this.#begin();
  }

  #begin(): void {
    const { settings, connection } = this.#client;
    if (this.#listening === undefined || this.#feed !== undefined) return;
    if (connection === undefined) return;
    for (const key of this.#heads.keys()) this.#untold.add(key);
    this.#reached = 0;
    this.#feed = new EntryFeed(this.#bucket, settings, {
      onEntry: (head) => this.#onEntry(head),
      onReached: (sequence) => this.#onReached(sequence),
      onEnd: (error) => this.#onEnd(error),
    });
    void this.#settle(this.#feed);
  }

  /** What a new feed has not told by the time a mark has come by is gone. */
  async #settle(feed: EntryFeed): Promise<void> {
    const { clock } = this.#client.settings;
    while (this.#feed === feed) {
      const hasPassed = await this.#passMark().then(
        () => true,
        () => false,
      );
      if (this.#feed !== feed) return;
      if (hasPassed) break;
      await sleep(clock, this.#pauseMs);
    }
    this.#pauseMs = pauseMinMs;
    if (this.#isOut) this.#handlers.onRecovery();
    this.#isOut = false;
    for (const key of this.#untold) {
      this.#heads.delete(key);
      this.#handlers.onChange(key);
    }
    this.#untold.clear();
  }

  #onEntry(head: EntryHead): void {
    this.#untold.delete(head.key);
    const known = this.#heads.get(head.key)?.sequence ?? 0;
    this.#heads.set(head.key, head);
    if (known !== head.sequence) this.#handlers.onChange(head.key);
  }

  #onReached(sequence: number): void {
    this.#reached = sequence;
    for (const mark of this.#marks) {
      if (mark.sequence <= sequence) mark.resolve();
    }
  }

  #onEnd(error: unknown): void {
    this.#feed?.end();
    this.#feed = undefined;
    this.#rejectMarks(error);
    if (!this.#isOut) this.#handlers.onOutage(error);
    this.#isOut = true;
    this.#again?.cancel();
    const { clock } = this.#client.settings;
    this.#again = clock.after(this.#pauseMs, () => this.#begin(), 'background');
    this.#pauseMs = Math.min(2 * this.#pauseMs, pauseMaxMs);
  }

  /** Writes a mark, and resolves when it comes by. */
  async #passMark(): Promise<void> {
    const written = await this.#bucket.sync();
    if (written.kind !== 'done') throw written.error;
    if (this.#reached >= written.sequence) return;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const mark = { sequence: written.sequence, resolve, reject };
    const late = new FoundationError('STORE_UNAVAILABLE', 'a watch of JetStream is behind');
    const timer = this.#client.settings.clock.after(markMs, () => reject(late));
    this.#marks.add(mark);
    try {
      await promise;
    } finally {
      this.#marks.delete(mark);
      timer.cancel();
    }
  }

  #rejectMarks(error: unknown): void {
    for (const { reject } of this.#marks) reject(error);
  }

  async #sweep(): Promise<void> {
    const before = this.#client.settings.clock.wallNow() - forgetAfterMs;
    for (const { key, sequence, isDeleted, writtenAt } of this.#heads.values()) {
      if (!isDeleted || writtenAt > before) continue;
      // When it fails, the next sweep of some process does it.
      await this.#bucket.forget(key, sequence).then(
        () => this.#heads.delete(key),
        () => undefined,
      );
    }
  }
}
