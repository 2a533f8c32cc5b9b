import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { describe, expect, it } from 'vitest';

import { alone, failure, gate, listen, present } from '../test/alone.ts';
import { ManualClock, settled } from '../test/manual-clock.ts';
import { child, defineProcess, defineSupervisor, startNode, type Node } from './index.ts';
import type { Runtime } from './process/runtime.ts';

const counter = defineProcess('counter', {
  init: () => ({ n: 0 }),
  calls: { add: ({ state }, by: number) => (state.n += by) },
});

describe('a node that is alone', () => {
  it('keeps what it agrees on in the store that was chosen, and else in memory', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'foundation-alone-'));
    const options = { config: false, name: 'solo', cluster: 'off', directory } as const;
    const stored = async (store?: 'sqlite'): Promise<unknown> => {
      await using node = await startNode({ ...options, ...(store === undefined ? {} : { store }) });
      const runs = node.variables.strong<number>('runs');
      return await runs.update((count = 0) => count + 1);
    };
    try {
      await stored('sqlite');
      await stored();
      await stored('sqlite');
      await using node = await startNode({ ...options, store: 'sqlite' });
      expect(await node.variables.strong<number>('runs').get()).toBe(2);
      expect((await node.cluster.health()).store.name).toBe('sqlite');
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('refuses a store whose servers were not named', async () => {
    const starting = startNode({ config: false, cluster: 'off', store: 'etcd' });
    await expect(starting).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringContaining('store.endpoints'),
    });
  });
});

describe('stopping a node', () => {
  it('ends its processes side by side', async () => {
    const ending = gate();
    const begun: number[] = [];
    const slow = defineProcess('slow', {
      init: (n: number) => ({ n }),
      terminate: ({ state }) => {
        begun.push(state.n);
        return ending.opened;
      },
    });
    const node = await alone();
    for (const init of [1, 2, 3]) await node.processes.start(slow, { init });
    const stopped = node.stop();
    await settled();
    expect(begun).toEqual([3, 2, 1]);
    ending.open();
    await stopped;
  });

  it('has one limit for all that are stuck', async () => {
    const stuck = defineProcess('stuck', {
      init: () => ({}),
      calls: { hang: () => new Promise<void>(() => {}) },
    });
    const clock = new ManualClock();
    const node = await alone({ clock });
    const exits = listen(node, 'exit');
    for (let count = 0; count < 3; count++) {
      const ref = await node.processes.start(stuck);
      failure(ref.hang()).catch(() => {});
    }
    await settled();
    const stopped = node.stop();
    await clock.advance(5_000);
    await stopped;
    expect(exits.filter(({ reason }) => reason === 'stuck')).toHaveLength(3);
  });

  it('keeps its singletons until the others have ended', async () => {
    const sums: number[] = [];
    const node = await alone();
    const user = defineProcess('user', {
      init: () => ({}),
      terminate: async () => void sums.push(await node.ref(counter, 'sum').add(2)),
    });
    await node.processes.start(user);
    await node.processes.start(counter, { name: 'sum', strategy: 'singleton' });
    await node.stop();
    expect(sums).toEqual([2]);
  });
});

describe('a process that has lost its name', () => {
  it('is killed after 5 seconds if it does not end', async () => {
    const busy = defineProcess('busy', {
      init: () => ({}),
      calls: {
        runtime: (ctx): unknown => ctx.node,
        hang: () => new Promise<void>(() => {}),
      },
    });
    const clock = new ManualClock();
    await using node = await alone({ clock, profile: 'production' });
    const exits = listen(node, 'exit');
    const ref = await node.processes.start(busy);
    const runtime = (await ref.runtime()) as Runtime;
    const hanging = failure(ref.with({ timeoutMs: 60_000 }).hang());
    await settled();
    runtime.signal(present(ref.pid), { kind: 'stop', exit: { reason: 'name_conflict' } });
    await clock.advance(4_900);
    expect(exits).toEqual([]);
    await clock.advance(200);
    expect(exits).toMatchObject([{ reason: 'name_conflict' }]);
    expect(await hanging).toMatchObject({ code: 'PROCESS_DOWN' });
  });
});

describe('what is to be known of a process', () => {
  it.each([
    { metadata: 'oops' },
    { metadata: [1] },
    { capabilities: 'abc' },
    { capabilities: [1] },
    { name: 'bad\nname' },
    { name: 5 },
    { metadata: { text: 'x'.repeat(20_000) } },
  ])('is refused as $metadata $capabilities $name, whoever starts it', async (bad) => {
    await using node = await alone();
    const { processes } = node;
    // As somebody without types would write it.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const options = bad as object;
    const refused = { code: 'INVALID_OPTION', details: { option: Object.keys(bad)[0] } };
    const singleton = { name: 'one', strategy: 'singleton', ...options } as const;
    const here = { definition: counter, options: { restart: 'temporary', ...options } } as const;
    expect(await failure(processes.start(counter, options))).toMatchObject(refused);
    expect(await failure(processes.start(counter, singleton))).toMatchObject(refused);
    expect(await failure(processes.startHere(here))).toMatchObject(refused);
    expect(node.registry.all()).toEqual([]);
  });

  it('is checked for agents, too', async () => {
    await using node = await alone();
    const registration = { process: counter, capabilities: [] };
    const error = await failure(node.mabeam.agents.register('bad\nname', registration));
    expect(error).toMatchObject({ code: 'INVALID_OPTION' });
  });
});

