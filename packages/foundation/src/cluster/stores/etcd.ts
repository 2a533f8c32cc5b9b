import { FoundationError } from '../../errors.ts';
import type { Store, StorePromises, Versioned, WatchHandlers } from '../store.ts';
import { EtcdClient } from './etcd-client.ts';
import { EtcdKeys } from './etcd-keys.ts';
import { Keyspace, parseVersion, parseVoters } from './etcd-messages.ts';
import { etcdSettings, type EtcdOptions, type EtcdSettings } from './etcd-options.ts';
import { EtcdWatches } from './etcd-watches.ts';

/** The gateway has had its path `/v3` since then. */
const [majorMin, minorMin] = [3, 4];
/** Etcd has a limit of its own, 1.5 MiB unless it is told otherwise, and 10 MiB at the most that it recommends. */
const valueBytesMax = 8 * 1024 * 1024;

/**
 * The store of a cluster: an etcd of one, three or five servers, over its HTTP gateway.
 *
 * Reads are linearizable, and a version is the revision of etcd that wrote the key. A server that does not answer
 * is left for the next one. Reads, and writes that it certainly did not carry out, are asked there again; any
 * other write fails with `outcome: 'unknown'`.
 */
export class EtcdStore implements Store {
  readonly name = 'etcd';
  readonly #settings: EtcdSettings;
  readonly #client: EtcdClient;
  readonly #keys: EtcdKeys;
  readonly #watches: EtcdWatches;
  /** What was asked and is not answered. */
  readonly #pending = new Set<Promise<unknown>>();
  #promises: StorePromises;
  #isStarted = false;

  /** @throws FoundationError `INVALID_OPTION` */
  constructor(options: EtcdOptions) {
    this.#settings = etcdSettings(options);
    const { namespace, endpoints, clock, random } = this.#settings;
    const client = new EtcdClient(this.#settings);
    const keyspace = new Keyspace(namespace);
    this.#client = client;
    this.#keys = new EtcdKeys(client, keyspace);
    this.#watches = new EtcdWatches({ client, keyspace, keys: this.#keys, clock, random });
    this.#promises = promisesOf(endpoints.length, []);
  }

  get promises(): StorePromises {
    return this.#promises;
  }

  /**
   * @throws FoundationError `STORE_UNAVAILABLE` or `NO_QUORUM`; `STORE_UNSUITABLE` when there is no etcd, one before
   * 3.4, or more than one; `AUTHENTICATION_FAILED`
   */
  async start(): Promise<void> {
    if (this.#isStarted) return;
    const what = 'start';
    const version = await this.#client.ask({ what, path: '/version', parse: parseVersion });
    if (isTooOld(version)) throw tooOld(version);
    // All servers are asked, so that it is seen when they are not those of one etcd.
    const members = { what, path: '/v3/cluster/member/list', body: {}, parse: parseVoters };
    const [voters = 1] = await this.#client.askAll(members);
    // Changes nothing, and needs a majority and the right to write.
    await this.#keys.compareAndSet('', Number.MAX_SAFE_INTEGER, new Uint8Array());
    this.#promises = promisesOf(voters, this.#caveats(voters));
    this.#isStarted = true;
  }

  async get(key: string): Promise<Versioned | undefined> {
    return this.#track('get', () => this.#keys.get(key));
  }

  async compareAndSet(
    key: string,
    version: number,
    value: Uint8Array,
  ): Promise<number | undefined> {
    if (value.length > valueBytesMax) throw tooLarge(key, value.length);
    const { isDone, revision } = await this.#track('compareAndSet', () =>
      this.#keys.compareAndSet(key, version, value),
    );
    return isDone ? revision : undefined;
  }

  async delete(key: string, version: number): Promise<boolean> {
    // Version 0 is that of a key that does not exist.
    if (version === 0) return false;
    return (await this.#track('delete', () => this.#keys.delete(key, version))).isDone;
  }

  async list(prefix: string): Promise<readonly string[]> {
    const { entries } = await this.#track('list', () => this.#keys.survey(prefix));
    return entries.map(({ key }) => key);
  }

  async watch(prefix: string, handlers: WatchHandlers): Promise<Disposable> {
    return this.#track('watch', () => this.#watches.add(prefix, handlers));
  }

  /** Waits for what was asked before. */
  async stop(): Promise<void> {
    if (!this.#isStarted) return;
    this.#isStarted = false;
    await Promise.allSettled(this.#pending);
    this.#watches.stop();
    this.#client.close();
  }

  async #track<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (!this.#isStarted) throw notOpen(what);
    const running = run();
    this.#pending.add(running);
    try {
      return await running;
    } finally {
      this.#pending.delete(running);
    }
  }

  #caveats(voters: number): readonly string[] {
    const { endpoints, tls } = this.#settings;
    const open = endpoints.filter((url) => url.protocol === 'http:' && !isLoopback(url));
    const isAsked = this.#client.isLoggedIn || tls.cert !== undefined;
    return [
      ...(voters === 1 ? ['one etcd server: while it is down, nothing can be agreed'] : []),
      ...(voters === 2 ? ['two etcd servers: both are needed; of three, one may fail'] : []),
      ...open.map(({ origin }) => `what is sent to ${origin} can be read on its way: use https`),
      ...(isAsked ? [] : ['etcd asks for no user: whoever reaches it may change everything']),
    ];
  }
}

function promisesOf(voters: number, caveats: readonly string[]): StorePromises {
  return { scope: 'cluster', outlives: 'power-loss', voters, leaseMs: 5_000, caveats };
}

function isLoopback({ hostname }: URL): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}

function isTooOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major < majorMin || (major === majorMin && minor < minorMin);
}

function tooOld(version: string): FoundationError {
  return new FoundationError('STORE_UNSUITABLE', `etcd ${version} has no gateway under /v3`, {
    hint: `Use etcd ${majorMin}.${minorMin} or later on all servers.`,
    details: { version },
  });
}

function tooLarge(key: string, bytes: number): FoundationError {
  const what = `a value of ${bytes} bytes for "${key}", where ${valueBytesMax} may be sent to etcd`;
  return new FoundationError('FRAME_TOO_LARGE', what, {
    hint: 'Store less under one key.',
    details: { key, bytes, bytesMax: valueBytesMax },
  });
}

function notOpen(what: string): FoundationError {
  return new FoundationError('STORE_UNAVAILABLE', `the etcd store is not open for "${what}"`, {
    hint: 'Start the store before you use it.',
    traits: { retryable: true, outcome: 'not-executed' },
  });
}
