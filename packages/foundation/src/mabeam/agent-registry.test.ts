import { defineProcess, refuse, type Node } from '@foundation/core';
import type { AgentEvent, AgentStatus } from '@foundation/core/mabeam';
import { eventually, testNode } from '@foundation/testing';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { describe, expect, it } from 'vitest';

import { alone, failure, listen, present } from '../../test/alone.ts';

interface Job {
  readonly rate: number;
}
const worker = defineProcess('worker', {
  init: (job: Job) => {
    if (job.rate < 0) return refuse('NEGATIVE');
    if (job.rate === 13) throw new Error('bad luck');
    return { rate: job.rate, done: 0 };
  },
  calls: {
    rate: ({ state }) => state.rate,
    crash: () => {
      throw new Error('out of paper');
    },
    end: (ctx) => ctx.stop(),
    hang: () => new Promise<void>(() => {}),
    isWell: ({ state }) => state.rate !== 66,
    async configure({ state }, job: Job) {
      if (job.rate === 0) return refuse('TOO_SLOW');
      state.rate = job.rate;
      if (job.rate === 99) throw new Error('too hot');
      if (job.rate === 77) await new Promise<void>(() => {});
      return state.rate;
    },
  },
  casts: { note: ({ state }) => void state.done++ },
});
/** Takes no new `init`. */
const simple = defineProcess('simple', {
  init: (job: Job) => (job.rate < 0 ? refuse('NEGATIVE') : { rate: job.rate }),
  calls: { rate: ({ state }) => state.rate },
});

const how = { process: worker, init: { rate: 1 }, capabilities: ['work'] };

/** Takes rates up to 10, also as texts. */
const schema: StandardSchemaV1 = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) => {
      const rate = Number(Object(value).rate);
      return rate <= 10 ? { value: { rate } } : { issues: [{ message: 'high', path: ['rate'] }] };
    },
  },
};

/** What is told of agents, in a few words. */
function watch(node: Node): string[] {
  const told: string[] = [];
  node.mabeam.agents.onEvent((event: AgentEvent) => {
    const { kind, agent } = event;
    const to = kind === 'status' ? agent.status : kind === 'health' ? agent.health : '';
    told.push([agent.id, kind, to].filter(Boolean).join(' '));
  });
  return told;
}

function statusOf(node: Node, id: string): AgentStatus | undefined {
  return node.mabeam.agents.get(id)?.status;
}

