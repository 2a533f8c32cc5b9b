import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { ManualClock } from '../../../test/manual-clock.ts';
import { MemoryStore } from '../../cluster/stores/memory.ts';
import { FoundationError } from '../../errors.ts';
import { Leases } from '../../lease/leases.ts';
import { systemRandom } from '../../random.ts';
import { Variables } from '../../values/variables.ts';
import { Codec } from '../../wire/codec.ts';
import { createCoordination } from '../coordination.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import { participant } from '../participant.ts';
import { pluralityVote } from '../protocols/voting/vote.ts';
import type { AgentControl } from './agent-actions.ts';
import { Core } from './core.ts';
import { cross, insideBand } from './hysteresis-state.ts';
import type { OrchestrationVariable } from './orchestration-variable.ts';
import { SharedWork } from './shared-work.ts';
import { catalogOf, clusterStore, localStore } from './variable-store.ts';

/** Agents that do what they are told, unless they are among those that fail. */
class FakeAgents implements AgentControl {
  readonly active = new Set<AgentId>();
  readonly configured = new Map<AgentId, unknown>();
  readonly log: string[] = [];
  readonly failing = new Set<string>();
  readonly hanging = new Set<string>();
  /** From the second time on. */
  failingAfter = '';

  /** Whom somebody wanted to know of, each time. */
  readonly asked: (readonly AgentId[])[] = [];

  running(ids: readonly AgentId[]): Promise<ReadonlySet<AgentId>> {
    this.asked.push(ids);
    return Promise.resolve(new Set(ids.filter((id) => this.active.has(id))));
  }

  async start(id: AgentId): Promise<void> {
    await this.#do(`start ${id}`);
    this.active.add(id);
  }

  async stop(id: AgentId): Promise<void> {
    await this.#do(`stop ${id}`);
    this.active.delete(id);
  }

  async configure(id: AgentId, configuration: unknown): Promise<void> {
    await this.#do(`configure ${id}`);
    this.configured.set(id, configuration);
  }

  #do(what: string): Promise<void> {
    if (this.failing.has(what)) return Promise.reject(new Error('it will not'));
    if (this.hanging.has(what)) return new Promise(() => undefined);
    if (this.failingAfter === what && this.failing.size > 0) this.failing.add(what);
    this.log.push(what);
    return Promise.resolve();
  }
}

/** Cores of several nodes over one store. */
class World {
  readonly clock = new ManualClock();
  readonly store = new MemoryStore();
  readonly agents = new FakeAgents();
  readonly #stops: (() => unknown)[] = [];

  core(node: string): Core {
    const { clock, store } = this;
    const random = systemRandom;
    const codec = new Codec();
    const parts = { node, codec, clock, random };
    const shared = new Variables({ ...parts, store });
    const leases = new Leases({ prefix: 'lease', ...parts, store, onProblem: () => undefined });
    const answer = participant<string>({ vote: (id) => ({ single: id === 'c' ? 'no' : 'yes' }) });
    const coordination = createCoordination({
      clock,
      messenger: {
        ask: ({ id }, request: CoordinationRequest) => Promise.resolve(answer(id, request)),
        tell: () => undefined,
      },
    });
    const core = new Core({
      node,
      clock,
      coordination,
      control: this.agents,
      load: () => ({ nodes: 2, processes: 7, heapBytes: 1 }),
      stores: { local: localStore(parts), cluster: clusterStore(shared, leases, codec) },
      catalog: catalogOf(shared),
    });
    this.#stops.push(
      () => core.stop(),
      () => leases.stop(),
    );
    return core;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops) await stop();
  }
}

let world = new World();
afterEach(async () => {
  await world.stop();
  world = new World();
});

const selection = (
  more: Partial<OrchestrationVariable<'agent_selection'>> = {},
): OrchestrationVariable<'agent_selection'> => ({
  id: 'workers',
  type: 'agent_selection',
  agents: ['a', 'b', 'c'],
  initial: [],
  coordinate: () => ['a', 'b'],
  ...more,
});

