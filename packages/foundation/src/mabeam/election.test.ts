import { MachineClock, SimHost, SimStore, SimStoreServer, Simulation } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import type { Clock } from '../clock.ts';
import { fenced } from '../lease/fence.ts';
import { Leases } from '../lease/leases.ts';
import { startNode } from '../node.ts';
import { Variables } from '../values/variables.ts';
import { Codec } from '../wire/codec.ts';
import { Election, type Leader, type Leadership } from './election.ts';
import { Mutex } from './mutex.ts';

const ttlMs = 1_000;

interface Machine {
  readonly host: SimHost;
  readonly clock: Clock;
  readonly election: Election;
  readonly mutex: Mutex;
  readonly variables: Variables;
  stop(): Promise<void>;
}

/** Programs on machines of their own, and a store elsewhere. */
class World {
  readonly simulation = new Simulation(1);
  readonly server = new SimStoreServer(this.simulation);

  boot(node: string): Machine {
    const { simulation, server } = this;
    const { random } = simulation;
    const host = new SimHost(simulation, node);
    const clock = new MachineClock(simulation, host);
    const store = new SimStore(server, { host, clock });
    const parts = { node, store, clock, random };
    const leases = new Leases({ ...parts, prefix: 'lease', onProblem: () => {} });
    const variables = new Variables({ ...parts, codec: new Codec() });
    const election = new Election('boss', { ttlMs }, { node, leases, variables });
    const mutex = new Mutex('door', { ttlMs }, { leases, clock });
    return { host, clock, election, mutex, variables, stop: () => leases.stop() };
  }

  /** What a promise comes to. */
  async over<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    if (!(await this.simulation.runUntil(() => isSettled, withinMs))) {
      throw new Error(`not settled within ${withinMs} ms`);
    }
    return settled;
  }

  async pass(ms: number): Promise<void> {
    const until = this.simulation.nowMs + ms;
    await this.simulation.runUntil(() => this.simulation.nowMs >= until, ms + 1);
  }

  lead({ election }: Machine, withinMs?: number): Promise<Leadership> {
    return this.over(election.campaign(), withinMs);
  }
}

/** Collects what a watcher is told. */
function told(election: Election): (Leader | undefined)[] {
  const leaders: (Leader | undefined)[] = [];
  void (async () => {
    for await (const leader of election.watch()) leaders.push(leader);
  })();
  return leaders;
}