describe('the life of an agent', () => {
  it('leads from registered by starting to active, and by stopping back; deregistered it is gone', async () => {
    await using node = await alone();
    const told = watch(node);
    const { agents } = node.mabeam;
    const ref = await agents.register('w', { ...how, start: false });
    expect(agents.get('w')).toMatchObject({ status: 'registered', restarts: 0, pid: undefined });
    expect(ref.pid).toBeUndefined();

    await agents.start('w');
    await agents.start('w');
    expect(await ref.rate()).toBe(1);
    expect(agents.get('w')).toMatchObject({ status: 'active', restarts: 0, pid: ref.pid });
    const first = ref.pid;

    await agents.restart('w');
    expect(ref.pid).not.toEqual(first);
    // By hand is no restart that anybody must be told of.
    expect(agents.get('w')).toMatchObject({ status: 'active', restarts: 0 });
    expect(await agents.usage('w')).toMatchObject({ restarts: 0 });

    await agents.stop('w');
    await agents.stop('w');
    expect(statusOf(node, 'w')).toBe('registered');
    expect(ref.pid).toBeUndefined();

    await agents.deregister('w');
    expect(agents.find()).toEqual([]);
    expect(told).toEqual([
      'w registered',
      'w status starting',
      'w status active',
      'w status stopping',
      'w status starting',
      'w status active',
      'w status stopping',
      'w status registered',
      'w deregistered',
    ]);
    expect(await failure(agents.start('w'))).toMatchObject({ code: 'UNKNOWN_AGENT' });
    await agents.register('w', how);
  });

  it('does not begin where it cannot start: nothing is registered, and the name is free', async () => {
    await using node = await alone();
    const { agents } = node.mabeam;
    const refused = failure(agents.register('w', { ...how, init: { rate: -1 } }));
    expect(await refused).toMatchObject({ code: 'REFUSED' });
    const unlucky = failure(agents.register('w', { ...how, init: { rate: 13 } }));
    expect(await unlucky).toMatchObject({ code: 'START_FAILED' });
    expect(agents.find()).toEqual([]);
    await agents.register('w', how);
    expect(await failure(agents.register('w', how))).toMatchObject({ code: 'NAME_TAKEN' });
    await node.processes.start(simple, { name: 'other', init: { rate: 1 } });
    expect(await failure(agents.register('other', how))).toMatchObject({ code: 'NAME_TAKEN' });
    expect(await failure(agents.register('o', { ...how, node: 'x' }))).toMatchObject({
      code: 'NODE_UNREACHABLE',
    });
  });

  it('that is registered first and does not start later has failed, until it does', async () => {
    await using node = await alone();
    const { agents } = node.mabeam;
    const init = { rate: 13 };
    await agents.register('w', { ...how, init, start: false });
    expect(await failure(agents.start('w'))).toMatchObject({ code: 'START_FAILED' });
    expect(agents.get('w')).toMatchObject({
      status: 'failed',
      lastExit: expect.stringContaining('bad luck'),
    });
    init.rate = 5;
    await agents.start('w');
    expect(statusOf(node, 'w')).toBe('active');
  });

  it('goes on after crashes, up to five in a minute; then it is given up, and can be started by hand', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const told = watch(test.node);
    const quarantined = listen(test.node, 'quarantine');
    const restart = { type: 'permanent', restartsMax: 5, restartWindowMs: 60_000 } as const;
    const ref = await agents.register('w', { ...how, restart });
    for (let crashes = 0; crashes < 5; crashes++) {
      void failure(ref.crash());
      await test.advance(9_000);
      expect(statusOf(test.node, 'w')).toBe('active');
    }
    expect(agents.get('w')).toMatchObject({ restarts: 5, lastExit: 'crash: out of paper' });
    void failure(ref.crash());
    await test.settled();
    expect(statusOf(test.node, 'w')).toBe('given_up');
    expect(quarantined).toHaveLength(1);
    expect(told.filter((each) => each === 'w status restarting')).toHaveLength(5);
    expect(told.at(-1)).toBe('w status given_up');
    expect(agents.find({ status: 'given_up' })).toHaveLength(1);

    await agents.start('w');
    expect(await ref.rate()).toBe(1);
    void failure(ref.crash());
    await test.settled();
    expect(statusOf(test.node, 'w')).toBe('active');
  });

  it('is running also while it waits for its restart, and asked for without a word to it', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const ref = await agents.register('w', how);
    const hung = await agents.register('hung', how);
    await agents.register('off', { ...how, start: false });
    void failure(hung.hang());
    void failure(ref.crash());
    await test.settled();
    void failure(ref.crash());
    await test.settled();
    expect(statusOf(test.node, 'w')).toBe('restarting');
    const running = await agents.running(['w', 'hung', 'off', 'nobody']);
    expect([...running]).toEqual(['w', 'hung']);
  });

  it('may crash again when its window is over', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const restart = { type: 'permanent', restartsMax: 1, restartWindowMs: 10_000 } as const;
    const ref = await agents.register('w', { ...how, restart });
    for (let crashes = 0; crashes < 3; crashes++) {
      void failure(ref.crash());
      await test.advance(10_100);
    }
    expect(agents.get('w')).toMatchObject({ status: 'active', restarts: 3 });
  });

  it('is over with its process where it is transient and ends well, or temporary', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const transient = await agents.register('a', { ...how, restart: { type: 'transient' } });
    const temporary = await agents.register('b', { ...how, restart: { type: 'temporary' } });
    const content = await agents.register('c', { ...how, restart: { type: 'temporary' } });
    void failure(transient.crash());
    void failure(temporary.crash());
    void content.end();
    await test.settled();
    const statuses = (): unknown => agents.find().map(({ id, status }) => [id, status]);
    expect(statuses()).toEqual([
      ['a', 'active'],
      ['b', 'failed'],
      ['c', 'registered'],
    ]);
    void transient.end();
    await test.settled();
    expect(statusOf(test.node, 'a')).toBe('registered');
  });

  it('is over when its process is stopped for good, and with its node', async () => {
    const node = await alone();
    const { agents } = node.mabeam;
    const told = watch(node);
    const ref = await agents.register('a', how);
    await agents.register('b', how);
    const before = (await node.processes.list()).length;
    await node.processes.stop(ref);
    expect(agents.find().map(({ id }) => id)).toEqual(['b']);
    // With its supervisor.
    expect((await node.processes.list()).length).toBe(before - 2);
    await node.stop();
    expect(told.filter((each) => each.endsWith('deregistered'))).toEqual([
      'a deregistered',
      'b deregistered',
    ]);
  });
});