describe('a variable', () => {
  it('is decided, and applied to its agents', async () => {
    const core = world.core('n1');
    world.agents.active.add('c');
    await core.registerVariable(selection());
    expect(await core.coordinateSystem()).toMatchObject([
      { id: 'workers', status: 'changed', version: 1, value: ['a', 'b'], cause: 'coordinated' },
    ]);
    expect(world.agents.log).toEqual(['start a', 'start b', 'stop c']);
    expect(await core.get('workers')).toEqual({ value: ['a', 'b'], version: 1 });
  });

  it('that stays has agents started again which have ended, and is not written', async () => {
    const core = world.core('n1');
    await core.registerVariable(selection());
    await core.coordinate('workers');
    world.agents.active.delete('b');
    expect(await core.coordinate('workers')).toMatchObject({ status: 'unchanged', version: 1 });
    expect([...world.agents.active]).toEqual(['a', 'b']);
  });

  it('is decided on what is known of it, of the system, and on what its agents say', async () => {
    const core = world.core('n1');
    const told: unknown[] = [];
    await core.registerVariable({
      id: 'plan',
      type: 'custom',
      agents: ['a', 'b', 'c'],
      initial: 'none',
      async coordinate(context) {
        const { signal: _signal, ...rest } = context;
        told.push(rest);
        const spec = { question: 'Go?', options: ['yes', 'no'] };
        const { result } = await context.decide(pluralityVote, spec);
        return result?.winner;
      },
    });
    await core.report({ queue: 12 });
    expect(await core.coordinate('plan', { hour: 9 })).toMatchObject({ value: 'yes' });
    expect(told).toMatchObject([
      {
        id: 'plan',
        value: 'none',
        version: 0,
        agents: ['a', 'b', 'c'],
        context: { hour: 9 },
        metrics: { queue: 12 },
        load: { nodes: 2, processes: 7 },
        remainingMs: 5_000,
      },
    ]);
  });

  it.each([
    ['more agents than may run', { agentsMax: 1 }, /2 agents would run, and at most 1 may/],
    ['fewer than must', { agentsMin: 3 }, /2 agents would run, and at least 3 must/],
    ['what a rule forbids', { check: [() => 'not on Sundays'] }, /not on Sundays/],
  ])('refuses %s, and stays', async (_what, constraints, detail) => {
    const core = world.core('n1');
    await core.registerVariable(selection({ constraints }));
    const result = await core.coordinate('workers');
    expect(result).toMatchObject({ status: 'refused', detail: expect.stringMatching(detail) });
    expect(world.agents.log).toEqual([]);
    expect(await core.get('workers')).toEqual({ value: [], version: 0 });
  });

  it('takes as many agents as may run, and as few as must', async () => {
    const core = world.core('n1');
    await core.registerVariable(selection({ constraints: { agentsMin: 2, agentsMax: 2 } }));
    expect(await core.coordinate('workers')).toMatchObject({ status: 'changed' });
  });

  it.each([
    { constraints: { agentsMin: 1, agentsMax: 3 }, asked: [], status: 'changed' },
    { constraints: { agentsMax: 2 }, asked: [['b', 'c']], status: 'refused' },
    { constraints: { agentsMin: 4 }, asked: [['b', 'c']], status: 'refused' },
    { constraints: { agentsMin: 2 }, asked: [['b', 'c']], status: 'changed' },
  ])('asks only after agents that matter: $constraints', async ({ constraints, asked, status }) => {
    const core = world.core('n1');
    for (const id of ['b', 'c', 'd']) world.agents.active.add(id);
    await core.registerVariable({
      id: 'plan',
      type: 'custom',
      agents: ['a', 'b', 'c', 'd'],
      initial: 0,
      coordinate: () => 1,
      apply: () => ({ start: ['a'], stop: ['d'] }),
      constraints,
    });
    expect(await core.coordinate('plan')).toMatchObject({ status });
    // Whether an action is needed is asked for each.
    const steps = status === 'changed' ? [['a'], ['d']] : [];
    expect(world.agents.asked).toEqual([...asked, ...steps]);
  });

  it.each([
    [selection({ coordinate: () => ['z'] }), /"z" is none of its agents/],
    [selection({ coordinate: () => 'a' as never }), /expected a list of ids, got "a"/],
  ])('refuses a value of the wrong form %#', async (variable, detail) => {
    const core = world.core('n1');
    await core.registerVariable(variable);
    const result = await core.coordinate('workers');
    expect(result).toMatchObject({ status: 'refused', detail: expect.stringMatching(detail) });
  });

  it('gives away no more than there is, and tells each agent what it gets', async () => {
    const core = world.core('n1');
    let shares: Readonly<Record<string, bigint>> = { a: 6n, b: 4n };
    await core.registerVariable({
      id: 'tokens',
      type: 'resource_allocation',
      agents: ['a', 'b'],
      initial: {},
      coordinate: () => shares,
      constraints: { total: 10n },
    });
    expect(await core.coordinate('tokens')).toMatchObject({ status: 'changed' });
    shares = { a: 7n, b: 4n };
    expect(await core.coordinate('tokens')).toMatchObject({
      status: 'refused',
      detail: '11 would be given away, and there are 10',
    });
    shares = { a: 5n, b: 4n };
    await core.coordinate('tokens');
    expect(world.agents.log).toEqual(['configure a', 'configure b', 'configure a']);
    expect(world.agents.configured.get('a')).toEqual({ allocation: 5n });
  });

  it('tells each agent its peers', async () => {
    const core = world.core('n1');
    await core.registerVariable({
      id: 'ring',
      type: 'communication_topology',
      agents: ['a', 'b', 'c'],
      initial: [],
      coordinate: () => [
        ['a', 'b'],
        ['b', 'a'],
      ],
    });
    await core.coordinate('ring');
    expect([...world.agents.configured]).toEqual([
      ['a', { peers: ['b'] }],
      ['b', { peers: ['a'] }],
      // Nothing was known of it before.
      ['c', { peers: [] }],
    ]);
  });

  it('takes back what was done when something cannot be, and keeps its value', async () => {
    const core = world.core('n1');
    world.agents.active.add('c');
    world.agents.failing.add('stop c');
    await core.registerVariable(selection());
    expect(await core.coordinate('workers')).toMatchObject({
      status: 'failed',
      detail: 'stop c: it will not',
    });
    expect(world.agents.log).toEqual(['start a', 'start b', 'stop b', 'stop a']);
    expect([...world.agents.active]).toEqual(['c']);
    expect(await core.get('workers')).toEqual({ value: [], version: 0 });
  });

  it('says what could not be taken back', async () => {
    const core = world.core('n1');
    world.agents.active.add('c');
    for (const what of ['stop c', 'stop a']) world.agents.failing.add(what);
    await core.registerVariable(selection());
    expect(await core.coordinate('workers')).toMatchObject({
      detail: 'stop c: it will not; could not be taken back: start a (it will not)',
    });
  });

  it('has its agents as they were after any failure', () =>
    fc.assert(
      fc.asyncProperty(
        fc.subarray(['a', 'b', 'c', 'd']),
        fc.subarray(['a', 'b', 'c', 'd']),
        fc.constantFrom('a', 'b', 'c', 'd'),
        async (before, wanted, broken) => {
          const { agents } = (world = new World());
          for (const id of before) agents.active.add(id);
          const verb = agents.active.has(broken) ? 'stop' : 'start';
          agents.failing.add(`${verb} ${broken}`);
          const core = world.core('n1');
          await core.registerVariable(
            selection({ agents: ['a', 'b', 'c', 'd'], coordinate: () => wanted }),
          );
          const { status } = await core.coordinate('workers');
          const isTouched = before.includes(broken) !== wanted.includes(broken);
          expect(status === 'failed').toBe(isTouched);
          const after = isTouched ? before : wanted;
          expect([...agents.active].toSorted()).toEqual(after.toSorted());
        },
      ),
    ));

  it('ends at its deadline though its function hangs, and others do not wait for it', async () => {
    const core = world.core('n1');
    const signals: AbortSignal[] = [];
    await core.registerVariable(
      selection({
        id: 'hangs',
        deadlineMs: 100,
        coordinate({ signal }) {
          signals.push(signal);
          return new Promise(() => undefined);
        },
      }),
    );
    await core.registerVariable(
      selection({
        id: 'throws',
        coordinate: () => {
          throw new TypeError('no such thing');
        },
      }),
    );
    await core.registerVariable(selection());
    const all = core.coordinateSystem();
    await vi.waitFor(() => expect(world.agents.log).toEqual(['start a', 'start b']));
    expect(await core.coordinate('hangs')).toMatchObject({ status: 'busy' });
    await world.clock.advance(100);
    expect(await all).toMatchObject([
      { id: 'hangs', status: 'timeout', detail: 'not done within 100 ms' },
      { id: 'throws', status: 'failed', detail: 'no such thing' },
      { id: 'workers', status: 'changed' },
    ]);
    expect(signals[0]?.aborted).toBe(true);
    // It may be changed again.
    const again = core.coordinate('hangs');
    await vi.waitFor(() => expect(signals).toHaveLength(2));
    await world.clock.advance(100);
    expect(await again).toMatchObject({ status: 'timeout' });
  });

  it('is set by hand, of the version that one has seen', async () => {
    const core = world.core('n1');
    await core.registerVariable(selection());
    expect(await core.update('workers', ['c'], { version: 0 })).toMatchObject({
      status: 'changed',
      cause: 'updated',
    });
    expect(await core.update('workers', ['a'], { version: 0 })).toMatchObject({
      status: 'conflict',
      detail: 'it is of version 1, not 0',
    });
    expect([...world.agents.active]).toEqual(['c']);
  });

  it('is read and set in the name of those only who may', async () => {
    const core = world.core('n1');
    await core.registerVariable(selection({ access: { read: ['a', 'b'], write: ['a'] } }));
    await core.update('workers', ['a'], { by: 'a' });
    await expect(core.update('workers', ['b'], { by: 'b' })).rejects.toMatchObject({
      code: 'ACCESS_DENIED',
      message: 'agent "b" may not write variable "workers"',
    });
    expect((await core.get('workers', { by: 'b' })).value).toEqual(['a']);
    for (const read of [
      core.get('workers', { by: 'c' }),
      core.history('workers', { by: 'c' }),
      core.watch('workers', { by: 'c' }).next(),
    ]) {
      await expect(read).rejects.toMatchObject({ code: 'ACCESS_DENIED' });
    }
  });

  it('keeps its last fifty values, and who has set them', async () => {
    const core = world.core('n1');
    await core.registerVariable({
      id: 'number',
      type: 'custom',
      agents: [],
      initial: 0,
      coordinate: ({ value }) => value + 1,
    });
    for (let turn = 0; turn < 55; turn++) await core.coordinate('number');
    await core.update('number', 7, { by: 'ada' });
    const history = await core.history('number');
    expect(history).toHaveLength(50);
    expect(history.at(-1)).toMatchObject({
      version: 56,
      value: 7,
      cause: 'updated',
      by: 'ada',
      node: 'n1',
    });
    expect(history[0]).toMatchObject({ version: 7, value: 7, cause: 'coordinated' });
  });

  it('can be watched', async () => {
    const core = world.core('n1');
    await core.registerVariable(selection());
    const stop = new AbortController();
    const seen = core.watch('workers', { signal: stop.signal });
    expect((await seen.next()).value).toEqual({ value: [], version: 0 });
    await core.coordinate('workers');
    expect((await seen.next()).value).toEqual({ value: ['a', 'b'], version: 1 });
    stop.abort();
    await seen.return(undefined);
  });

  it('is coordinated by itself as often as it says', async () => {
    const core = world.core('n1');
    let turns = 0;
    await core.registerVariable(selection({ everyMs: 1_000, coordinate: () => (turns++, ['a']) }));
    for (const expected of [1, 2]) {
      await world.clock.advance(1_000);
      await vi.waitFor(() => expect(turns).toBe(expected));
    }
    core.stop();
    await world.clock.advance(5_000);
    expect(turns).toBe(2);
  });

  it('tells what came of each change', async () => {
    const core = world.core('n1');
    const results: unknown[] = [];
    using _listening = core.onResult((result) => results.push(result));
    await core.registerVariable(selection());
    await core.coordinateSystem();
    await core.update('workers', ['c']);
    expect(results).toMatchObject([{ cause: 'coordinated' }, { cause: 'updated' }]);
  });
});

