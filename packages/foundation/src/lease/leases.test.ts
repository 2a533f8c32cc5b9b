import { MachineClock, SimHost, SimStore, SimStoreServer, Simulation } from '@foundation/testing';
import { describe, expect, it } from 'vitest';

import { startNode } from '../node.ts';
import type { Lease } from './lease.ts';
import { Leases } from './leases.ts';

const ttlMs = 1_000;

interface Machine {
  readonly host: SimHost;
  readonly clock: MachineClock;
  readonly leases: Leases;
  readonly problems: string[];
}

/** Programs on machines of their own, and a store elsewhere. */
class World {
  readonly simulation = new Simulation(1);
  readonly server = new SimStoreServer(this.simulation);

  boot(node: string): Machine {
    const { simulation } = this;
    const host = new SimHost(simulation, node);
    const clock = new MachineClock(simulation, host);
    const problems: string[] = [];
    const store = new SimStore(this.server, { host, clock });
    const leases = new Leases({
      prefix: 'lease',
      node,
      store,
      clock,
      random: simulation.random,
      onProblem: ({ what, error }) => problems.push(`${what}: ${String(error)}`),
    });
    return { host, clock, leases, problems };
  }

  /** What a promise comes to within so many milliseconds. */
  async over<T>(promise: Promise<T>, withinMs = 60_000): Promise<T> {
    let isSettled = false;
    const settled = promise.finally(() => (isSettled = true));
    settled.catch(() => undefined);
    if (!(await this.simulation.runUntil(() => isSettled, withinMs))) {
      throw new Error(`not settled within ${withinMs} ms`);
    }
    return settled;
  }

  async acquire({ leases }: Machine, withinMs?: number): Promise<Lease> {
    return this.over(leases.acquire('one', { ttlMs }), withinMs);
  }

  /** After how many milliseconds a promise has settled. */
  async timed(promise: Promise<unknown>): Promise<number> {
    const beganMs = this.simulation.nowMs;
    await this.over(promise);
    return this.simulation.nowMs - beganMs;
  }
}

function whyLost({ signal }: Lease): unknown {
  const { code, details } = Object(signal.reason) as { code?: string; details?: { why?: string } };
  return code === 'LEASE_LOST' ? details?.why : signal.reason;
}

describe('a lease', () => {
  it('that is free is held at once, and its token grows from grant to grant', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const tokens: number[] = [];
    for (const machine of [a, b, a, a]) {
      const lease = await world.acquire(machine, 50);
      expect([lease.name, lease.isHeld, lease.signal.aborted]).toEqual(['one', true, false]);
      expect(lease.remainingMs).toBeGreaterThan(800);
      tokens.push(lease.token);
      await world.over(lease.release(), 50);
    }
    expect(tokens).toEqual([...new Set(tokens)].toSorted((x, y) => x - y));
  });

  it('is kept as long as its holder lives, and nobody else has it meanwhile', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.acquire(a);
    let other: Lease | undefined;
    void b.leases.acquire('one', { ttlMs }).then((got) => (other = got));
    await world.simulation.advance(20 * ttlMs);
    expect([lease.isHeld, other]).toEqual([true, undefined]);
  });

  it('goes to one who waits in the moment at which it is released', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.acquire(a);
    const next = b.leases.acquire('one', { ttlMs });
    await world.simulation.advance(ttlMs / 2);
    void lease.release();
    expect([lease.isHeld, lease.remainingMs, whyLost(lease)]).toEqual([false, 0, 'released']);
    expect(await world.timed(next)).toBeLessThan(30);
  });

  it('of a holder that is gone is taken over when it was seen unchanged for all its time', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    await world.acquire(a);
    const next = b.leases.acquire('one', { ttlMs: 300 });
    await world.simulation.advance(5 * ttlMs + 10);
    a.host.crash('kill');
    // As long as the holder has said, whatever the other wants for itself.
    const tookMs = await world.timed(next);
    expect(tookMs).toBeGreaterThan(0.7 * ttlMs);
    expect(tookMs).toBeLessThan(ttlMs + 30);
  });

  it('is held by one of many who want it, in one program too, one after the other', async () => {
    const world = new World();
    const { leases } = world.boot('a');
    let held = 0;
    const turns: number[] = [];
    const all = Array.from({ length: 8 }, async () => {
      const lease = await leases.acquire('one', { ttlMs });
      turns.push(lease.token);
      expect(++held).toBe(1);
      await new Promise<void>((resolve) => void world.simulation.schedule(20, resolve));
      held--;
      await lease.release();
    });
    await world.over(Promise.all(all));
    expect(new Set(turns).size).toBe(8);
    expect(turns).toEqual(turns.toSorted((x, y) => x - y));
  });

  it('ends by itself when the store is away, before anybody else may have it, and not later', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.acquire(a);
    const next = b.leases.acquire('one', { ttlMs });
    world.server.goAway('silent');
    await world.simulation.advance(0.89 * ttlMs);
    expect(lease.isHeld).toBe(true);
    await world.simulation.advance(0.02 * ttlMs);
    expect([lease.signal.aborted, lease.isHeld, whyLost(lease)]).toEqual([true, false, 'expired']);
    await world.simulation.advance(10 * ttlMs);
    expect(a.problems).toHaveLength(1);
    expect(b.problems).toEqual([expect.stringContaining('the lease "one"')]);
    world.server.comeBack();
    const later = await world.over(next, 2 * ttlMs);
    expect(later.token).toBeGreaterThan(lease.token);
  });

  it('outlives an outage that is shorter than its time', async () => {
    const world = new World();
    const a = world.boot('a');
    const lease = await world.acquire(a);
    for (const outage of ['refusing', 'silent', 'refusing'] as const) {
      await world.simulation.advance(0.2 * ttlMs);
      world.server.goAway(outage);
      await world.simulation.advance(0.3 * ttlMs);
      world.server.comeBack();
      await world.simulation.advance(2 * ttlMs);
    }
    expect(lease.isHeld).toBe(true);
    expect(a.problems).toHaveLength(3);
  });

  it('is held, and kept, though acknowledgements get lost', async () => {
    const world = new World();
    const a = world.boot('a');
    world.server.cut('a', 'answers');
    const asked = a.leases.acquire('one', { ttlMs: 4_000 });
    await world.simulation.advance(600);
    expect((await world.server.data.get('lease/one'))?.version).toBe(undefined);
    await world.simulation.advance(400);
    world.server.heal();
    const lease = await world.over(asked, 1_000);
    world.server.lose(0.05);
    await world.simulation.advance(60_000);
    expect(lease.isHeld).toBe(true);
  });
});