describe('an agent whose name is taken elsewhere', () => {
  it('during a split gives way to the earlier one, as all processes do, and is known there only', async () => {
    await using node = await alone();
    const { agents } = node.mabeam;
    const ref = await agents.register('w', how);
    const registration = {
      serial: 7,
      process: 'worker',
      name: 'w',
      capabilities: [],
      metadata: {},
      registeredAt: { wallMs: 1, count: 0 },
    };
    const share = { incarnation: 1, version: 1, registrations: [registration], singletons: [] };
    node.registry.receive({ kind: 'share', node: 'other', share });
    await eventually('it is gone', () => agents.get('w') === undefined);
    expect(ref.pid?.node).toBe('other');
  });
});

describe('many agents', () => {
  it('are started side by side; who fails is named, and harms nobody', async () => {
    await using node = await alone();
    const { agents } = node.mabeam;
    for (let index = 0; index < 40; index++) {
      await agents.register(`w${index}`, {
        ...how,
        init: { rate: index === 7 ? 13 : 100 },
        start: false,
      });
    }
    const { started, failed } = await agents.startAll(undefined, { concurrency: 4 });
    expect(started).toHaveLength(39);
    expect(failed).toMatchObject([{ id: 'w7', error: { code: 'START_FAILED' } }]);
    expect(agents.find({ status: 'active' })).toHaveLength(39);
    expect(await agents.startAll(['nobody'])).toMatchObject({
      failed: [{ id: 'nobody', error: { code: 'UNKNOWN_AGENT' } }],
    });
  });

  it('are found by all that they have said of themselves', async () => {
    await using node = await alone();
    const { agents } = node.mabeam;
    await agents.register('a', {
      ...how,
      type: 'coder',
      capabilities: ['code', 'test'],
      protocols: ['auction.vickrey'],
      resources: { gpu: 2 },
      metadata: { team: 'red', tags: ['x'] },
    });
    await agents.register('b', { ...how, process: simple, capabilities: ['code'], start: false });
    const ids = (...criteria: Parameters<typeof agents.find>): unknown =>
      agents.find(...criteria).map(({ id }) => id);
    expect(ids()).toEqual(['a', 'b']);
    expect(ids({ capability: 'code' })).toEqual(['a', 'b']);
    expect(ids({ capability: ['code', 'test'] })).toEqual(['a']);
    expect(ids({ protocol: 'auction.vickrey' })).toEqual(['a']);
    expect(ids({ type: 'coder' })).toEqual(['a']);
    expect(ids({ type: ['coder', 'simple'] })).toEqual(['a', 'b']);
    expect(ids({ status: 'registered' })).toEqual(['b']);
    expect(ids({ node: 'elsewhere' })).toEqual([]);
    expect(ids({ node: 'alone', capability: 'code', status: 'active' })).toEqual(['a']);
    expect(ids({ metadata: { tags: ['x'] } })).toEqual(['a']);
    expect(ids({ metadata: { tags: ['y'] } })).toEqual([]);
    expect(ids({ resources: { gpu: 2 } })).toEqual(['a']);
    expect(ids({ resources: { gpu: 3 } })).toEqual([]);
    // @ts-expect-error -- as somebody without types would write it
    expect(() => agents.find({ capabilty: 'code' })).toThrow(/did you mean `capability`/);
    // What the registry of processes knows of them is what it always was.
    expect(node.registry.withCapability('test').map(({ name }) => name)).toEqual(['a']);
  });
});