describe('what a change leaves behind', () => {
  const shares = (
    more: Partial<OrchestrationVariable<'resource_allocation'>> = {},
  ): OrchestrationVariable<'resource_allocation'> => ({
    id: 'tokens',
    type: 'resource_allocation',
    agents: ['a', 'b'],
    initial: {},
    coordinate: () => undefined,
    ...more,
  });

  it('is a history that fits, however large values are', async () => {
    const core = world.core('n1');
    const initial = 'x'.repeat(5_000);
    await core.registerVariable({
      id: 'large',
      type: 'custom',
      agents: [],
      initial,
      coordinate: ({ value }) => `${value}y`,
    });
    for (let turn = 1; turn <= 20; turn++) {
      expect(await core.coordinate('large')).toMatchObject({ status: 'changed', version: turn });
    }
    const history = await core.history('large');
    expect(history.length).toBeLessThan(15);
    expect(history.at(-1)).toMatchObject({ version: 20 });
  });

  it('is nothing when the value itself does not fit', async () => {
    const core = world.core('n1');
    const value = 'x'.repeat(70_000);
    await core.registerVariable({
      id: 'workers',
      type: 'custom',
      agents: ['a'],
      initial: '',
      coordinate: () => value,
      apply: () => ({ start: ['a'] }),
    });
    expect(await core.coordinate('workers')).toMatchObject({
      status: 'refused',
      detail: 'the value is larger than the store takes',
    });
    expect(world.agents.log).toEqual([]);
  });

  it('is no agent that hangs: the deadline is kept, and what was done is taken back', async () => {
    const core = world.core('n1');
    world.agents.hanging.add('start b');
    await core.registerVariable(selection({ deadlineMs: 100 }));
    const change = core.coordinate('workers');
    await vi.waitFor(() => expect(world.agents.log).toEqual(['start a']));
    await world.clock.advance(100);
    expect(await change).toMatchObject({ status: 'timeout' });
    expect(world.agents.log).toEqual(['start a', 'stop b', 'stop a']);
    world.agents.hanging.clear();
    expect(await core.coordinate('workers')).toMatchObject({ status: 'changed' });
  });

  it('is a new value also when the old one was changed in place', async () => {
    const core = world.core('n1');
    await core.registerVariable({
      id: 'number',
      type: 'custom',
      agents: [],
      initial: { n: 0 },
      coordinate({ value }) {
        value.n++;
        return value;
      },
    });
    for (const n of [1, 2]) {
      expect(await core.coordinate('number')).toMatchObject({ status: 'changed', value: { n } });
    }
  });

  it('is as all agents are told after a change that could not be taken back', async () => {
    const core = world.core('n1');
    await core.registerVariable(shares());
    await core.update('tokens', { a: 1n, b: 1n });
    world.agents.failing.add('configure b');
    world.agents.failingAfter = 'configure a';
    const failed = await core.update('tokens', { a: 2n, b: 2n });
    expect(failed.detail).toBe(
      'configure b: it will not; could not be taken back: configure a (it will not)',
    );
    expect(world.agents.configured.get('a')).toEqual({ allocation: 2n });
    world.agents.failing.clear();
    expect(await core.coordinate('tokens')).toMatchObject({ status: 'unchanged' });
    expect(world.agents.configured.get('a')).toEqual({ allocation: 1n });
  });

  it('is nothing of an earlier variable of its id', async () => {
    for (const scope of ['local', 'cluster'] as const) {
      const core = world.core(scope);
      core.registerFunction('pick', () => ['a']);
      const variable = selection({ id: `${scope}-one`, scope, coordinate: 'pick' });
      await core.registerVariable(variable);
      await core.coordinate(variable.id);
      await core.unregisterVariable(variable.id);
      await core.registerVariable({ ...variable, initial: ['b'] });
      expect(await core.get(variable.id)).toEqual({ value: ['b'], version: 0 });
      expect(await core.history(variable.id)).toEqual([]);
    }
  });

  it('is nothing of a variable of the node that is unregistered', async () => {
    const core = world.core('n1');
    const picked = Promise.withResolvers<string[]>();
    await core.registerVariable(selection({ coordinate: () => picked.promise }));
    const seen = core.watch('workers');
    await seen.next();
    const change = core.coordinate('workers');
    await core.unregisterVariable('workers');
    expect(await seen.next()).toMatchObject({ done: true });
    picked.resolve(['a']);
    expect(await change).toMatchObject({
      status: 'failed',
      detail: 'it was unregistered meanwhile',
    });
    expect([...world.agents.active]).toEqual([]);
    const { clock } = world;
    const store = localStore({ node: 'n1', codec: new Codec(), clock, random: systemRandom });
    const none = { registration: 1, value: 0, version: 0, history: [] };
    await store.open('large', none).set({ ...none, value: 'x'.repeat(1_000) });
    store.close('large');
    expect(await store.open('large', none).get()).toEqual(none);
  });

  it.each([
    [() => Promise.resolve({}), /expected `apply` to give actions/],
    [() => ({ strt: ['a'] }), /unknown action "strt"/],
    [() => ({ start: ['z'] }), /"z" is none of its agents/],
    [() => ({ start: 'a' }), /lists of ids/],
  ])('is nothing when `apply` makes no sense %#', async (apply, detail) => {
    const core = world.core('n1');
    await core.registerVariable(selection({ apply: apply as never }));
    const result = await core.coordinate('workers');
    expect(result).toMatchObject({ status: 'failed', detail: expect.stringMatching(detail) });
    expect(world.agents.log).toEqual([]);
  });

  it('is no listener that throws', async () => {
    const core = world.core('n1');
    using _listening = core.onResult(() => {
      throw new Error('a bad listener');
    });
    await core.registerVariable(selection());
    expect(await core.coordinateSystem()).toMatchObject([{ status: 'changed' }]);
  });

  it('is no option that is not known', async () => {
    const core = world.core('n1');
    await core.registerVariable(selection());
    const options = { verson: 7 } as object;
    for (const call of [core.get('workers', options), core.update('workers', ['a'], options)]) {
      await expect(call).rejects.toMatchObject({ code: 'INVALID_OPTION' });
    }
    await expect(core.update('workers', undefined)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
    });
  });
});