describe('a holder', () => {
  it('that stood still has lost it, and knows before any timer has told it', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.acquire(a);
    a.host.freeze(3 * ttlMs);
    const other = await world.acquire(b);
    await world.simulation.advance(ttlMs);
    expect(lease.signal.aborted).toBe(false);
    expect(lease.isHeld).toBe(false);
    expect([lease.signal.aborted, whyLost(lease)]).toEqual([true, 'expired']);
    expect(other.isHeld).toBe(true);
  });

  it('that stood still for a quarter of the time steps down, though it would still have it', async () => {
    const world = new World();
    const a = world.boot('a');
    const lease = await world.acquire(a);
    a.host.freeze(0.2 * ttlMs);
    await world.simulation.advance(0.3 * ttlMs);
    expect(lease.isHeld).toBe(true);
    a.host.freeze(0.4 * ttlMs);
    await world.simulation.advance(0.5 * ttlMs);
    expect([lease.isHeld, whyLost(lease)]).toEqual([false, 'stalled']);
  });

  it('whose machine slept has lost it, though its monotonic clock does not know', async () => {
    const world = new World();
    const a = world.boot('a');
    const lease = await world.acquire(a);
    const beforeMs = a.clock.now();
    a.clock.sleep(5 * ttlMs);
    await world.simulation.advance(5 * ttlMs);
    expect(a.clock.now()).toBeCloseTo(beforeMs);
    expect([lease.isHeld, whyLost(lease)]).toEqual([false, 'expired']);
  });

  it('whose record was removed or replaced has lost it', async () => {
    const world = new World();
    const a = world.boot('a');
    const lease = await world.acquire(a);
    const { version = 0 } = (await world.server.data.get('lease/one')) ?? {};
    await world.server.data.delete('lease/one', version);
    await world.simulation.advance(0.3 * ttlMs);
    expect([lease.isHeld, whyLost(lease)]).toEqual([false, 'taken']);
  });

  it('that has lost it and is done with its work lets others have it at once', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.acquire(a);
    a.host.freeze(0.5 * ttlMs);
    await world.simulation.advance(0.6 * ttlMs);
    expect(whyLost(lease)).toBe('stalled');
    const next = b.leases.acquire('one', { ttlMs });
    await world.simulation.advance(50);
    void lease.release();
    expect(await world.timed(next)).toBeLessThan(30);
  });

  it('that releases while the store is away does not wait for it for ever', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.acquire(a);
    world.server.goAway('silent');
    await world.over(Promise.all([lease.release(), lease[Symbol.asyncDispose]()]), 3_000);
    world.server.comeBack();
    expect((await world.acquire(b, ttlMs + 50)).isHeld).toBe(true);
  });
});

