import type { Timer } from '../../clock.ts';
import type { WatchHandlers } from '../store.ts';
import type { SqliteDatabase } from './sqlite-database.ts';

/** How often the file is looked at while anything is watched, in milliseconds. */
const lookEveryMs = 25;

interface Watch {
  readonly prefix: string;
  readonly handlers: WatchHandlers;
  /** The version told last of each key that is there; 0 of one that only a read has shown. */
  readonly told: Map<string, number>;
  isOver: boolean;
}

/**
 * Watches keys of the cluster's file. SQLite tells nobody of the writes of other processes, but whether
 * there were any is a glance at a counter: so it is asked often, and only then are versions compared.
 */
export class SqliteWatches {
  readonly #database: SqliteDatabase;
  readonly #watches = new Set<Watch>();
  #timer: Timer | undefined = undefined;
  #state = '';
  #isLooking = false;
  #isBroken = false;

  constructor(database: SqliteDatabase) {
    this.#database = database;
  }

  /** @throws FoundationError `STORE_UNAVAILABLE` */
  async add(prefix: string, handlers: WatchHandlers): Promise<Disposable> {
    const watch: Watch = { prefix, handlers, told: new Map(), isOver: false };
    const overview = await this.#database.ask('survey', { prefixes: [prefix], state: '' });
    await this.#tell(watch, new Map(overview?.found[0]));
    this.#watches.add(watch);
    // What was written while the first values were read is found at the next look.
    this.#state = '';
    this.#timer ??= this.#database.clock.every(lookEveryMs, () => void this.#look());
    return {
      [Symbol.dispose]: () => {
        watch.isOver = true;
        this.#watches.delete(watch);
        if (this.#watches.size === 0) this.stop();
      },
    };
  }

  /** A read has shown a key. When it is gone by the next look, that is told, though its coming never was. */
  saw(key: string): void {
    for (const { prefix, told } of this.#watches) {
      if (key.startsWith(prefix) && !told.has(key)) told.set(key, 0);
    }
  }

  stop(): void {
    for (const watch of this.#watches) watch.isOver = true;
    this.#watches.clear();
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  async #look(): Promise<void> {
    if (this.#isLooking) return;
    this.#isLooking = true;
    await this.#survey();
    this.#isLooking = false;
  }

  async #survey(): Promise<void> {
    const watches = [...this.#watches];
    const prefixes = watches.map(({ prefix }) => prefix);
    const state = this.#state;
    try {
      const overview = await this.#database.ask('survey', { prefixes, state });
      this.#isBroken = false;
      if (overview === undefined) return;
      for (const [index, watch] of watches.entries()) {
        if (!watch.isOver) await this.#tell(watch, new Map(overview.found[index]));
      }
      // A watch that came meanwhile has asked for everything to be looked at again.
      if (this.#state === state) this.#state = overview.state;
    } catch (error) {
      if (this.#isBroken) return;
      this.#isBroken = true;
      for (const { handlers } of watches) handlers.onError(error);
    }
  }

  async #tell(watch: Watch, found: ReadonlyMap<string, number>): Promise<void> {
    const { told } = watch;
    for (const key of [...told.keys()].filter((each) => !found.has(each))) {
      told.delete(key);
      watch.handlers.onChange(key, undefined);
    }
    for (const [key, version] of found) {
      if (version <= (told.get(key) ?? 0)) continue;
      const newest = await this.#database.ask('get', key);
      if (newest === undefined) continue; // gone meanwhile: told, if at all, at the next look
      if (watch.isOver) return;
      told.set(key, newest.version);
      watch.handlers.onChange(key, newest);
    }
  }
}