describe('a report', () => {
  it('shares what it reads of the cluster with those at the same time', async () => {
    const core = world.core('n1');
    const reads = vi.spyOn(world.store, 'get');
    await Promise.all(Array.from({ length: 50 }, (_, queue) => core.report({ queue })));
    expect(reads.mock.calls.length).toBe(2);
  });

  it('knows nothing older than itself: it has a share only in what is read after it', async () => {
    let turns = 0;
    const gate = Promise.withResolvers<void>();
    const work = new SharedWork(async () => {
      turns++;
      await gate.promise;
      if (turns === 1) throw new Error('no store');
    });
    const first = work.next();
    const others = [work.next(), work.next()];
    gate.resolve();
    await expect(first).rejects.toThrow('no store');
    await Promise.all(others);
    expect(turns).toBe(2);
    await work.next();
    expect(turns).toBe(3);
  });
});

describe('an adaptation', () => {
  it('is set off again when it was not carried out', async () => {
    const core = world.core('n1');
    world.agents.failing.add('start a');
    await core.registerVariable(
      selection({ adapt: { metric: 'queue', high: 10, low: 2, onHigh: () => ['a'] } }),
    );
    expect(await core.report({ queue: 11 })).toMatchObject([{ status: 'failed' }]);
    world.agents.failing.clear();
    expect(await core.report({ queue: 11 })).toMatchObject([{ status: 'changed' }]);
    expect(await core.report({ queue: 12 })).toEqual([]);
  });

  it('is set off once when a metric leaves its band, on either side', async () => {
    const core = world.core('n1');
    const more = ({ value }: { value: readonly string[] }) =>
      ['a', 'b', 'c'].slice(0, value.length + 1);
    const fewer = ({ value }: { value: readonly string[] }) => value.slice(0, -1);
    await core.registerVariable(
      selection({ adapt: { metric: 'queue', high: 10, low: 2, onHigh: more, onLow: fewer } }),
    );
    const sizes: number[] = [];
    for (const queue of [5, 11, 30, 9, 11, 1, 0, 5, 1, 12]) {
      await core.report({ queue });
      sizes.push(world.agents.active.size);
    }
    expect(sizes).toEqual([0, 1, 1, 1, 1, 0, 0, 0, 0, 1]);
    expect((await core.history('workers')).map(({ cause }) => cause)).toEqual(
      Array(3).fill('adapted'),
    );
  });

  it('does not swing with a number that swings around a limit', () =>
    fc.assert(
      fc.property(fc.array(fc.double({ min: 2, max: 20, noNaN: true })), (values) => {
        let [state, crossings] = [insideBand, 0];
        for (const value of values) {
          const next = cross(state, { high: 10, low: 2 }, { value, nowMs: 0 });
          state = next.state;
          if (next.crossed !== undefined) crossings++;
        }
        expect(crossings).toBeLessThanOrEqual(1);
      }),
    ));

  it('waits for its cooldown', () => {
    const rule = { high: 10, low: 2, cooldownMs: 100 };
    const high = cross(insideBand, rule, { value: 11, nowMs: 0 });
    expect(high.crossed).toBe('high');
    expect(cross(high.state, rule, { value: 1, nowMs: 99 }).crossed).toBeUndefined();
    expect(cross(high.state, rule, { value: 1, nowMs: 100 }).crossed).toBe('low');
  });
});

