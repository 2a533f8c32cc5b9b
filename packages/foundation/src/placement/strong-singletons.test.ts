import { MachineClock, SimHost, SimStore, SimStoreServer, Simulation } from '@foundation/testing';
import { afterEach, describe, expect, it } from 'vitest';

import { failure, listen } from '../../test/alone.ts';
import { startNode } from '../node.ts';
import { defineProcess } from '../process/definition.ts';

/** How workers ended, each by its reason. */
let terminated: string[] = [];

const worker = defineProcess('worker', {
  init: (init: { readonly fails?: boolean } | undefined) => {
    if (init?.fails === true) throw new Error('not today');
    return { count: 0 };
  },
  calls: {
    add: ({ state }) => ++state.count,
    token: (ctx) => ctx.fencingToken,
    hang: () => new Promise<void>(() => {}),
    crash: (): number => {
      throw new Error('crashed');
    },
  },
  terminate: (_ctx, reason) => {
    terminated.push(reason);
  },
});

const strong = { name: 'one', strategy: 'singleton', consistency: 'strong' } as const;
/** How long the leases of the simulated store last, in milliseconds. */
const leaseMs = 1_000;

afterEach(() => {
  terminated = [];
});

/** A node on a machine of its own, and a store elsewhere. */
async function boot(simulation = new Simulation(1), server = new SimStoreServer(simulation)) {
  const host = new SimHost(simulation, 'alone');
  const clock = new MachineClock(simulation, host);
  const node = await startNode({
    cluster: 'off',
    name: 'alone',
    profile: 'test',
    processes: [worker],
    ports: { store: new SimStore(server, { host, clock }) },
    clock,
    random: simulation.random,
  });
  /** What a promise comes to. */
  const over = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    await simulation.runUntil(() => isSettled, 200_000);
    return settled;
  };
  return {
    simulation,
    server,
    host,
    clock,
    node,
    over,
    isRunning: () => node.registry.lookup('one') !== undefined,
    [Symbol.asyncDispose]: () => over(node.stop()),
  };
}