describe('a change of an agent', () => {
  it('reaches the running process, and every life after', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const told = watch(test.node);
    const ref = await agents.register('w', how);
    const { pid } = ref;
    await agents.update('w', { init: { rate: 5 }, capabilities: ['rest'], metadata: { a: 1 } });
    expect([await ref.rate(), ref.pid]).toEqual([5, pid]);
    expect(agents.get('w')).toMatchObject({
      capabilities: ['rest'],
      metadata: { a: 1 },
      version: 1,
    });
    expect(test.node.registry.withCapability('work')).toEqual([]);
    expect(test.node.registry.withCapability('rest')).toHaveLength(1);
    expect(told).toContain('w updated');
    void failure(ref.crash());
    await test.settled();
    expect(await ref.rate()).toBe(5);
    expect(test.node.registry.withCapability('rest')).toHaveLength(1);
  });

  it('is refused by a schema, or by the process, before anything has changed', async () => {
    const many = Array.from({ length: 100 }, (_, index) => `${index} ${'x'.repeat(200)}`);
    await using node = await alone();
    const { agents } = node.mabeam;
    const ref = await agents.register('w', how);
    const { pid } = ref;
    const tooMuch = { init: { rate: 11 }, metadata: { a: 1 } };
    expect(await failure(agents.update('w', tooMuch, { schema }))).toMatchObject({
      code: 'UPDATE_REJECTED',
      outcome: 'not-executed',
      details: { issues: [{ path: ['rate'] }] },
    });
    expect(await failure(agents.update('w', { init: { rate: 0 } }))).toMatchObject({
      code: 'UPDATE_REJECTED',
      cause: { code: 'REFUSED' },
    });
    // @ts-expect-error -- as somebody without types would write it
    expect(await failure(agents.update('w', { typo: 1, type: '' }))).toMatchObject({
      code: 'INVALID_OPTION',
      details: { problems: [expect.stringContaining('typo'), expect.stringContaining('type')] },
    });
    const large = { init: { rate: 3 }, metadata: { text: 'x'.repeat(20_000) } };
    const misfit = { init: { rate: 3 }, health: { call: 'isWel' } };
    for (const changes of [large, misfit]) {
      expect(await failure(agents.update('w', changes))).toMatchObject({ code: 'INVALID_OPTION' });
    }
    expect([await ref.rate(), ref.pid]).toEqual([1, pid]);
    expect(agents.get('w')).toMatchObject({ metadata: {}, version: 0 });
    const tooLarge = { ...how, start: false, capabilities: ['x'.repeat(200)].concat(many) };
    expect(await failure(agents.register('v', tooLarge))).toMatchObject({ code: 'INVALID_OPTION' });
    expect(agents.get('v')).toBeUndefined();
    // What the schema makes of it is what the process gets.
    await agents.update('w', { init: { rate: '4' } }, { schema });
    expect(await ref.rate()).toBe(4);
  });

  it('is refused where it names a call that the process does not have', async () => {
    await using node = await alone();
    const { agents } = node.mabeam;
    for (const process of [worker, simple]) {
      const ref = await agents.register('w', { ...how, process });
      const { pid } = ref;
      const misspelt = agents.update('w', { init: { rate: 5 } }, { call: 'raet' });
      expect(await failure(misspelt)).toMatchObject({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(/which has: rate.*; got "raet"; did you mean "rate"\?/),
      });
      const explicit = agents.update('w', { metadata: { a: 1 } }, { call: 'unheard' });
      expect(await failure(explicit)).toMatchObject({ code: 'INVALID_OPTION' });
      expect([await ref.rate(), ref.pid]).toEqual([1, pid]);
      expect(agents.get('w')).toMatchObject({ version: 0, metadata: {} });
      await agents.deregister('w');
    }
  });

  it('on which the process crashes is taken back with its restart', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const ref = await agents.register('w', how);
    const updated = failure(agents.update('w', { init: { rate: 99 }, metadata: { a: 1 } }));
    await test.advance(1_000);
    expect(await updated).toMatchObject({
      code: 'UPDATE_REJECTED',
      outcome: 'not-executed',
      cause: { code: 'PROCESS_DOWN' },
    });
    expect(await ref.rate()).toBe(1);
    expect(agents.get('w')).toMatchObject({ restarts: 1, version: 0, metadata: {} });
  });

  it('to which the process does not answer is taken back by a restart', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const ref = await agents.register('w', how);
    const updated = failure(agents.update('w', { init: { rate: 77 } }, { timeoutMs: 500 }));
    // It is asked to end, does not, and is left behind.
    await test.advance(10_000);
    expect(await updated).toMatchObject({
      code: 'UPDATE_REJECTED',
      cause: { code: 'CALL_TIMEOUT' },
    });
    expect(await ref.rate()).toBe(1);
  });

  it('restarts a process that takes none, and goes back to the old one when that fails', async () => {
    await using node = await alone();
    const { agents } = node.mabeam;
    const ref = await agents.register('s', { ...how, process: simple });
    await agents.update('s', { init: { rate: 2 } });
    expect(await ref.rate()).toBe(2);
    expect(await failure(agents.update('s', { init: { rate: -1 } }))).toMatchObject({
      code: 'UPDATE_REJECTED',
      cause: { code: 'REFUSED' },
    });
    expect(await ref.rate()).toBe(2);
    expect(statusOf(node, 's')).toBe('active');
    await agents.stop('s');
    await agents.update('s', { init: { rate: 3 } });
    await agents.start('s');
    expect(await ref.rate()).toBe(3);
    expect(agents.get('s')).toMatchObject({ restarts: 0 });
    expect(await agents.usage('s')).toMatchObject({ restarts: 0 });
  });
});

