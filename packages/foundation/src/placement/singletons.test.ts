import { describe, expect, it } from 'vitest';

import { ManualClock, settled } from '../../test/manual-clock.ts';
import { Quorum } from '../cluster/quorum.ts';
import { MemoryStore } from '../cluster/stores/memory.ts';
import { Events } from '../events.ts';
import { Leases } from '../lease/leases.ts';
import type { ExitReason } from '../process/exit.ts';
import { systemRandom } from '../random.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import { Registry } from '../registry/registry.ts';
import { Singletons } from './singletons.ts';

const record: SingletonRecord = { name: 'one', process: 'p', init: 7, listing: {} };

/** One node's singletons: what they are asked to start, and whom they ask. */
class World {
  readonly clock = new ManualClock();
  readonly events = new Events();
  readonly here: SingletonRecord[] = [];
  readonly there: string[] = [];
  /** What they are given. */
  readonly given: SingletonRecord[] = [];
  #shares = 0;
  candidates: readonly string[] = ['self'];
  failure: Error | undefined = undefined;
  /** Names that this node's registry tells to others, each time a start begins. */
  readonly known: string[][] = [];
  readonly stopped: string[] = [];
  end: (reason: ExitReason) => void = () => {};
  onStop = (): void => {};
  readonly quorum = new Quorum({
    name: 'self',
    splitPolicy: 'majority',
    voters: undefined,
    clock: this.clock,
  });
  readonly registry = new Registry({
    node: 'self',
    incarnation: 1,
    clock: this.clock,
    events: this.events,
    broadcast: () => {},
    evict: () => {},
  });
  readonly singletons = new Singletons('self', this.registry, {
    clock: this.clock,
    events: this.events,
    leases: new Leases({
      prefix: 'singleton',
      node: 'self',
      store: new MemoryStore(),
      clock: this.clock,
      random: systemRandom,
      onProblem: () => {},
    }),
    quorum: this.quorum,
    handlers: {
      candidates: () => this.candidates,
      canRun: () => true,
      startHere: (asked, onEnded) => {
        this.here.push(asked);
        this.known.push(this.kept());
        this.end = onEnded;
        return this.failure === undefined ? Promise.resolve() : Promise.reject(this.failure);
      },
      stopHere: async (name) => {
        this.stopped.push(name);
        this.onStop();
      },
      isRunning: async () => true,
      startThere: async (node, asked) => {
        this.there.push(node);
        this.given.push(asked);
      },
    },
  });

  kept(): string[] {
    return this.registry.singletons('self').map(({ name }) => name);
  }

  /** Another node tells what it runs, and what it has to run. */
  share(node: string, singletons: readonly SingletonRecord[], runs: readonly string[] = []): void {
    const registrations = runs.map((name, serial) => ({
      serial,
      process: 'p',
      name,
      capabilities: [],
      metadata: {},
      registeredAt: { wallMs: 1, count: serial },
    }));
    const share = { incarnation: 1, version: ++this.#shares, registrations, singletons };
    this.registry.receive({ kind: 'share', node, share });
  }
}

describe('the record of a singleton', () => {
  it('is known to the others before the process starts, so that a death in between is covered', async () => {
    const world = new World();
    await world.singletons.start(record);
    expect(world.known).toEqual([['one']]);
    expect(world.kept()).toEqual(['one']);
  });

  it('is forgotten when the start fails, and when the process ends normally for good', async () => {
    const world = new World();
    world.failure = new Error('not today');
    await expect(world.singletons.start(record)).rejects.toThrow('not today');
    expect(world.kept()).toEqual([]);
    world.failure = undefined;
    await world.singletons.start(record);
    world.end('normal');
    await world.clock.advance(10_000);
    expect([world.kept(), world.here.length]).toEqual([[], 2]);
  });
});

describe('a singleton', () => {
  it('is started again after a while when its supervisor has given up, and stays known meanwhile', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.end('shutdown');
    expect(world.kept()).toEqual(['one']);
    expect(world.here).toHaveLength(1);
    await world.clock.advance(1_000);
    expect(world.here).toHaveLength(2);
  });

  it('that lost its name is started again only if nobody has it after a while', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.end('name_conflict');
    expect(world.kept()).toEqual([]);
    await world.clock.advance(1_000);
    expect(world.here).toHaveLength(2);

    const taken = new World();
    await taken.singletons.start(record);
    taken.end('name_conflict');
    taken.registry.register(5, 'p', { name: 'one' });
    await taken.clock.advance(1_000);
    expect(taken.here).toHaveLength(1);
  });

