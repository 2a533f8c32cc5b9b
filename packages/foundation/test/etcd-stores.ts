import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isDeepStrictEqual } from 'node:util';

import { eventually } from '@foundation/testing';
import { startTcpProxy, type TcpProxy } from '@foundation/testing/servers';

import { systemClock, type Clock } from '../src/clock.ts';
import type { Versioned, WatchHandlers } from '../src/cluster/store.ts';
import type { EtcdOptions } from '../src/cluster/stores/etcd-options.ts';
import { EtcdStore } from '../src/cluster/stores/etcd.ts';

export type StartedStore = EtcdStore & AsyncDisposable;

let namespaces = 0;

/** A prefix of keys that no other test of this file has. */
export const newNamespace = (): string => `test-${namespaces++}/`;

/** A started store that asks the servers in the order given, in a namespace of its own unless one is given. */
export async function started(options: EtcdOptions): Promise<StartedStore> {
  const random = { next: () => 0.5, int: () => 0 };
  const store = new EtcdStore({ namespace: newNamespace(), random, ...options });
  await store.start();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop() });
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOf = (value: Uint8Array | undefined): string => new TextDecoder().decode(value);

/** Writes over whatever there is. */
export async function write(store: EtcdStore, key: string, value: string): Promise<void> {
  const version = (await store.get(key))?.version ?? 0;
  const written = await store.compareAndSet(key, version, bytes(value));
  if (written === undefined) throw new Error(`somebody else writes ${key}`);
}

/** A proxy before an endpoint, with its own as `endpoint`. */
export async function proxyTo(to: string): Promise<TcpProxy & { readonly endpoint: string }> {
  const proxy = await startTcpProxy(Number(new URL(to).port));
  const endpoint = `http://127.0.0.1:${proxy.port}`;
  return Object.assign(proxy, { endpoint });
}

/** Time that passes faster. */
export function fastClock(times: number): Clock {
  const clock = systemClock;
  return {
    wallNow: () => clock.wallNow(),
    now: () => clock.now() * times,
    after: (delayMs, action, kind) => clock.after(delayMs / times, action, kind),
    every: (periodMs, action) => clock.every(periodMs / times, action),
  };
}

/** What a watch has told. */
export class Watched implements WatchHandlers {
  readonly newest: Record<string, string> = {};
  readonly errors: unknown[] = [];
  /** Versions that were told after later ones. */
  readonly late: string[] = [];
  count = 0;
  readonly #versions = new Map<string, number>();

  onChange(key: string, found: Versioned | undefined): void {
    this.count++;
    if (found === undefined) delete this.newest[key];
    else this.newest[key] = textOf(found.value);
    const last = this.#versions.get(key) ?? 0;
    if (found !== undefined && found.version <= last) this.late.push(`${key}: ${found.version}`);
    this.#versions.set(key, found?.version ?? last);
  }

  onError(error: unknown): void {
    this.errors.push(error);
  }

  /** Waits until it has told so much and no more. */
  until(newest: Record<string, string>): Promise<unknown> {
    return eventually(
      `the watch has told ${JSON.stringify(newest)}`,
      () => isDeepStrictEqual(this.newest, newest),
      { view: () => this.newest },
    );
  }
}

/** Stands in for a server of etcd. */
interface Gateway extends AsyncDisposable {
  readonly endpoint: string;
  /** The paths that it was asked for. */
  readonly asked: string[];
}

/** Answers as told: 404 where nothing is, and a list by a stream that does not end. */
export async function webServer(answer: (path: string) => unknown): Promise<Gateway> {
  const asked: string[] = [];
  const server = createServer(({ url = '' }, response) => {
    asked.push(url);
    const body = answer(url);
    response.statusCode = body === undefined ? 404 : 200;
    if (!Array.isArray(body)) response.end(JSON.stringify(body));
    else for (const message of body) response.write(`${JSON.stringify(message)}\n`);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}