describe('a strong singleton', () => {
  it('knows its fencing token, which is higher in each tenure and the same in each life of one', async () => {
    await using world = await boot();
    const { node, over } = world;
    const ref = await over(node.processes.start(worker, strong));
    const first = await over(ref.token());
    expect(first).toBeGreaterThan(0);
    await expect(over(ref.crash())).rejects.toMatchObject({ code: 'PROCESS_DOWN' });
    expect(await over(ref.token())).toBe(first);
    await over(node.processes.stop(ref));
    await over(node.processes.start(worker, strong));
    expect(await over(ref.token())).toBeGreaterThan(first ?? Infinity);
    const others = [
      await node.processes.start(worker),
      await over(node.processes.start(worker, { name: 'other', strategy: 'singleton' })),
    ];
    for (const other of others) expect(await over(other.token())).toBeUndefined();
  });

  it('ends in good order before its lease does when the store is away, and comes back with it', async () => {
    await using world = await boot();
    const { node, over, simulation, server } = world;
    const ref = await over(node.processes.start(worker, strong));
    const token = await over(ref.token());
    await simulation.advance(3 * leaseMs);
    server.goAway('silent');
    await simulation.advance(0.4 * leaseMs);
    expect(world.isRunning()).toBe(true);
    await simulation.advance(0.5 * leaseMs);
    expect([world.isRunning(), terminated]).toEqual([false, ['shutdown']]);
    await simulation.advance(10 * leaseMs);
    expect(world.isRunning()).toBe(false);
    server.comeBack();
    await simulation.advance(2 * leaseMs);
    expect(await over(ref.token())).toBeGreaterThan(token ?? Infinity);
  });

  it('that does not end by itself is killed before its lease ends', async () => {
    await using world = await boot();
    const { node, over, simulation, server } = world;
    const ref = await over(node.processes.start(worker, strong));
    await simulation.advance(3 * leaseMs);
    const hanging = failure(ref.hang());
    server.goAway('silent');
    await simulation.advance(0.9 * leaseMs);
    expect([world.isRunning(), terminated]).toEqual([false, []]);
    expect(await hanging).toMatchObject({ code: 'PROCESS_DOWN', details: { reason: 'killed' } });
  });

  it('handles nothing of what waits for it when its program has stood still', async () => {
    await using world = await boot();
    const { node, over, simulation, host } = world;
    const ref = await over(node.processes.start(worker, strong));
    expect(await over(ref.add())).toBe(1);
    host.freeze(2 * leaseMs);
    await simulation.advance(1.9 * leaseMs);
    // No timer has come round yet: the process itself is asked.
    expect(world.isRunning()).toBe(true);
    const late = await Promise.all([failure(ref.add()), failure(ref.add())]);
    expect(late.map(({ code }) => code)).toEqual(['PROCESS_DOWN', 'PROCESS_DOWN']);
    expect(world.isRunning()).toBe(false);
    await simulation.advance(2 * leaseMs);
    expect(await over(ref.add())).toBe(1);
  });

  it('whose start fails is not kept, and its lease is free at once', async () => {
    await using world = await boot();
    const { node, over, server, simulation } = world;
    const failed = node.processes.start(worker, { ...strong, init: { fails: true } });
    await expect(over(failed)).rejects.toMatchObject({ code: 'START_FAILED' });
    await simulation.advance(50);
    expect(await server.data.list('singleton/')).toEqual([]);
    expect(node.registry.singletons('alone')).toEqual([]);
    await over(node.processes.start(worker, strong));
    expect(world.isRunning()).toBe(true);
  });

  it('does not start while the store cannot be reached, and says so at once', async () => {
    await using world = await boot();
    const { node, over, server, simulation } = world;
    server.goAway('refusing');
    const beganMs = simulation.nowMs;
    const refused = over(node.processes.start(worker, strong));
    await expect(refused).rejects.toMatchObject({ code: 'NO_QUORUM', outcome: 'not-executed' });
    expect(simulation.nowMs - beganMs).toBeLessThan(100);
    server.comeBack();
    await simulation.advance(5_000);
    expect(world.isRunning()).toBe(false);
    await over(node.processes.start(worker, strong));
    expect(world.isRunning()).toBe(true);
  });

  it('that was stopped is not started again, and its lease is given up when others know', async () => {
    await using world = await boot();
    const { node, over, server, simulation } = world;
    const ref = await over(node.processes.start(worker, strong));
    await over(node.processes.stop(ref, { reason: 'shutdown' }));
    await simulation.advance(20 * leaseMs);
    expect(world.isRunning()).toBe(false);
    expect(await server.data.list('singleton/')).toEqual([]);
    expect(node.registry.singletons('alone')).toEqual([]);
  });

  it('whose supervisor gives up is tried again, by another lease', async () => {
    await using world = await boot();
    const { node, over, simulation } = world;
    const ref = await over(node.processes.start(worker, strong));
    const token = await over(ref.token());
    const gaveUp = listen(node, 'gave-up');
    for (let round = 0; round < 40 && gaveUp.length === 0; round++) {
      await over(ref.crash().catch(() => undefined));
      await simulation.advance(20);
    }
    await simulation.advance(2 * leaseMs);
    expect(gaveUp).toHaveLength(1);
    expect(await over(ref.token())).toBeGreaterThan(token ?? Infinity);
  });

  it('goes from a node that stops to one that waits, which has known of it by its own start', async () => {
    await using world = await boot();
    await using other = await boot(world.simulation, world.server);
    const ref = await world.over(world.node.processes.start(worker, strong));
    const token = await world.over(ref.token());
    // Two nodes that do not see each other: only the store knows of both.
    const starting = other.node.processes.start(worker, strong);
    await world.simulation.advance(20 * leaseMs);
    expect([world.isRunning(), other.isRunning()]).toEqual([true, false]);
    await world.over(world.node.stop());
    const moved = await world.over(starting);
    expect(await world.over(moved.token())).toBeGreaterThan(token ?? Infinity);
  });

  it.each(['stop', 'drain'] as const)(
    'that has no lease yet is waited for no more when its node is to %s',
    async (end) => {
      await using world = await boot();
      await using other = await boot(world.simulation, world.server);
      await world.over(world.node.processes.start(worker, strong));
      const { node, over, simulation } = other;
      const beganMs = simulation.nowMs;
      // One waits for the other node, one has not asked the store yet.
      const waiting = failure(node.processes.start(worker, strong));
      await simulation.advance(leaseMs);
      const asking = failure(node.processes.start(worker, { ...strong, name: 'two' }));
      await over(node[end]());
      const stopped = { code: 'NODE_STOPPED', outcome: 'not-executed' };
      expect(await over(waiting)).toMatchObject(stopped);
      expect(await over(asking)).toMatchObject(stopped);
      const late = failure(node.processes.start(worker, { ...strong, name: 'three' }));
      expect(await over(late)).toMatchObject(stopped);
      expect(simulation.nowMs - beganMs).toBeLessThan(5 * leaseMs);
      await simulation.advance(leaseMs);
      expect(await other.server.data.list('singleton/')).toEqual(['singleton/one']);
    },
  );

  it('that another node holds does not start within the limit', async () => {
    await using world = await boot();
    await using other = await boot(world.simulation, world.server);
    await world.over(world.node.processes.start(worker, strong));
    const refused = world.over(other.node.processes.start(worker, strong));
    await expect(refused).rejects.toMatchObject({
      code: 'CALL_TIMEOUT',
      message: expect.stringContaining('another node holds its lease'),
    });
  });

  it('is asked for with options that fit', async () => {
    await using world = await boot();
    const { processes } = world.node;
    const invalid = { code: 'INVALID_OPTION' };
    const start = (options: object): Promise<unknown> => processes.start(worker, options);
    await expect(start({ consistency: 'strong' })).rejects.toMatchObject(invalid);
    await expect(start({ ...strong, consistency: 'weak' })).rejects.toMatchObject(invalid);
    await expect(start({ ...strong, name: undefined })).rejects.toMatchObject(invalid);
  });
});
