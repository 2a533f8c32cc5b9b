import { eventually, spawnNode, type TestProcess } from '@foundation/testing';
import { asRegisters, checkLinearizable, checkVersions } from '@foundation/testing/history';
import { startNats, type NatsMember, type NatsServers } from '@foundation/testing/servers';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { JetStreamStore, type JetStreamStoreOptions } from '../src/nats/jet-stream-store.ts';
import { NatsClient } from '../src/nats/nats-client.ts';
import type { StoreNodeCommands } from './nats-store-node.ts';

type Client = TestProcess<StoreNodeCommands>;

/** One at each server, and at no other: who is at one that is cut off stays with it. */
async function startClients(servers: NatsServers, cluster: string): Promise<readonly Client[]> {
  const program = new URL('nats-store-node.ts', import.meta.url);
  const clients = servers.members.map(({ url, name: client }) =>
    spawnNode<StoreNodeCommands>(program, { args: [url, cluster, client] }),
  );
  return Promise.all(clients);
}

/** The server that leads the stream, as others than `not` know it. */
async function leaderOf(
  { members }: NatsServers,
  clusterName: string,
  not?: NatsMember,
): Promise<NatsMember> {
  const servers = members.filter((member) => member !== not).map(({ url }) => url);
  const connection = await connect({ servers, timeout: 1_000 });
  try {
    const find = async (): Promise<NatsMember | undefined> => {
      const manager = await jetstreamManager(connection, { timeout: 1_000, checkAPI: false });
      const { cluster } = await manager.streams.info(`foundation-${clusterName}`);
      return members.find((member) => member !== not && member.name === cluster?.leader);
    };
    return await eventually('the stream has a leader', find, { timeoutMs: 30_000, everyMs: 100 });
  } finally {
    await connection.close();
  }
}

const total = async (clients: readonly Client[]): Promise<number> =>
  (await Promise.all(clients.map((client) => client.ask('count')))).reduce((a, b) => a + b, 0);

/** Waits until clients have done so many operations more. */
async function work(clients: readonly Client[], operations: number): Promise<void> {
  const goal = (await total(clients)) + operations;
  const isDone = async (): Promise<boolean> => (await total(clients)) >= goal;
  await eventually(`${operations} operations more`, isDone, { timeoutMs: 40_000, everyMs: 20 });
}

interface Fault {
  begin(leader: NatsMember): unknown;
  end(leader: NatsMember): unknown;
}

const faults: readonly Fault[] = [
  { begin: (leader) => leader.kill(), end: (leader) => leader.restart() },
  { begin: (leader) => leader.freeze(), end: (leader) => leader.thaw() },
];

describe('a JetStream store on three servers', () => {
  let servers: NatsServers;
  beforeAll(async () => {
    servers = await startNats({ servers: 3 });
  });
  afterAll(() => servers[Symbol.asyncDispose]());

  it('does everything at one moment each while its leader is killed and frozen', async () => {
    const clients = await startClients(servers, 'faults');
    await using _ended = { [Symbol.asyncDispose]: () => endAll(clients) };
    for (const client of clients) await client.ask('start');
    await work(clients, 300);
    for (const fault of faults) {
      const leader = await leaderOf(servers, 'faults');
      await fault.begin(leader);
      await work(clients, 300);
      await leaderOf(servers, 'faults', leader); // the fault had an effect: there is another one
      await fault.end(leader);
      await work(clients, 300);
    }
    const history = (await Promise.all(clients.map((client) => client.ask('stop')))).flat();
    expect(checkVersions(history)).toEqual([]);
    expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
  }, 120_000);

  it('reads nothing that is over from a leader that is cut off', async () => {
    await using writer = await openStore(servers.urls, { cluster: 'stale' });
    const first = (await writer.compareAndSet('key', 0, Buffer.from('first'))) ?? 0;
    const leader = await leaderOf(servers, 'stale');
    await using reader = await openStore([leader.url], { cluster: 'stale', deadlineMs: 500 });
    const others = servers.urls.filter((url) => url !== leader.url);
    await using other = await openStore(others, { cluster: 'stale', deadlineMs: 60_000 });

    leader.isolate();
    let overSince = Number.POSITIVE_INFINITY;
    const second = other
      .compareAndSet('key', first, Buffer.from('second'))
      .finally(() => (overSince = performance.now()));
    const seen: { readonly askedAt: number; readonly version: number }[] = [];
    while (performance.now() < overSince + 3_000) {
      const askedAt = performance.now();
      const found = await reader.get('key').catch(() => undefined);
      if (found !== undefined) seen.push({ askedAt, version: found.version });
    }
    leader.heal();
    expect(await second).toBeGreaterThan(first);
    expect(seen.filter(({ askedAt, version }) => askedAt > overSince && version === first)).toEqual(
      [],
    );
    await eventually(
      'the reader sees what is written',
      async () => {
        return (await reader.get('key'))?.version === (await second);
      },
      { timeoutMs: 30_000, everyMs: 50 },
    );
  }, 120_000);
});

async function openStore(
  servers: readonly string[],
  options: Omit<JetStreamStoreOptions, 'nats'>,
): Promise<JetStreamStore & AsyncDisposable> {
  const store = new JetStreamStore({ nats: new NatsClient({ servers }), ...options });
  await store.start();
  return Object.assign(store, { [Symbol.asyncDispose]: () => store.stop() });
}

async function endAll(clients: readonly Client[]): Promise<void> {
  await Promise.all(clients.map((client) => client.kill()));
}