describe('a variable of the cluster', () => {
  const shared = selection({ scope: 'cluster', coordinate: 'pick' });

  it('is coordinated by any node that knows its functions', async () => {
    const [one, other] = [world.core('n1'), world.core('n2')];
    one.registerFunction('pick', () => ['a']);
    other.registerFunction('pick', () => ['b']);
    await one.registerVariable(shared);
    expect(await one.coordinateSystem()).toMatchObject([{ status: 'changed', value: ['a'] }]);
    expect(await other.coordinateSystem()).toMatchObject([
      { status: 'changed', value: ['b'], version: 2 },
    ]);
    expect((await one.history('workers')).map(({ node }) => node)).toEqual(['n1', 'n2']);
    await expect(other.registerVariable(shared)).rejects.toMatchObject({ code: 'NAME_TAKEN' });
  });

  it('fails on a node that does not, and says which function is missing', async () => {
    const [one, other] = [world.core('n1'), world.core('n2')];
    one.registerFunction('pick', () => ['a']);
    await one.registerVariable(shared);
    expect(await other.coordinateSystem()).toMatchObject([
      { status: 'failed', detail: 'no function is called "pick" on this node' },
    ]);
  });

  it('is changed by one node at a time', async () => {
    const [one, other] = [world.core('n1'), world.core('n2')];
    const picked = Promise.withResolvers<string[]>();
    one.registerFunction('pick', () => picked.promise);
    other.registerFunction('pick', () => ['b']);
    await one.registerVariable(shared);
    const first = one.coordinate('workers');
    await vi.waitFor(async () => {
      expect(await other.coordinate('workers')).toMatchObject({ status: 'busy' });
    });
    picked.resolve(['a']);
    expect(await first).toMatchObject({ status: 'changed' });
  });

  it('is what it was registered as last, wherever it was seen before', async () => {
    const [one, other] = [world.core('n1'), world.core('n2')];
    for (const core of [one, other]) core.registerFunction('pick', () => ['a', 'b']);
    await one.registerVariable(shared);
    expect(await other.coordinate('workers')).toMatchObject({ status: 'changed' });
    await one.unregisterVariable('workers');
    await expect(other.update('workers', [])).rejects.toMatchObject({ code: 'UNKNOWN_VARIABLE' });
    await one.registerVariable({ ...shared, constraints: { agentsMax: 1 } });
    expect(await other.coordinate('workers')).toMatchObject({ status: 'refused' });
  });

  it('is coordinated by itself where its functions are known', async () => {
    const [one, other] = [world.core('n1'), world.core('n2')];
    let turns = 0;
    one.registerFunction('pick', () => (turns++, ['a']));
    await one.registerVariable({ ...shared, everyMs: 500 });
    await other.variables();
    for (const expected of [1, 2]) {
      await world.clock.advance(500);
      await vi.waitFor(() => expect(turns).toBe(expected));
    }
    one.stop();
  });

  it('is taken from the catalog when it is unregistered', async () => {
    const [one, other] = [world.core('n1'), world.core('n2')];
    one.registerFunction('pick', () => ['a']);
    await one.registerVariable(shared);
    expect(await other.variables()).toHaveLength(1);
    expect(await one.unregisterVariable('workers')).toBe(true);
    expect(await other.variables()).toEqual([]);
    await expect(other.get('workers')).rejects.toMatchObject({ code: 'UNKNOWN_VARIABLE' });
  });

  it('is coordinated by itself on one node of those that know it', async () => {
    const [one, other] = [world.core('n1'), world.core('n2')];
    const turns: string[] = [];
    for (const [name, core] of Object.entries({ one, other })) {
      core.registerFunction('pick', () => (turns.push(name), ['a']));
    }
    await one.registerVariable({ ...shared, everyMs: 500 });
    await other.variables();
    for (const expected of [1, 2, 3]) {
      await world.clock.advance(500);
      await vi.waitFor(() => expect(turns).toHaveLength(expected));
    }
    expect(new Set(turns).size).toBe(1);
  });
});

