import type { Versioned } from '../store.ts';
import type { EtcdCall, EtcdClient } from './etcd-client.ts';
import { base64, parseWritten, type Found, type Keyspace, type Written } from './etcd-messages.ts';

const rangePath = '/v3/kv/range';

/** What can be done to the keys of one store. All of it fails with the errors of {@link EtcdClient.ask}. */
export class EtcdKeys {
  readonly #client: EtcdClient;
  readonly #keyspace: Keyspace;

  constructor(client: EtcdClient, keyspace: Keyspace) {
    this.#client = client;
    this.#keyspace = keyspace;
  }

  async get(key: string): Promise<Versioned | undefined> {
    const body = { key: this.#keyspace.key(key) };
    const { entries } = await this.#client.ask(this.#range('get', body));
    const [found] = entries;
    return found && { version: found.version, value: found.value };
  }

  /** All keys under a prefix, without their values. */
  survey(prefix: string): Promise<Found> {
    const body = { ...this.#keyspace.range(prefix), keys_only: true };
    return this.#client.ask(this.#range('list', body));
  }

  /** Version 0 means that there must be no such key. */
  compareAndSet(key: string, version: number, value: Uint8Array): Promise<Written> {
    const action = { request_put: { key: this.#keyspace.key(key), value: base64(value) } };
    return this.#ifAt(key, version, { what: 'compareAndSet', action });
  }

  delete(key: string, version: number): Promise<Written> {
    const action = { request_delete_range: { key: this.#keyspace.key(key) } };
    return this.#ifAt(key, version, { what: 'delete', action });
  }

  /** A read that says nothing but that a server, and a majority with it, answers. */
  ping(): EtcdCall<Found> {
    return this.#range('watch', { key: this.#keyspace.key(''), count_only: true });
  }

  #range(what: string, body: object): EtcdCall<Found> {
    const parse = (reply: unknown): Found | undefined => this.#keyspace.parseRange(reply);
    return { what, path: rangePath, body, parse };
  }

  #ifAt(key: string, version: number, { what, action }: Conditional): Promise<Written> {
    const compare = {
      key: this.#keyspace.key(key),
      // Of a key that does not exist this is 0.
      target: 'MOD',
      result: 'EQUAL',
      mod_revision: String(version),
    };
    const body = { compare: [compare], success: [action] };
    return this.#client.ask({
      what,
      path: '/v3/kv/txn',
      body,
      isWrite: true,
      parse: parseWritten,
    });
  }
}

interface Conditional {
  readonly what: string;
  readonly action: object;
}