describe('an election', () => {
  it('has one leader, with epochs that only rise, each of one leader', async () => {
    const world = new World();
    const machines = ['a', 'b', 'c'].map((name) => world.boot(name));
    const epochs: number[] = [];
    const [first, ...others] = machines.map(({ election }) => election.campaign());
    const waiting = new Set(others);
    let leadership = await world.over(first ?? Promise.reject(new Error('nobody')));
    for (;;) {
      epochs.push(leadership.epoch);
      expect(leadership.isLeader).toBe(true);
      const seen = await world.over(machines[2]?.election.leader() ?? Promise.resolve(undefined));
      expect(seen).toEqual({ node: leadership.node, epoch: leadership.epoch });
      if (waiting.size === 0) break;
      await world.over(leadership.resign());
      expect(leadership.isLeader).toBe(false);
      const next = Promise.race([...waiting].map(async (each) => [each, await each] as const));
      const [promise, elected] = await world.over(next, 200);
      waiting.delete(promise);
      leadership = elected;
    }
    expect(epochs).toHaveLength(3);
    expect(epochs).toEqual([...new Set(epochs)].toSorted((x, y) => x - y));
  });

  it('finds a new leader within two lease times of the death of the one before', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const first = await world.lead(a);
    const next = b.election.campaign();
    await world.pass(2_500);
    a.host.crash('kill');
    const second = await world.over(next, 2 * ttlMs);
    expect(second.epoch).toBeGreaterThan(first.epoch);
    expect(await world.over(b.election.leader())).toEqual({ node: 'b', epoch: second.epoch });
  });

  it('refuses the first write of a leader that stood still while another was elected (E3)', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const [mine, theirs] = [a, b].map(({ variables }) =>
      variables.strong<string>('orders', { initial: '' }),
    );
    const pages: string[] = [];
    const printer = fenced({ print: (page: string) => pages.push(page) });
    const first = await world.lead(a);
    const early = await world.over(mine?.fencedBy(first.epoch) ?? Promise.reject(new Error()));
    await world.over(early.set('from a'));
    printer(first.epoch).print('a');
    a.host.freeze(10 * ttlMs);
    const second = await world.over(b.election.campaign(), 2 * ttlMs);
    const late = await world.over(theirs?.fencedBy(second.epoch) ?? Promise.reject(new Error()));
    await world.over(late.set('from b'));
    printer(second.epoch).print('b');
    await world.pass(12 * ttlMs);
    // It believes what it likes: the resource knows.
    expect(() => printer(first.epoch).print('a again')).toThrowError(
      expect.objectContaining({ code: 'FENCED' }),
    );
    await expect(world.over(early.set('from a again'))).rejects.toMatchObject({ code: 'FENCED' });
    expect([await world.over(late.get()), pages]).toEqual(['from b', ['a', 'b']]);
    expect([first.isLeader, second.isLeader]).toEqual([false, true]);
    expect(first.signal.reason).toMatchObject({ code: 'LEASE_LOST' });
    // Nor does it take the place of the other by resigning late.
    await world.over(first.resign());
    expect(await world.over(b.election.leader())).toEqual({ node: 'b', epoch: second.epoch });
  });

  it('tells watchers of each leader once, and of nobody when one resigns', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const leaders = told(b.election);
    await world.pass(50);
    const first = await world.lead(a);
    await world.pass(50);
    await world.over(first.resign());
    await world.pass(50);
    const second = await world.lead(b);
    await world.pass(50);
    expect(leaders).toEqual([
      undefined,
      { node: 'a', epoch: first.epoch },
      undefined,
      { node: 'b', epoch: second.epoch },
    ]);
  });

  it('is waited for no longer than a signal says', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    await world.lead(a);
    const given = new AbortController();
    const campaign = b.election.campaign({ signal: given.signal });
    await world.pass(100);
    given.abort();
    await expect(world.over(campaign, 50)).rejects.toMatchObject({ code: 'ABORTED' });
  });

  it('goes on whenever the store was away while one was elected and announced itself', async () => {
    for (const outage of ['refusing', 'silent'] as const) {
      for (let afterMs = 1; afterMs < 25; afterMs++) {
        const world = new World();
        const a = world.boot('a');
        const campaign = a.election.campaign();
        await world.pass(afterMs);
        world.server.goAway(outage);
        await world.pass(3 * ttlMs);
        world.server.comeBack();
        const { epoch } = await world.over(campaign);
        const leader = await world.over(a.election.leader());
        // It may have led before, and have lost its lease meanwhile.
        expect(leader).toEqual({ node: 'a', epoch });
      }
    }
  });

  it('refuses what makes no sense', async () => {
    const world = new World();
    const { election, variables } = world.boot('a');
    const make =
      (name: unknown, options: object = {}) =>
      () =>
        new Election(name as string, options, {
          node: 'a',
          leases: new Leases({} as never),
          variables,
        });
    expect(make('x y\n')).toThrow('mabeam.election: expected `name` to be a name of 1 to 200');
    expect(make(7)).toThrow('expected `name`');
    expect(make('x'.repeat(195))).toThrow('expected `name`');
    expect(make('x', { ttl: 5 })).toThrow('unknown option `ttl`');
    await expect(election.campaign({ sginal: 1 } as object)).rejects.toThrow(
      'did you mean `signal`',
    );
  });
});

