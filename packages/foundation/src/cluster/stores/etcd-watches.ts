import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import type { WatchHandlers } from '../store.ts';
import { errorOf, type EtcdClient } from './etcd-client.ts';
import type { EtcdKeys } from './etcd-keys.ts';
import type { Keyspace } from './etcd-messages.ts';
import { WatchState } from './etcd-watch-state.ts';
import { tell, WatchStream, type Watch } from './etcd-watch-stream.ts';

interface WatchesOptions {
  readonly client: EtcdClient;
  readonly keyspace: Keyspace;
  readonly keys: EtcdKeys;
  readonly clock: Clock;
  readonly random: Random;
}

/** Pause before a broken stream is opened again, in milliseconds; it doubles each time, up to the second. */
const [pauseMs, pauseMaxMs] = [20, 1_280];
/** Values that are fetched at once. They may be large. */
const fetchMax = 16;

/** Watches keys of etcd: lists what there is, then follows what changes, by one stream for all watches. */
export class EtcdWatches {
  readonly #options: WatchesOptions;
  readonly #watches = new Set<Watch>();
  #stream: WatchStream | undefined;
  #isRunning = false;
  /** Failures in a row. */
  #failures = 0;
  #isBroken = false;

  constructor(options: WatchesOptions) {
    this.#options = options;
  }

  /** @throws FoundationError when it cannot be told what there is */
  async add(prefix: string, handlers: WatchHandlers): Promise<Disposable> {
    const state = new WatchState();
    const watch: Watch = { prefix, handlers, state, isBehind: false, isOver: false };
    await this.#list(watch);
    this.#watches.add(watch);
    // The stream is opened anew with this one in it.
    this.#stream?.[Symbol.dispose]();
    if (!this.#isRunning) void this.#run();
    return { [Symbol.dispose]: () => this.#remove(watch) };
  }

  stop(): void {
    for (const watch of this.#watches) this.#remove(watch);
  }

  #remove(watch: Watch): void {
    watch.isOver = true;
    this.#watches.delete(watch);
    if (this.#watches.size === 0) this.#stream?.[Symbol.dispose]();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#watches.size > 0) {
      try {
        await this.#follow();
      } catch (error) {
        this.#failed(error);
        await this.#pause();
      }
    }
    this.#isRunning = false;
    this.#isBroken = false;
  }

  /** Follows until the stream ends. @throws FoundationError when it broke */
  async #follow(): Promise<void> {
    const { client } = this.#options;
    for (const watch of this.#watches) {
      if (!watch.isBehind) continue;
      await this.#list(watch);
      watch.isBehind = false;
    }
    const server = client.current;
    const watches = [...this.#watches];
    const stream = new WatchStream({ ...this.#options, server, watches });
    this.#stream = stream;
    const failure = await stream.run(() => {
      this.#failures = 0;
      this.#isBroken = false;
    });
    this.#stream = undefined;
    if (failure === undefined) return;
    client.turnFrom(server);
    throw errorOf({ what: 'watch' }, new Map([[server, failure]]), failure);
  }

  /** Tells what there is and was not told. */
  async #list(watch: Watch): Promise<void> {
    const { keys } = this.#options;
    const { revision, entries } = await keys.survey(watch.prefix);
    const versions = new Map(entries.map(({ key, version }) => [key, version]));
    const { newer, gone } = watch.state.listed(versions, revision);
    for (const key of gone) tell(watch, key, undefined);
    for (let from = 0; from < newer.length; from += fetchMax) {
      const some = newer.slice(from, from + fetchMax);
      const values = await Promise.all(some.map((key) => keys.get(key)));
      for (const [index, key] of some.entries()) {
        const found = values[index];
        // What is gone meanwhile, the stream will tell.
        if (found && watch.state.fetched(key, found.version)) tell(watch, key, found);
      }
    }
  }

  #failed(error: unknown): void {
    this.#failures++;
    // That one server of several fails is no outage.
    if (this.#isBroken || this.#failures < this.#options.client.serverCount) return;
    this.#isBroken = true;
    for (const { handlers } of this.#watches) handlers.onError(error);
  }

  /** It does not keep the program alive. */
  #pause(): Promise<void> {
    const { clock, random } = this.#options;
    const longestMs = Math.min(pauseMs * 2 ** this.#failures, pauseMaxMs);
    return new Promise((resolve) => {
      clock.after(longestMs * (0.5 + random.next() / 2), resolve, 'background');
    });
  }
}