describe('asking for a lease', () => {
  it('once tells that another has it, and waits for nobody', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.over(a.leases.tryAcquire('one', { ttlMs }), 50);
    expect(lease?.isHeld).toBe(true);
    expect(await world.over(b.leases.tryAcquire('one', { ttlMs }), 50)).toBeUndefined();
    await world.over(lease?.release() ?? Promise.reject(new Error('none')));
    expect(await world.over(b.leases.tryAcquire('one', { ttlMs }), 50)).toBeDefined();
  });

  it('again and again finds out that its holder is gone', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    await world.acquire(a);
    a.host.crash('kill');
    expect(await world.over(b.leases.tryAcquire('one'), 50)).toBeUndefined();
    await world.simulation.advance(0.9 * ttlMs);
    expect(await world.over(b.leases.tryAcquire('one'), 50)).toBeUndefined();
    await world.simulation.advance(0.1 * ttlMs);
    expect((await world.over(b.leases.tryAcquire('one'), 50))?.isHeld).toBe(true);
  });

  it('once fails when the store is away, and not when only an acknowledgement was lost', async () => {
    const world = new World();
    const a = world.boot('a');
    world.server.goAway('refusing');
    await expect(world.over(a.leases.tryAcquire('one'))).rejects.toMatchObject({
      code: 'NO_QUORUM',
    });
    world.server.comeBack();
    const asked = a.leases.tryAcquire('one', { ttlMs: 5_000 });
    // The write is on its way when answers begin to get lost.
    await world.simulation.runUntil(() => world.server.writes > 0, 100);
    world.server.cut('a', 'answers');
    await world.simulation.advance(400);
    world.server.heal();
    expect((await world.over(asked))?.isHeld).toBe(true);
  });

  it('ends with ABORTED when it is given up, and leaves nothing behind', async () => {
    const world = new World();
    const [a, b, c] = [world.boot('a'), world.boot('b'), world.boot('c')];
    const lease = await world.acquire(a);
    const gone = AbortSignal.abort(new Error('not now'));
    await expect(b.leases.acquire('one', { signal: gone })).rejects.toMatchObject({
      code: 'ABORTED',
      outcome: 'not-executed',
      message: 'the lease "one" was not asked for',
      cause: gone.reason,
    });
    const controller = new AbortController();
    const asked = b.leases.acquire('one', { ttlMs, signal: controller.signal });
    await world.simulation.advance(100);
    controller.abort();
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED', outcome: 'unknown' });
    await world.over(lease.release());
    await world.simulation.advance(100);
    await world.acquire(c, 50);
  });

  it('that is given up while its write is on the way does not keep the lease from others', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const controller = new AbortController();
    const asked = a.leases.acquire('one', { ttlMs, signal: controller.signal });
    asked.catch(() => undefined);
    await world.simulation.runUntil(() => world.server.writes > 0, 100);
    controller.abort();
    await expect(asked).rejects.toMatchObject({ code: 'ABORTED' });
    await world.simulation.advance(50);
    await world.acquire(b, 50);
  });

  it('fails at once for what waiting does not help against', async () => {
    const world = new World();
    const a = world.boot('a');
    await world.server.data.compareAndSet('lease/one', 0, Buffer.from('{"holder":1}'));
    await expect(world.over(a.leases.acquire('one'))).rejects.toMatchObject({
      code: 'MALFORMED',
      message: '"lease/one" in the store is no lease: \'{"holder":1}\'',
    });
  });

  it('with something wrong is refused before anything happens', async () => {
    const { leases } = new World().boot('a');
    const invalid = { code: 'INVALID_OPTION' };
    for (const name of ['../x', ' ', ' x']) {
      await expect(leases.acquire(name)).rejects.toMatchObject({
        ...invalid,
        message: expect.stringContaining(
          `the first of them a letter, a digit, \`_\` or \`$\`, got: '${name}'`,
        ),
      });
    }
    await expect(leases.acquire('')).rejects.toMatchObject(invalid);
    await expect(leases.acquire(5 as never)).rejects.toMatchObject(invalid);
    await expect(leases.acquire('one', { ttlMs: 99 })).rejects.toMatchObject(invalid);
    await expect(leases.acquire('one', { ttlMs: Infinity })).rejects.toMatchObject(invalid);
    await expect(leases.acquire('one', { tllMs: 1 } as never)).rejects.toThrow('`ttlMs`');
    await expect(leases.acquire('one', { signal: {} as never })).rejects.toMatchObject(invalid);
    await expect(leases.tryAcquire('one', { signal: {} } as never)).rejects.toMatchObject(invalid);
  });

  it('for less time than the store may need is told of, once', async () => {
    const world = new World();
    const a = world.boot('a');
    for (const ms of [500, 500, 1_000]) {
      const lease = await world.over(a.leases.acquire('one', { ttlMs: ms }));
      await world.over(lease.release());
    }
    expect(a.problems).toEqual([expect.stringContaining('leases of 500 ms are lost whenever')]);
  });
});

