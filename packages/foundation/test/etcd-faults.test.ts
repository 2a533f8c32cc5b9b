import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import { eventually } from '@foundation/testing';
import {
  asRegisters,
  checkLinearizable,
  checkVersions,
  type StoreOperation,
} from '@foundation/testing/history';
import { startEtcd, type EtcdServers } from '@foundation/testing/servers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { bytes, started, textOf, Watched, write, type StartedStore } from './etcd-stores.ts';

let etcd: EtcdServers;
const children: ChildProcess[] = [];

beforeAll(async () => {
  etcd = await startEtcd({ members: 3 });
});
afterAll(async () => {
  for (const child of children) child.kill('SIGKILL');
  await etcd[Symbol.asyncDispose]();
});

function start(what: string, name: string): ChildProcess {
  const program = new URL('etcd-node.ts', import.meta.url);
  const execArgv = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];
  const child = fork(program, [what, name, etcd.endpoints.join()], { execArgv });
  children.push(child);
  return child;
}

async function startClients(name: string): Promise<ChildProcess> {
  const child = start('exercise', name);
  await once(child, 'message');
  return child;
}

async function historyOf(child: ChildProcess): Promise<readonly StoreOperation[]> {
  child.send('stop');
  const [history] = await once(child, 'message');
  return history as StoreOperation[];
}

/** A store that asks one member first, and a watch of it. */
async function watchAt(first: number): Promise<{ store: StartedStore; watched: Watched }> {
  const endpoints = [...etcd.endpoints.slice(first), ...etcd.endpoints.slice(0, first)];
  const store = await started({ endpoints, namespace: 'watched/', timeoutMs: 2_000 });
  const watched = new Watched();
  await store.watch('', watched);
  return { store, watched };
}

/** Until it is certain that the value is there. */
async function writeCertainly(store: StartedStore, value: string): Promise<void> {
  await eventually(`${value} is written`, async () => {
    const found = await store.get('key');
    if (textOf(found?.value) === value) return true;
    return store.compareAndSet('key', found?.version ?? 0, bytes(value));
  });
}

interface Fault {
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

/** The machine's monotonic clock, by which histories are written. */
const machineMs = (): number => Number(process.hrtime.bigint()) / 1e6;

/** How many operations failed, or took as long as no operation does that nothing happened to. */
function victims(history: readonly StoreOperation[], { from, to }: Fault): number {
  const met = history.filter(({ calledAt, reply }) => {
    if (reply === 'unknown') return calledAt > from - 2_000 && calledAt < to;
    return calledAt < to && reply.at > from && reply.at - calledAt > 400;
  });
  return met.length;
}

describe('an etcd of three', () => {
  it('does everything at one moment each, and tells all, while its leader is killed, and frozen', async () => {
    const clients = await Promise.all(['a', 'b', 'c'].map(startClients));
    const watches = await Promise.all([0, 1, 2].map(watchAt));
    const faults: Fault[] = [];
    const happens = async (what: string, cause: () => unknown): Promise<void> => {
      const from = machineMs();
      await cause();
      await Promise.all(watches.slice(0, 1).map(({ store }) => writeCertainly(store, what)));
      faults.push({ what, from, to: machineMs() });
      await Promise.all(watches.map(({ watched }) => watched.until({ key: what })));
    };
    const killed = await etcd.leader();
    await happens('killed', () => killed.kill());
    await killed.restart();
    const frozen = await etcd.leader();
    await happens('frozen', () => frozen.freeze());
    frozen.thaw();
    await happens('thawed', () => {});

    const history = (await Promise.all(clients.map(historyOf))).flat();
    expect(history.length).toBeGreaterThan(200);
    for (const fault of faults.slice(0, 2)) {
      expect(victims(history, fault), fault.what).toBeGreaterThan(0);
    }
    expect(checkVersions(history)).toEqual([]);
    expect(checkLinearizable(asRegisters(history))).toMatchObject({ verdict: 'linearizable' });
    for (const { store, watched } of watches) {
      expect(watched.late).toEqual([]);
      await store.stop();
    }
  });

  it('lets a program end when everything is answered, though it watches, and not before', async () => {
    const program = start('once', '');
    const exited = once(program, 'exit');
    const [told] = await once(program, 'message');
    expect(told).toEqual({ version: expect.any(Number) });
    expect(await exited).toEqual([0, null]);
  });

  it('refuses what needs a majority when there is none, and says that nothing happened', async () => {
    await using store = await started({ endpoints: etcd.endpoints, timeoutMs: 1_000 });
    await write(store, 'key', '1');
    await Promise.all(etcd.members.slice(1).map((member) => member.kill()));
    const noQuorum = { code: 'NO_QUORUM', outcome: 'not-executed', retryable: true };
    // Until the one that is left has noticed, it waits for the others.
    await eventually('it has noticed', () =>
      expect(write(store, 'key', '2'))
        .rejects.toMatchObject(noQuorum)
        .then(() => true),
    );
    await expect(store.get('key')).rejects.toMatchObject(noQuorum);
    await expect(store.compareAndSet('other', 0, bytes('1'))).rejects.toMatchObject(noQuorum);
    await Promise.all(etcd.members.slice(1).map((member) => member.restart()));
    expect(await store.get('other')).toBeUndefined();
    expect(textOf((await store.get('key'))?.value)).toBe('1');
  });
});