  it('whose node is gone is given to an heir that has joined only now', async () => {
    const world = new World();
    world.candidates = [];
    world.share('gone', [record]);
    world.singletons.onNodeDown('gone');
    world.registry.dropNode('gone');
    world.singletons.settle();
    expect([world.here.length, world.there.length]).toEqual([0, 0]);
    world.candidates = ['newcomer'];
    world.singletons.settle();
    await settled();
    expect(world.there).toEqual(['newcomer']);
  });
});

describe('a singleton on a node without a quorum', () => {
  /** One that runs here, with a node that was there and is not any more. */
  async function split(): Promise<World> {
    const world = new World();
    world.quorum.view(['other']);
    await world.singletons.start(record);
    world.quorum.view([]);
    return world;
  }

  it('is ended, stays known, and is started again when there is a quorum', async () => {
    const world = await split();
    expect(world.stopped).toEqual(['one']);
    world.end('normal');
    await world.clock.advance(60_000);
    expect([world.kept(), world.here.length]).toEqual([['one'], 1]);
    world.quorum.view(['other']);
    await world.clock.advance(1_000);
    expect([world.kept(), world.here.length]).toEqual([['one'], 2]);
    world.end('normal');
    expect(world.kept()).toEqual([]);
  });

  it('is started again, too, when it has ended only after the split', async () => {
    const world = await split();
    world.registry.register(5, 'p', { name: 'one' });
    world.quorum.view(['other']);
    await world.clock.advance(1_000);
    expect(world.here).toHaveLength(1);
    world.registry.unregister(5);
    world.end('normal');
    await world.clock.advance(1_000);
    expect([world.kept(), world.here.length]).toEqual([['one'], 2]);
  });

  it('is ended as soon as it has started, when the quorum is lost meanwhile', async () => {
    const world = new World();
    world.quorum.view(['other']);
    const starting = world.singletons.start(record);
    world.quorum.view([]);
    await starting;
    expect(world.stopped.at(-1)).toBe('one');
    expect(world.stopped).toHaveLength(2);
  });

  it('stays known when it cannot be started again at first', async () => {
    const world = await split();
    world.end('normal');
    world.failure = new Error('not yet');
    world.quorum.view(['other']);
    await world.clock.advance(600);
    expect([world.kept(), world.here.length]).toEqual([['one'], 2]);
    world.failure = undefined;
    await world.clock.advance(600);
    expect([world.kept(), world.here.length]).toEqual([['one'], 3]);
  });

  it('is left to whoever runs it in the meantime', async () => {
    const world = await split();
    world.end('normal');
    world.share('other', [record], ['one']);
    expect(world.kept()).toEqual([]);
    world.quorum.view(['other']);
    await world.clock.advance(1_000);
    expect(world.here).toHaveLength(1);
  });

  it('is the heir’s when the others have declared the life of its node over', async () => {
    const world = await split();
    world.end('normal');
    world.singletons.onRejoin();
    expect(world.kept()).toEqual([]);
    world.candidates = ['other'];
    world.quorum.view(['other']);
    await world.clock.advance(1_000);
    expect([world.here.length, world.there]).toEqual([1, ['other']]);
  });

  it('is not inherited from a node that is back and has to start it itself', async () => {
    const world = new World();
    world.quorum.view(['other']);
    world.share('other', [record]);
    world.singletons.onNodeDown('other');
    world.registry.dropNode('other');
    world.quorum.view([]);
    world.quorum.view(['other']);
    world.share('other', [record]);
    await world.clock.advance(1_000);
    world.singletons.settle();
    await world.clock.advance(1_000);
    expect([world.here, world.there]).toEqual([[], []]);
  });
});