describe('the health of an agent', () => {
  it('is looked at each ten seconds: one that stands still with messages waiting is not well', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const told = watch(test.node);
    const ref = await agents.register('w', how);
    expect(agents.get('w')).toMatchObject({ health: 'unknown' });
    await test.advance(10_050);
    expect(agents.get('w')).toMatchObject({ health: 'healthy' });
    void failure(ref.with({ timeoutMs: 500_000 }).hang());
    ref.cast.note();
    await test.advance(20_000);
    expect(agents.get('w')).toMatchObject({ health: 'healthy', problem: expect.anything() });
    await test.advance(10_000);
    expect(agents.get('w')).toMatchObject({
      health: 'unhealthy',
      problem: 'it is still at call hang, and 1 messages wait',
    });
    expect(agents.find({ health: 'unhealthy' })).toHaveLength(1);
    expect(told).toContain('w health unhealthy');
    expect(statusOf(test.node, 'w')).toBe('active');
  });

  it('may be asked of the process itself, and an agent that is not well be restarted', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const health = { everyMs: 1_000, call: 'isWell', onUnhealthy: 'restart' } as const;
    const restart = { type: 'permanent', restartsMax: 2, restartWindowMs: 60_000 } as const;
    const ref = await agents.register('w', { ...how, init: { rate: 66 }, health, restart });
    await test.advance(1_500);
    expect(agents.get('w')).toMatchObject({ problem: 'its `isWell` says no', restarts: 0 });
    await test.advance(1_000);
    expect(agents.get('w')).toMatchObject({ health: 'unknown', restarts: 1, lastExit: 'killed' });
    expect(agents.get('w')).not.toHaveProperty('problem');
    await agents.update('w', { init: { rate: 1 } });
    await test.advance(1_500);
    expect(agents.get('w')).toMatchObject({ health: 'healthy', restarts: 1 });
    expect(await ref.rate()).toBe(1);
    // Restarts for health count like all others.
    await agents.update('w', { init: { rate: 66 } });
    await test.advance(20_000);
    const problem = 'its `isWell` says no';
    expect(agents.get('w')).toMatchObject({ status: 'given_up', restarts: 2, problem });
    await agents.start('w');
    expect(agents.get('w')).toMatchObject({ status: 'active', restarts: 2 });
    expect(agents.get('w')).not.toHaveProperty('problem');
  });

  it('is not looked at where it is not to be, and of no call that is none', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    await agents.register('w', { ...how, health: { everyMs: Infinity } });
    await test.advance(60_000);
    expect(agents.get('w')).toMatchObject({ health: 'unknown' });
    const bad = agents.register('v', { ...how, health: { call: 'isWel' } });
    expect(await failure(bad)).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/`health.call` .* "worker", .*; did you mean "isWell"\?/),
    });
    expect(agents.get('v')).toBeUndefined();
  });
});

