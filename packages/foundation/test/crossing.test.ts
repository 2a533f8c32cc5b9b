// What must be the same here, in a thread and on another node: contexts, cycles, replies, groups, introspection.
import { startNode, type Node } from '@foundation/core';
import { TestCluster, type TestProcess } from '@foundation/testing';
import { context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { failure, present } from './alone.ts';
import type { CrossingNode } from './crossing-node.ts';
import { echo, threadEcho } from './crossing-processes.ts';
import { openTelemetry } from './open-telemetry.ts';

let cluster: TestCluster<CrossingNode>;
let there: TestProcess<CrossingNode>;
let here: Node;
beforeAll(async () => {
  cluster = new TestCluster(new URL('crossing-node.ts', import.meta.url));
  here = await startNode(cluster.options('here'));
  there = await cluster.start('there');
  await cluster.formed(2, here);
  await there.ask('start', 'far');
  await here.processes.start(threadEcho, { name: 'near in a thread' });
  await cluster.eventually('they are known', () =>
    ['far', 'far in a thread'].every((name) => here.registry.lookup(name) !== undefined),
  );
});
afterAll(async () => {
  await here.stop();
  await cluster[Symbol.asyncDispose]();
});

function remote(name: string) {
  return name.endsWith('thread') ? here.ref(threadEcho, name) : here.ref(echo, name);
}
const places = ['near in a thread', 'far', 'far in a thread'] as const;

describe.each(places)('a request context reaches %s', (place) => {
  it('with id, values and what is left of the deadline, by call and by cast', async () => {
    const ref = remote(place);
    const values = { tenant: 'acme', list: [1, { two: 2n }], none: undefined };
    await here.context.run({ requestId: 'r-7', values, timeoutMs: 4_000 }, async () => {
      const seen = await ref.look();
      expect(seen).toMatchObject({ requestId: 'r-7', values });
      expect(seen.remainingMs).toBeGreaterThan(2_000);
      expect(seen.remainingMs).toBeLessThanOrEqual(4_000);
      expect(ref.cast.hear('one')).toBe(true);
    });
    ref.cast.hear('two');
    const heard = await cluster.eventually('both were heard', async () => {
      const all = await ref.heard();
      return all.length >= 2 && all;
    });
    expect(heard.slice(-2)).toEqual(['one r-7', 'two -']);
    expect((await ref.look()).requestId).toBeUndefined();
  });

  it('and from there comes back here', async () => {
    const local = await here.processes.start(echo);
    const seen = await here.context.run({ requestId: 'r-8', values: { a: 1 } }, () =>
      remote(place).lookOn(local as never),
    );
    expect(seen).toMatchObject({ requestId: 'r-8', values: { a: 1 } });
  });

  it('compressed when it is large, and not at all when it is too large', async () => {
    const values = { text: 'lorem ipsum '.repeat(3_000) };
    const seen = await here.context.run({ values }, () => remote(place).look());
    expect(seen.values).toEqual(values);
  });
});

describe('a trace', () => {
  it('goes on in another program, and its baggage with it', async () => {
    using telemetry = openTelemetry();
    await using node = await startNode(cluster.options('traced'));
    await cluster.eventually('it is known', () => node.registry.lookup('far') !== undefined);
    const root = trace.getTracer('test').startSpan('root');
    const baggage = propagation.createBaggage({ tenant: { value: 'x'.repeat(3_000) } });
    const active = propagation.setBaggage(trace.setSpan(ROOT_CONTEXT, root), baggage);
    const seen = await context.with(active, () => node.ref(echo, 'far').look());
    expect(seen.traceId).toBe(root.spanContext().traceId);
    expect(telemetry.exporter.getFinishedSpans().map((each) => each.name)).toEqual(['echo.look']);
  });

  it('with more baggage than fits fails the call, and nothing is executed', async () => {
    using _telemetry = openTelemetry();
    await using node = await startNode(cluster.options('loaded'));
    await cluster.eventually('it is known', () => node.registry.lookup('far') !== undefined);
    const entries = Array.from({ length: 150 }, (_, index) => [
      `k${index}`,
      { value: `${Math.sin(index)}${Math.cos(index)}`.repeat(10) },
    ]);
    const baggage = propagation.createBaggage(Object.fromEntries(entries) as never);
    const active = propagation.setBaggage(ROOT_CONTEXT, baggage);
    const outcome = await context.with(active, () =>
      node
        .ref(echo, 'far')
        .ping()
        .catch((error: { code: string }) => error.code),
    );
    // The W3C propagator itself keeps baggage within 8 KiB: what it lets through must fit.
    expect(outcome).toBe('pong');
  });
});

describe.each(places)('a cycle of calls by way of %s', (place) => {
  it('is told, with everybody in it', async () => {
    const local = await here.processes.start(echo, { name: `first of ${place}` });
    const started = performance.now();
    let error: unknown = await failure(local.pass([remote(place), local]));
    expect(performance.now() - started).toBeLessThan(4_000);
    while (error instanceof Error && (error as { code?: string }).code !== 'CALL_CYCLE') {
      error = error.cause;
    }
    const first = `echo "first of ${place}"`;
    const { details } = error as { details: { chain: string[] } };
    expect(details.chain).toEqual([first, expect.stringContaining(place), first]);
  });
});

describe('a reply taken into hand', () => {
  it('is given by a process in a thread or on another node', async () => {
    const local = await here.processes.start(echo);
    // The last test has crashed those in the middle of the cycle.
    await there.ask('start', 'helper');
    await here.processes.start(threadEcho, { name: 'helper here in a thread' });
    await cluster.eventually('they are known', () => here.registry.lookup('helper in a thread'));
    for (const name of ['helper', 'helper in a thread', 'helper here in a thread']) {
      expect(await local.ask(remote(name) as never, `by ${name}`)).toBe(`by ${name}`);
    }
    // And the other way round: a process here replies to a call that was taken there.
    expect(await remote('helper').ask(local as never, 'from here')).toBe('from here');
  });
});

describe('a group', () => {
  it('has members on all nodes and in threads, and loses those of a node that goes', async () => {
    await using cluster2 = new TestCluster<CrossingNode>(
      new URL('crossing-node.ts', import.meta.url),
    );
    await using node = await startNode(cluster2.options('here'));
    const other = await cluster2.start('there');
    await cluster2.formed(2, node);
    await other.ask('start', 'x');
    await cluster2.eventually('it is known', () => node.registry.lookup('x in a thread'));
    const [near, far] = [await node.processes.start(echo), node.ref(echo, 'x')];
    await near.join('choir');
    await far.join('choir');
    const group = node.group(echo, 'choir');
    const sizes: number[] = [];
    using _watch = group.onChange((members) => sizes.push(members.length));
    await cluster2.eventually('both are members', () => group.members().length === 2);
    expect(await other.ask('groupSize', 'choir')).toBe(2);
    await node.context.run({ requestId: 'song' }, async () => {
      expect(group.cast.hear('la')).toBe(2);
    });
    expect(await near.heard()).toEqual(['la song']);
    await cluster2.eventually('it is heard', async () => (await far.heard()).length === 1);
    expect(await far.heard()).toEqual(['la song']);
    const threaded = node.ref(threadEcho, 'x in a thread');
    await threaded.join('choir');
    const threads = node.group(threadEcho, 'choir');
    await cluster2.eventually('it is a member', () => threads.members().length === 1);
    expect(group.members()).toHaveLength(2);
    await threaded.leave('choir');
    await cluster2.eventually('it is none', () => threads.members().length === 0);
    await other.kill();
    await cluster2.eventually('they are gone', () => group.members().length === 1);
    expect(sizes.at(-1)).toBe(1);
  });
});

describe.each(['far', 'far in a thread'] as const)('introspection of %s', (place) => {
  it('reads and replaces state, suspends, and follows messages', async () => {
    const name = `looked at ${place === 'far' ? '' : 'too'}`;
    await there.ask('start', name);
    const full = place === 'far' ? name : `${name} in a thread`;
    await cluster.eventually('it is known', () => here.registry.lookup(full) !== undefined);
    const ref = remote(full);
    const look = here.processes.inspect(ref);
    expect(await look.state()).toEqual({ heard: [], waiting: [] });
    await look.replaceState({ heard: ['before'], waiting: [] });
    expect(await ref.heard()).toEqual(['before']);
    await using messages = await look.trace();
    await look.suspend();
    const asked = ref.ping();
    await cluster.eventually('it waits', async () => (await look.statistics()).mailbox === 1);
    await look.resume();
    expect(await asked).toBe('pong');
    expect((await messages.next()).value).toMatchObject({ kind: 'call', name: 'ping' });
    const statistics = await look.statistics({ stateBytes: true });
    expect(statistics).toMatchObject({ name: full, mailbox: 0 });
    expect(statistics.stateBytes).toBeGreaterThan(5);
    expect(statistics.thread > 0).toBe(place !== 'far');
    const listed = await here.processes.list('there');
    expect(listed.map((each) => each.name)).toContain(full);
    const roots = (await here.processes.tree('there')).map((each) => each.name);
    expect(roots).toContain(full);
  });

  it('stops it', async () => {
    const name = `stopped ${place === 'far' ? '' : 'too'}`;
    await there.ask('start', name);
    const full = place === 'far' ? name : `${name} in a thread`;
    await cluster.eventually('it is known', () => here.registry.lookup(full) !== undefined);
    const { pid } = remote(full);
    await here.processes.stop(present(pid));
    await cluster.eventually('it is gone', () => here.registry.lookup(full) === undefined);
    expect(await failure(here.processes.stop(present(pid)))).toMatchObject({ code: 'NO_PROCESS' });
  });
});

describe('introspection of a node that stands still', () => {
  it('is UNRESPONSIVE, and works again when it goes on', async () => {
    const ref = here.ref(echo, 'helper');
    const look = here.processes.inspect(ref, { timeoutMs: 200 });
    await there.ask('freeze', 1_500);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
    expect(await failure(look.state())).toMatchObject({ code: 'UNRESPONSIVE' });
    await cluster.eventually('it answers again', () => look.state().catch(() => false));
  });
});