describe('a value that is none of those expected', () => {
  it.each([
    [null, 'startNode: expected options, got: null'],
    [{ clusterName: 5 }, 'expected `clusterName` to be a text that is not empty, got: 5'],
    [{ directory: {} }, 'expected `directory` to be a text that is not empty, got: {}'],
    [{ directory: '' }, "expected `directory` to be a text that is not empty, got: ''"],
    [{ voters: [] }, 'expected `voters` to be one node name or more, each once, got: []'],
    [{ voters: ['a', 'a b'] }, "each once, got: [ 'a', 'a b' ]"],
    [{ voters: ['a', 'b', 'a'] }, "each once, got: [ 'a', 'b', 'a' ]"],
    [{ ports: { stor: {} } }, 'startNode: ports: unknown option `stor`, did you mean `store`?'],
    [{ ports: { store: {} } }, 'expected `store` to be an object with `start`, `get`'],
    [{ clock: {} }, 'expected `clock` to be an object with `now`, `wallNow`, `after`, `every`'],
    [{ processes: null }, 'expected `processes` to be a list of definitions, got: null'],
    [{ detector: { periodMs: 1e12 } }, 'to be a number above 0 and of at most 3600000'],
    [{ detector: null }, 'startNode: detector: expected options, got: null'],
    [{ cluster: 1n }, /expected `cluster` to be 'auto', 'local',.*got: 1n/],
    [{ detector: { periodMs: '5' } }, /`detector.periodMs`.*got: '5'/],
  ])('is named: startNode(%o)', async (options, message) => {
    const error = await failure(startNode(options as object));
    expect(error).toMatchObject({ code: 'INVALID_OPTION' });
    expect(error.message).toMatch(message);
  });

  it.each<readonly [string, (node: Node) => unknown, string]>([
    ['ref(counter, 5)', (node) => node.ref(counter, 5 as never), '`name` to be a name of'],
    ["ref(counter, '')", (node) => node.ref(counter, ''), "got: ''"],
    ['list(5)', ({ processes }) => processes.list(5 as never), '`node` to be a name, got: 5'],
    ['list(Symbol())', ({ processes }) => processes.list(Symbol('x') as never), 'got: Symbol(x)'],
    ['tree(null)', ({ processes }) => processes.tree(null as never), 'got: null'],
    [
      'stop()',
      ({ processes }) => processes.stop(undefined as never),
      'a ref or a pid, got: undefined',
    ],
    ["stop('x')", ({ processes }) => processes.stop('x' as never), "a ref or a pid, got: 'x'"],
    ['stop({ pid: 5 })', ({ processes }) => processes.stop({ pid: 5 as never }), 'got: { pid: 5 }'],
    ['inspect()', ({ processes }) => processes.inspect(undefined as never), 'got: undefined'],
  ])('is named: %s', async (_, action, message) => {
    await using node = await alone();
    const error = await failure((async () => action(node))());
    expect(error).toMatchObject({ code: 'INVALID_OPTION' });
    expect(error.message).toContain(message);
  });

  it('is named where a definition is expected', async () => {
    await using node = await alone();
    const none = undefined as unknown as typeof counter;
    const invalid = { code: 'INVALID_DEFINITION', message: expect.stringContaining('undefined') };
    expect(await failure(node.processes.start(none))).toMatchObject(invalid);
    expect(() => node.ref(none, 'x')).toThrow(expect.objectContaining(invalid));
  });
});

describe('a wait for members', () => {
  it.each([[0], ['2'], [1.5], [2, NaN], [2, -1]])('is refused as %j', async (...given) => {
    await using node = await alone();
    const waiting = node.cluster.reached(...(given as [number, number]));
    expect(await failure(waiting)).toMatchObject({ code: 'INVALID_OPTION' });
  });

  it('ends when the node stops, which sees nobody any more', async () => {
    const node = await alone();
    const waiting = failure(node.cluster.reached(2));
    await node.stop();
    expect(await waiting).toMatchObject({ code: 'NODE_STOPPED' });
    expect(await failure(node.cluster.reached(1))).toMatchObject({ code: 'NODE_STOPPED' });
    expect(await failure(node.cluster.health())).toMatchObject({ code: 'NODE_STOPPED' });
  });
});

describe('the state of a process, in production', () => {
  const keeper = defineProcess('keeper', {
    init: () => ({ list: ['of its own'] }),
    calls: { list: ({ state }) => state.list.join() },
  });

  it('is its own: what is shown of it is a copy, and what replaces it is copied', async () => {
    await using node = await alone({ profile: 'production' });
    const ref = await node.processes.start(keeper);
    const look = node.processes.inspect(ref);
    const shown = (await look.state()) as { list: string[] };
    shown.list.push('from outside');
    expect(await ref.list()).toBe('of its own');
    const given = { list: ['given'] };
    await look.replaceState(given);
    given.list.push('from outside');
    expect(await ref.list()).toBe('given');
  });
});

describe('what takes a function or an object', () => {
  it('refuses anything else', async () => {
    await using node = await alone();
    const process = defineProcess('p', { init: () => ({}), maxBusyMs: Infinity });
    const refused: readonly (readonly [string, () => unknown])[] = [
      ['context.run', () => node.context.run({}, undefined as never)],
      ['group.onChange', () => node.group(process, 'g').onChange(5 as never)],
    ];
    for (const [who, action] of refused) {
      expect(action).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          message: expect.stringContaining(`${who}: `),
        }),
      );
    }
    for (const option of ['clock', 'random', 'scheduler', 'ports']) {
      expect(await failure(alone({ [option]: 5 }))).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringContaining(`\`${option}\``),
      });
    }
    expect(await failure(node.processes.start(process, null as never))).toMatchObject({
      code: 'INVALID_OPTION',
    });
    expect(() => defineSupervisor('s', { children: [child(process, null as never)] })).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });
});