describe('a singleton that somebody has stopped', () => {
  /** One that ran here. */
  async function stopped(): Promise<World> {
    const world = new World();
    await world.singletons.start(record);
    world.onStop = () => world.end('normal');
    await world.singletons.stop(record);
    return world;
  }
  const isStopped = true;

  it('stays known, and is started by nobody before it is told to', async () => {
    const world = await stopped();
    await world.singletons.start(record);
    await world.singletons.startHere(record);
    await world.clock.advance(10_000);
    expect([world.stopped, world.here.length]).toEqual([['one'], 1]);
    expect(world.registry.singletons('self')).toEqual([{ ...record, isStopped }]);
    await world.singletons.restart({ ...record, isStopped });
    expect(world.here).toHaveLength(2);
    expect(world.registry.singletons('self')).toEqual([record]);
  });

  it('is still stopped when it does not start', async () => {
    const world = await stopped();
    world.failure = new Error('not today');
    await expect(world.singletons.restart(record)).rejects.toThrow('not today');
    world.failure = undefined;
    await world.clock.advance(10_000);
    expect(world.here).toHaveLength(2);
    expect(world.registry.singletons('self')).toEqual([{ ...record, isStopped }]);
  });

  it('stays so without a quorum and with a new one', async () => {
    const world = await stopped();
    world.quorum.view(['other']);
    world.quorum.view([]);
    world.quorum.view(['other']);
    await world.clock.advance(10_000);
    expect([world.here.length, world.kept()]).toEqual([1, ['one']]);
  });

  it('is inherited as it is', async () => {
    const world = new World();
    const failovers: unknown[] = [];
    world.events.on('failover', (event) => failovers.push(event));
    world.share('gone', [{ ...record, isStopped }]);
    world.singletons.onNodeDown('gone');
    world.registry.dropNode('gone');
    // It is known to be stopped also while nobody keeps it.
    await world.singletons.start(record);
    world.singletons.settle();
    await world.clock.advance(10_000);
    expect([world.here, failovers]).toEqual([[], []]);
    expect(world.registry.singletons('self')).toEqual([{ ...record, isStopped }]);
  });

  it('is gone for good when it is let go of', async () => {
    const world = await stopped();
    await world.singletons.end('one', async () => {});
    await world.clock.advance(10_000);
    expect([world.here.length, world.kept()]).toEqual([1, []]);
  });

  it('is no orphan any more when another node keeps it, and may be registered anew after that has let it go', async () => {
    const world = new World();
    world.share('gone', [{ ...record, isStopped }]);
    world.singletons.onNodeDown('gone');
    world.registry.dropNode('gone');
    world.share('other', [{ ...record, isStopped }]);
    await world.singletons.start(record);
    expect(world.here).toEqual([]);
    world.share('other', []);
    world.singletons.settle();
    expect(world.kept()).toEqual([]);
    await world.singletons.start(record);
    expect(world.here).toHaveLength(1);
  });

  it('on one side of a split goes on where it runs', async () => {
    const world = await stopped();
    world.share('other', [record], ['one']);
    expect(world.kept()).toEqual([]);
  });
});

