import type { Clock, Timer } from '../../clock.ts';
import type { Versioned, WatchHandlers } from '../store.ts';
import type { EtcdClient } from './etcd-client.ts';
import { failureOf, nonsense, type EtcdFailure } from './etcd-failure.ts';
import type { EtcdKeys } from './etcd-keys.ts';
import type { Keyspace, WatchMessage } from './etcd-messages.ts';
import type { EtcdServer } from './etcd-server.ts';
import type { WatchState } from './etcd-watch-state.ts';

/** Somebody who watches the keys under a prefix. */
export interface Watch {
  readonly prefix: string;
  readonly handlers: WatchHandlers;
  readonly state: WatchState;
  /** Whether all keys are to be listed before it can go on. */
  isBehind: boolean;
  isOver: boolean;
}

interface WatchStreamOptions {
  readonly client: EtcdClient;
  readonly server: EtcdServer;
  readonly keyspace: Keyspace;
  readonly keys: EtcdKeys;
  readonly clock: Clock;
  readonly watches: readonly Watch[];
}

/** How often a silent stream's server is asked whether it still answers, in milliseconds. */
const lookEveryMs = 2_000;
/** A stream that is silent for so many milliseconds is opened anew, in case that it is deaf. */
const silentMaxMs = 60_000;
/** Revisions that etcd may have to go through to resume a watch. Listing all keys is less work for it then. */
const lagMax = 10_000;

/** One stream from one server with all watches in it, until it ends. */
export class WatchStream implements Disposable {
  readonly #options: WatchStreamOptions;
  readonly #ended = Promise.withResolvers<EtcdFailure | undefined>();
  #stream: Disposable | undefined;
  #timer: Timer | undefined;
  #heardAt: number;
  #created = 0;
  #isLooking = false;
  #isOver = false;

  constructor(options: WatchStreamOptions) {
    this.#options = options;
    this.#heardAt = options.clock.now();
  }

  /** @returns why it broke, or undefined when it is to be opened anew */
  async run(onOpen: () => void): Promise<EtcdFailure | undefined> {
    const { client, server, clock } = this.#options;
    const refused = await client.logIn(server);
    if (refused !== undefined || this.#isOver) return refused;
    const request = { path: '/v3/watch', body: this.#body() };
    this.#stream = client.stream(server, request, {
      onMessage: (message) => this.#onMessage(message, onOpen),
      onEnd: (failure) => this.#end(failure),
    });
    this.#timer = clock.every(lookEveryMs, () => void this.#look());
    return this.#ended.promise;
  }

  /** Ends it, to be opened anew. */
  [Symbol.dispose](): void {
    this.#end(undefined);
  }

  #end(failure: EtcdFailure | undefined): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#stream?.[Symbol.dispose]();
    this.#ended.resolve(failure);
  }

  #body(): string {
    const { watches, keyspace } = this.#options;
    const requests = watches.map(({ prefix, state }, index) => ({
      ...keyspace.range(prefix),
      watch_id: String(index + 1),
      start_revision: String(state.next),
      fragment: true,
    }));
    return requests.map((each) => JSON.stringify({ create_request: each })).join('\n');
  }

  #onMessage(message: unknown, onOpen: () => void): void {
    const { client, clock, keyspace, watches } = this.#options;
    this.#heardAt = clock.now();
    const told = keyspace.parseWatch(message);
    if (told === undefined) return this.#end(nonsense);
    if (told.kind === 'refused') {
      const failure = failureOf({ kind: 'refusal', status: 200, words: told.words });
      // A stream is also denied when its token has expired.
      if (failure.code === 'AUTHENTICATION_FAILED') client.logOut();
      return this.#end(failure);
    }
    const watch = watches[told.id - 1];
    if (watch === undefined) return this.#end(nonsense);
    if (told.kind === 'created' && ++this.#created === watches.length) onOpen();
    this.#take(watch, told);
  }

  #take(watch: Watch, told: Exclude<WatchMessage, { kind: 'refused' }>): void {
    switch (told.kind) {
      case 'created':
        if (told.revision - watch.state.next > lagMax) this.#fallBehind(watch);
        return;
      case 'compacted':
        this.#fallBehind(watch);
        return;
      case 'changed':
        for (const { key, revision, value } of told.changes) {
          const isNews = watch.state.changed({ key, revision, isGone: value === undefined });
          if (isNews) tell(watch, key, value && { version: revision, value });
        }
        if (told.isWhole) watch.state.finished(told.changes.at(-1)?.revision ?? 0);
    }
  }

  #fallBehind(watch: Watch): void {
    watch.isBehind = true;
    this.#end(undefined);
  }

  /** A server that is frozen or cut off says nothing, and neither does one that has nothing to say. */
  async #look(): Promise<void> {
    const { client, server, clock, keys } = this.#options;
    const heardAt = this.#heardAt;
    const silentMs = clock.now() - heardAt;
    if (silentMs >= silentMaxMs) return this.#end(undefined);
    if (silentMs < lookEveryMs || this.#isLooking) return;
    this.#isLooking = true;
    const outcome = await client.askOne(server, keys.ping());
    this.#isLooking = false;
    if ('failure' in outcome && heardAt === this.#heardAt) this.#end(outcome.failure);
  }
}

/** Tells one change, unless the watch is over. */
export function tell(watch: Watch, key: string, found: Versioned | undefined): void {
  if (!watch.isOver) watch.handlers.onChange(key, found);
}
