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
import { catalogOf, clusterStore, localStore } from './variable-store.ts';

/** Agents that do what they are told, unless they are among those that fail. */
class FakeAgents implements AgentControl {
  readonly active = new Set<AgentId>();
  readonly configured = new Map<AgentId, unknown>();
  readonly log: string[] = [];
  readonly failing = new Set<string>();

  isActive(id: AgentId): boolean {
    return this.active.has(id);
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
    const parts = { node, codec: new Codec(), clock, random };
    const [shared, own] = [
      new Variables({ ...parts, store }),
      new Variables({ ...parts, store: new MemoryStore() }),
    ];
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
      stores: { local: localStore(own), cluster: clusterStore(shared, leases) },
      catalog: () => catalogOf(shared),
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

describe('an adaptation', () => {
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
  ])('refuses the variable %j', async (more, message) => {
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