describe('the limits of an agent', () => {
  it('of messages a second: further calls fail as not executed, casts are not taken', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const overflows = listen(test.node, 'overflow');
    const ref = await agents.register('w', { ...how, limits: { messagesPerSecond: 10 } });
    const free = await agents.register('free', how);
    const send = (): number =>
      Array.from({ length: 15 }, () => ref.cast.note()).filter(Boolean).length;
    expect(send()).toBe(10);
    expect(await failure(ref.rate())).toMatchObject({
      code: 'OVERLOADED',
      outcome: 'not-executed',
      details: { messagesPerSecond: 10 },
    });
    expect(overflows).toHaveLength(6);
    expect(overflows[0]).toMatchObject({ rule: 'rate', kind: 'cast' });
    for (let count = 0; count < 100; count++) expect(free.cast.note()).toBe(true);
    await test.advance(500);
    expect(send()).toBe(5);
    await test.advance(60_000);
    expect(send()).toBe(10);
  });

  it('of its mailbox', async () => {
    await using test = await testNode();
    const { agents } = test.node.mabeam;
    const ref = await agents.register('w', { ...how, limits: { mailboxMax: 3 } });
    const other = await agents.register('v', how);
    void failure(ref.hang());
    await test.settled();
    const taken = Array.from({ length: 5 }, () => ref.cast.note());
    expect(taken).toEqual([true, true, true, false, false]);
    expect(await failure(ref.rate())).toMatchObject({
      code: 'OVERLOADED',
      details: { mailboxMax: 3 },
    });
    for (let count = 0; count < 10; count++) expect(other.cast.note()).toBe(true);
  });

  it('of memory and processor are looked at where they cannot be enforced, and labelled', async () => {
    const heavy = defineProcess('heavy', {
      init: () => ({ ballast: new Uint8Array(2 ** 20) }),
      casts: {
        burn: () => {
          const end = performance.now() + 1;
          while (performance.now() < end);
        },
      },
      calls: { done: () => true },
    });
    await using node = await alone();
    const { agents } = node.mabeam;
    const health = { everyMs: 30, checksMax: 1 };
    const limits = { memoryMb: 0.5, cpuShare: 0.05 };
    const ref = await agents.register('w', { process: heavy, capabilities: [], limits, health });
    const problem = await eventually('it is found to be busy', async () => {
      for (let count = 0; count < 64; count++) ref.cast.burn();
      await ref.done();
      return /^.* of a core.*$/.exec(agents.get('w')?.problem ?? '')?.[0];
    });
    expect(problem).toMatch(/it uses \d+ % of a core \(estimate\), more than 5 %/);
    expect(problem).toMatch(/it uses 1\.0 MB \(estimate\), more than 0\.5 MB/);
    const usage = present(await agents.usage('w'));
    expect(usage).toMatchObject({ mailbox: 0, restarts: 0, cpuShare: { by: 'estimate' } });
    expect(usage.memoryBytes).toMatchObject({ by: 'estimate' });
    expect(usage.memoryBytes?.value).toBeGreaterThan(2 ** 20);
  });

  it('that make no sense are refused, all at once', async () => {
    await using node = await alone();
    const bad = {
      ...how,
      limits: { memoryMb: 0, mailboxMax: 1.5, messagesPerSecond: -1, cpuShare: 2, disk: 1 },
      health: { everyMs: 0, onUnhealthy: 'shout' },
      protocols: [''],
      node: 5,
      start: 'yes',
    };
    // @ts-expect-error -- as somebody without types would write it
    expect(await failure(node.mabeam.agents.register('w', bad))).toMatchObject({
      code: 'INVALID_OPTION',
      details: {
        problems: [
          'expected `node` to be the name of a node, got 5',
          'expected `start` to be true or false, got "yes"',
          'expected `protocols` to be a list of texts of 1 to 256 characters',
          'expected `health.everyMs` to be milliseconds above 0, or Infinity, got 0',
          'expected `health.onUnhealthy` to be report or restart, got "shout"',
          'unknown field "limits.disk"',
          'expected `limits.memoryMb` to be a number above 0, got 0',
          'expected `limits.mailboxMax` to be a whole number from 1, got 1.5',
          'expected `limits.messagesPerSecond` to be a number above 0, got -1',
          'expected `limits.cpuShare` to be a share above 0, up to 1, got 2',
        ],
      },
    });
  });
});