describe('a core', () => {
  it.each([
    [{ id: '' }, /`id`/],
    [{ type: 'sorting' }, /expected `type` to be one of agent_selection, .* got "sorting"/],
    [{ agents: ['a', 'a'] }, /`agents` to be at most 10000 ids, each once/],
    [{ scope: 'cluster' }, /`coordinate` to be the name of a registered function/],
    [{ coordinate: undefined }, /`coordinate` to be a function/],
    [{ deadlineMs: 0 }, /`deadlineMs` to be above 0, got 0/],
    [{ adapt: { metric: 'x', high: 1, low: 2, onHigh: () => [] } }, /`adapt.low` below/],
    [{ constraints: { agentsMax: -1 } }, /`constraints.agentsMax` from 0, got -1/],
    [{ constraints: { most: 1 } }, /unknown field "constraints.most"/],
    [{ access: { write: 'ada' } }, /`access.write` to be ids/],
    [{ agnts: [] }, /unknown field "agnts"/],
    [{ id: 'x'.repeat(151) }, /`id` to be a name of at most 150/],
    [{ initial: ['z'] }, /initial: "z" is none of its agents/],
    [{ constraints: null }, /expected `constraints`, got null/],
    [{ constraints: { agentsMin: 2, agentsMax: 1 } }, /`constraints.agentsMin` of at most/],
    [{ constraints: { total: 1n } }, /`constraints.total` is for the type/],
    [{ constraints: { check: () => '' } }, /`constraints.check` to be a list/],
  ])('refuses a variable %#', async (more, message) => {
    const core = world.core('n1');
    const bad = core.registerVariable({ ...selection(), ...more } as never);
    await expect(bad).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(message),
    });
    expect(await core.variables()).toEqual([]);
  });

  it('refuses functions that it does not know, with what was likely meant', async () => {
    const core = world.core('n1');
    core.registerFunction('pick', () => []);
    await expect(core.registerVariable(selection({ coordinate: 'pik' }))).rejects.toMatchObject({
      code: 'UNKNOWN_FUNCTION',
      hint: expect.stringContaining('Did you mean "pick"?'),
    });
    expect(() => core.registerFunction('pick', () => [])).toThrow(FoundationError);
  });

  it('refuses metrics that are no numbers', async () => {
    await expect(world.core('n1').report({ queue: Number.NaN })).rejects.toMatchObject({
      code: 'INVALID_OPTION',
    });
  });
});