describe('those who wait for a lease on one node', () => {
  /** Waits, and gives it up as soon as it has it. */
  const holdOnce = async ({ leases }: Machine, onGranted: () => void): Promise<void> => {
    await using _lease = await leases.acquire('one', { ttlMs });
    onGranted();
  };

  it('have it in the order in which they came, and only the first one asks the store', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const count = 40;
    const turns: number[] = [];
    const all = Array.from({ length: count }, (_, index) => holdOnce(a, () => turns.push(index)));
    let others = 0;
    const other = Array.from({ length: 3 }, () => holdOnce(b, () => others++));
    await world.over(Promise.all([...all, ...other]));
    expect(turns).toEqual(Array.from({ length: count }, (_, index) => index));
    expect(others).toBe(3);
    expect(world.server.writes).toBeLessThan(4 * count);
  });

  it('leave the line when they are aborted, wherever they stand, and stop nobody', async () => {
    const world = new World();
    const a = world.boot('a');
    const lease = await world.acquire(a);
    const gone = [new AbortController(), new AbortController(), new AbortController()];
    const left = gone.map(({ signal }) => a.leases.acquire('one', { ttlMs, signal }));
    const refused = Promise.all(
      left.map((each, index) => {
        // Only the first one has asked the store.
        const outcome = index === 0 ? 'unknown' : 'not-executed';
        return expect(each).rejects.toMatchObject({ code: 'ABORTED', outcome });
      }),
    );
    const last = a.leases.acquire('one', { ttlMs });
    await world.simulation.advance(100);
    for (const index of [1, 0, 2]) gone[index]?.abort();
    await world.over(refused);
    await world.simulation.advance(100);
    void lease.release();
    expect(await world.timed(last)).toBeLessThan(30);
  });

  it('know of the last thousand leases what those have seen who were before them', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const names = Array.from({ length: 1_001 }, (_, at) => `l${at}`);
    const tryAll = ({ leases }: Machine, of: readonly string[]): Promise<readonly boolean[]> =>
      world.over(
        Promise.all(
          of.map(async (name) => (await leases.tryAcquire(name, { ttlMs: 60_000 })) !== undefined),
        ),
      );
    expect((await tryAll(a, names)).every(Boolean)).toBe(true);
    a.host.crash('kill');
    expect((await tryAll(b, names)).some(Boolean)).toBe(false);
    await world.simulation.runUntil(() => false, 70_000);
    // Of the one that was seen first it is not known any more that its holder was gone all the time.
    expect((await tryAll(b, names)).filter(Boolean)).toHaveLength(1_000);
  });

  it('know what those have seen who were before them and gave up', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    await world.acquire(a);
    a.host.crash('kill');
    const controller = new AbortController();
    const first = b.leases.acquire('one', { ttlMs, signal: controller.signal });
    const next = b.leases.acquire('one', { ttlMs });
    await world.simulation.advance(0.8 * ttlMs);
    controller.abort();
    await expect(first).rejects.toMatchObject({ code: 'ABORTED' });
    expect(await world.timed(next)).toBeLessThan(0.4 * ttlMs);
  });

  it('are all told when what the first one finds is wrong', async () => {
    const world = new World();
    const a = world.boot('a');
    await world.server.data.compareAndSet('lease/one', 0, Buffer.from('wrong'));
    const all = Array.from({ length: 5 }, () => a.leases.acquire('one', { ttlMs }));
    const settled = await world.over(Promise.allSettled(all));
    expect(settled).toEqual(
      all.map(() =>
        expect.objectContaining({ reason: expect.objectContaining({ code: 'MALFORMED' }) }),
      ),
    );
  });
});

describe('the leases of a node', () => {
  it('are released when it stops, and whoever waits there is told', async () => {
    const world = new World();
    const [a, b] = [world.boot('a'), world.boot('b')];
    const lease = await world.acquire(a);
    const waiting = Promise.allSettled([1, 2, 3].map(() => a.leases.acquire('one', { ttlMs })));
    await world.over(a.leases.stop());
    expect(whyLost(lease)).toBe('released');
    const stopped = {
      code: 'NODE_STOPPED',
      hint: 'You do not hold it. Acquire it on another node.',
    };
    const told = expect.objectContaining({ reason: expect.objectContaining(stopped) });
    expect(await world.over(waiting)).toEqual([told, told, told]);
    await expect(a.leases.acquire('one')).rejects.toMatchObject({ code: 'NODE_STOPPED' });
    await world.acquire(b, 50);
  });

  it('are there on a node that is alone, too', async () => {
    await using node = await startNode({ cluster: 'off' });
    await using lease = await node.leases.acquire('one');
    expect([lease.isHeld, await node.leases.tryAcquire('one')]).toEqual([true, undefined]);
  });
});