describe('a singleton agent', () => {
  const singly = { ...how, strategy: 'singleton' } as const;

  it('is found, stopped, started, restarted and deregistered like others', async () => {
    await using node = await alone({ processes: [worker] });
    const { agents } = node.mabeam;
    const told = watch(node);
    const ref = await agents.register('s', { ...singly, type: 'only' });
    await agents.register('s', singly);
    const { pid } = ref;
    expect(agents.get('s')).toMatchObject({
      strategy: 'singleton',
      status: 'active',
      type: 'only',
      pid,
    });
    expect(agents.find({ capability: 'work' })).toHaveLength(1);
    await agents.restart('s');
    expect(await ref.rate()).toBe(1);
    expect(ref.pid).not.toEqual(pid);
    expect(await agents.usage('s')).toMatchObject({ restarts: 0 });
    for (let time = 0; time < 2; time++) await agents.stop('s');
    // Whoever registers it finds that it is.
    await agents.register('s', singly);
    expect([agents.get('s')?.status, ref.pid]).toEqual(['registered', undefined]);
    expect(await agents.usage('s')).toBeUndefined();
    expect([...(await agents.running(['s']))]).toEqual([]);
    expect(await agents.startAll()).toEqual({ started: ['s'], failed: [] });
    await agents.start('s');
    expect(await ref.rate()).toBe(1);
    await agents.stop('s');
    await agents.deregister('s');
    expect(agents.find()).toEqual([]);
    expect(told).toEqual([
      's registered',
      's status registered',
      's status active',
      's status registered',
      's deregistered',
    ]);
    const limited = agents.register('s', { ...singly, limits: {} });
    expect(await failure(limited)).toMatchObject({
      code: 'INVALID_OPTION',
      message: expect.stringMatching(/no `limits`: a singleton has none, .* `mailboxMax`/),
    });
    const once = agents.register('s', { ...singly, restart: { type: 'temporary' } });
    expect(await failure(once)).toMatchObject({
      message: expect.stringContaining('a singleton is always started again'),
    });
  });

  it('takes changes while it runs, keeps them for every life after, and may refuse them', async () => {
    await using test = await testNode({ processes: [worker, simple] });
    const { agents } = test.node.mabeam;
    const told = watch(test.node);
    const ref = await agents.register('s', singly);
    const { pid } = ref;
    await agents.update('s', { init: { rate: 5 }, capabilities: ['rest'], metadata: { a: 1 } });
    expect([await ref.rate(), ref.pid]).toEqual([5, pid]);
    expect(agents.get('s')).toMatchObject({ version: 1, capabilities: ['rest'] });
    expect(test.node.registry.withCapability('rest')).toHaveLength(1);
    expect(told).toContain('s updated');
    const reasons = [
      [{ init: { rate: 0 } }, 'UPDATE_REJECTED'],
      [{ health: { everyMs: 5 } }, 'INVALID_OPTION'],
      [{ metadata: { text: 'x'.repeat(20_000) } }, 'INVALID_OPTION'],
      [{ init: { rate: 7, how: () => 1 } as never }, 'NOT_SERIALIZABLE'],
    ] as const;
    for (const [changes, code] of reasons) {
      expect(await failure(agents.update('s', changes))).toMatchObject({ code });
    }
    const misspelt = agents.update('s', { init: { rate: 7 } }, { call: 'confgure' });
    expect(await failure(misspelt)).toMatchObject({ code: 'INVALID_OPTION' });
    // It crashes on it, and begins again as it was.
    const crashed = failure(agents.update('s', { init: { rate: 99 } }));
    await test.advance(1_000);
    expect(await crashed).toMatchObject({ code: 'UPDATE_REJECTED', outcome: 'not-executed' });
    expect(await ref.rate()).toBe(5);
    expect(agents.get('s')).toMatchObject({ version: 1, metadata: { a: 1 } });
    expect(test.node.registry.withCapability('rest')).toHaveLength(1);
    await agents.stop('s');
    await agents.update('s', { configuration: { rate: 6 } });
    await agents.start('s');
    expect(await ref.rate()).toBe(6);
  });

  it('is restarted with a change where it takes none, and goes on as it was where it does not start', async () => {
    await using test = await testNode({ processes: [simple] });
    const { agents } = test.node.mabeam;
    const ref = await agents.register('s', { ...singly, process: simple });
    await agents.update('s', { init: { rate: 2 } });
    expect(await ref.rate()).toBe(2);
    expect(await failure(agents.update('s', { init: { rate: -1 } }))).toMatchObject({
      code: 'UPDATE_REJECTED',
      cause: { code: 'REFUSED' },
    });
    await test.advance(2_000);
    expect(await ref.rate()).toBe(2);
    expect(agents.get('s')).toMatchObject({ status: 'active', version: 1 });
  });
});