describe('a mutex', () => {
  it('lets one work at a time, in the whole cluster, and hands each a higher token', async () => {
    const world = new World();
    const machines = ['a', 'b', 'c'].map((name) => world.boot(name));
    let [inside, most] = [0, 0];
    const tokens: number[] = [];
    const work = ({ mutex, clock }: Machine): Promise<string> =>
      mutex.run(async ({ token, isHeld }) => {
        tokens.push(token);
        most = Math.max(most, ++inside);
        await new Promise<void>((resolve) => clock.after(20, resolve));
        inside--;
        return isHeld ? 'done' : 'lost';
      });
    const all = [...machines, ...machines, ...machines].map(work);
    expect(new Set(await world.over(Promise.all(all)))).toEqual(new Set(['done']));
    expect(most).toBe(1);
    expect(tokens).toHaveLength(9);
    expect(tokens).toEqual([...new Set(tokens)].toSorted((x, y) => x - y));
  });

  it('is free again when the work has failed', async () => {
    const world = new World();
    const { mutex } = world.boot('a');
    const failing = mutex.run(() => {
      throw new Error('no paper');
    });
    await expect(world.over(failing)).rejects.toThrow('no paper');
    expect(
      await world.over(
        mutex.run(() => 'next'),
        50,
      ),
    ).toBe('next');
  });

  it('is waited for no longer than said, and the work is then not begun', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const { promise: held, resolve: leave } = Promise.withResolvers<void>();
    const first = a.mutex.run(() => held);
    await world.pass(50);
    let begun = 0;
    const late = b.mutex.run(() => void begun++, { timeoutMs: 300 });
    await expect(world.over(late, 350)).rejects.toMatchObject({
      code: 'ABORTED',
      outcome: 'not-executed',
      message: 'the mutex "door" was not free within 300 ms',
    });
    const given = new AbortController();
    const aborted = b.mutex.run(() => void begun++, { signal: given.signal, timeoutMs: 60_000 });
    await world.pass(50);
    given.abort(new Error('enough'));
    await expect(world.over(aborted, 50)).rejects.toMatchObject({ code: 'ABORTED' });
    await expect(
      world.over(b.mutex.run(() => void begun++, { signal: given.signal })),
    ).rejects.toMatchObject({
      code: 'ABORTED',
    });
    leave();
    await world.over(first);
    expect(begun).toBe(0);
    await world.over(
      b.mutex.run(() => void begun++, { timeoutMs: 300 }),
      100,
    );
    expect(begun).toBe(1);
  });

  it('tells work that has lost it, and calls it no success', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const { promise, resolve } = Promise.withResolvers<string>();
    let hold: { readonly signal: AbortSignal; readonly isHeld: boolean; token: number } | undefined;
    const first = a.mutex.run((given) => {
      hold = given;
      return promise;
    });
    first.catch(() => undefined);
    await world.pass(50);
    expect(hold?.isHeld).toBe(true);
    a.host.freeze(3 * ttlMs);
    const token = await world.over(
      b.mutex.run((given) => given.token),
      2 * ttlMs,
    );
    await world.pass(4 * ttlMs);
    expect([hold?.isHeld, hold?.signal.aborted]).toEqual([false, true]);
    expect(token).toBeGreaterThan(hold?.token ?? Infinity);
    resolve('done');
    await expect(world.over(first)).rejects.toMatchObject({
      code: 'LEASE_LOST',
      outcome: 'unknown',
      details: { name: 'door' },
    });
  });

  it('refuses what makes no sense', async () => {
    const { mutex } = new World().boot('a');
    await expect(mutex.run('work' as never)).rejects.toThrow('expected `work` to be a function');
    const run = (options: object): Promise<void> => mutex.run(() => {}, options);
    await expect(run({ timeoutMs: -1 })).rejects.toThrow('expected `timeoutMs`');
    await expect(run({ timeout: 5 })).rejects.toThrow('did you mean `timeoutMs`');
    await expect(run({ signal: 5 })).rejects.toThrow('expected `signal` to be an AbortSignal');
  });
});

describe('a node', () => {
  it('has elections and mutexes, and lets go of them when it stops', async () => {
    const node = await startNode({ cluster: 'off' });
    const election = node.mabeam.election('boss');
    const leadership = await election.campaign();
    expect(await election.leader()).toEqual({ node: node.name, epoch: leadership.epoch });
    expect(await node.mabeam.mutex('door').run(({ token }) => token > 0)).toBe(true);
    await node.stop();
    expect(leadership.signal.aborted).toBe(true);
    await expect(election.campaign()).rejects.toMatchObject({ code: 'NODE_STOPPED' });
  });
});