describe('a singleton that is restarted by hand', () => {
  it('begins with what its record says then, here and in every life after', async () => {
    const world = new World();
    await world.singletons.start(record);
    await world.singletons.restart({ ...record, init: 8 });
    expect(world.stopped).toEqual(['one']);
    expect(world.here.map(({ init }) => init)).toEqual([8, 8]);
    world.registry.keepSingleton({ ...record, init: 9 });
    expect(world.here.at(-1)?.init).toBe(9);
    // Its supervisor gives up.
    world.end('shutdown');
    await world.clock.advance(1_000);
    expect(world.here).toHaveLength(3);
    expect(world.registry.singletons('self')).toEqual([{ ...record, init: 9 }]);
  });

  it('is gone for good when it ends because it is to', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.onStop = () => world.end('shutdown');
    await world.singletons.restart(record);
    world.end('normal');
    await world.clock.advance(10_000);
    expect([world.here.length, world.kept()]).toEqual([2, []]);
  });

  it('goes on as it was changed, however often its start fails, on another node if that is its heir', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.registry.keepSingleton({ ...record, init: 9 });
    world.failure = new Error('not today');
    world.end('shutdown');
    await world.clock.advance(1_200);
    world.failure = undefined;
    await world.clock.advance(500);
    expect(world.here.at(-1)?.init).toBe(9);
    world.failure = new Error('not here');
    world.end('shutdown');
    world.candidates = ['other'];
    await world.clock.advance(1_200);
    expect(world.given).toEqual([{ ...record, init: 9 }]);
    expect(world.kept()).toEqual([]);
  });

  it('is ended for good though its process is still ending, or begins a new life', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.quorum.view(['other', 'third']);
    world.quorum.view([]);
    await world.singletons.end('one', async () => world.end('normal'));
    expect(world.kept()).toEqual([]);
    world.quorum.view(['other', 'third']);
    await world.clock.advance(10_000);
    expect([world.here.length, world.kept()]).toEqual([1, []]);
  });

  it('is kept when it does not end', async () => {
    const world = new World();
    await world.singletons.start(record);
    const stuck = (): Promise<never> => Promise.reject(new Error('stuck'));
    await expect(world.singletons.end('one', stuck)).rejects.toThrow('stuck');
    expect(world.kept()).toEqual(['one']);
  });

  it('that did not start at first is none that can be stopped', async () => {
    const world = new World();
    world.failure = new Error('not today');
    const starting = world.singletons.start(record);
    const stopping = world.singletons.stop(record);
    await expect(starting).rejects.toThrow('not today');
    await expect(stopping).rejects.toMatchObject({ code: 'NO_PROCESS' });
    expect(world.kept()).toEqual([]);
  });

  it('is given away as it is when its node leaves meanwhile', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.candidates = ['other'];
    const leaving: Promise<void>[] = [];
    world.onStop = () => {
      world.onStop = () => {};
      leaving.push(world.singletons.handOver(1_000));
    };
    const restarting = world.singletons.restart({ ...record, init: 8 });
    await expect(restarting).rejects.toMatchObject({ code: 'NODE_STOPPED' });
    await Promise.all(leaving);
    expect([world.here.length, world.given, world.kept()]).toEqual([1, [record], []]);
  });

  it('is neither stopped nor restarted while its node gives it away; the heir gets it as it is by then', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.candidates = ['other'];
    world.onStop = () => world.registry.keepSingleton({ ...record, init: 9 });
    const leaving = world.singletons.handOver(1_000);
    await expect(world.singletons.stop(record)).rejects.toMatchObject({ code: 'NODE_STOPPED' });
    await expect(world.singletons.restart(record)).rejects.toMatchObject({ code: 'NODE_STOPPED' });
    await leaving;
    expect(world.given.map(({ init }) => init)).toEqual([9]);
  });

  it('is tried again when it does not start, as it was', async () => {
    const world = new World();
    await world.singletons.start(record);
    world.failure = new Error('not today');
    world.onStop = () => world.end('normal');
    const restarting = world.singletons.restart({ ...record, init: 8 });
    await expect(restarting).rejects.toThrow('not today');
    world.failure = undefined;
    await world.clock.advance(1_000);
    expect(world.here.at(-1)?.init).toBe(7);
    expect(world.here).toHaveLength(3);
  });
});
