import {
  child,
  defineProcess,
  defineSupervisor,
  isFoundationError,
  type Client,
  type Node,
  type Ref,
} from '@foundation/core';

import type { Round } from '../round.ts';
import { quantile } from '../statistics.ts';
import { counter, startLoneNode } from './foundation-counters.ts';
import { countCalls, timeCalls } from './load.ts';
import { mustBeAll, rateOf } from './local.ts';
import type { Session, Sessions } from './subject.ts';
import { crunch, cruncherA, cruncherB, endless } from './thread-work.ts';

/**
 * - `threads-2`: work done by two processes in two threads, in multiples of what two do in one.
 * - `endless-p99`: p99 of calls while a thread is stuck in a loop, in multiples of the undisturbed.
 */
export const threadSessions: Sessions = { 'threads-2': openTwo, 'endless-p99': openEndless };

// ── threads-2 ────────────────────────────────────────────────────────────────

/** Steps of one call, about two milliseconds. */
const steps = 1_000_000;
/** Calls that wait for each process: its thread always has the next. */
const callersEach = 2;

async function openTwo(): Promise<Session> {
  const node = await startLoneNode();
  const [first, second, other] = await Promise.all([
    node.processes.start(cruncherA),
    node.processes.start(cruncherA),
    node.processes.start(cruncherB),
  ]);
  return {
    async round(seconds) {
      const one = await crunchRound([first, second], seconds / 2);
      const two = await crunchRound([first, other], seconds / 2);
      return {
        value: two.value / one.value,
        ops: one.ops + two.ops,
        cpuUsPerOp: null,
        besides: { 'ops/s in one': one.value, 'in two': two.value },
      };
    },
    close: () => node.stop(),
  };
}

async function crunchRound(
  crunchers: readonly Client<CruncherApi>[],
  seconds: number,
): Promise<Round> {
  const expected = crunch(steps);
  const call = async (caller: number): Promise<void> => {
    const found = await crunchers[caller % crunchers.length]?.crunch(steps);
    if (found !== expected) throw new Error(`crunched ${found}, expected ${expected}`);
  };
  const callers = crunchers.length * callersEach;
  return rateOf(() => countCalls(call, { callers, seconds, batchCount: 1 }));
}

type CruncherApi = { calls: { crunch: (steps: number) => number } };

// ── endless-p99 ──────────────────────────────────────────────────────────────

/** Calls a counter, one call after the other, and tells how long they took. */
const caller = defineProcess('caller', {
  init: () => ({}),
  calls: {
    async time({ node }, seconds: number) {
      const target = node.ref(counter, 'target');
      const times = await timeCalls(() => target.add(1), seconds);
      return { p99Us: quantile(times, 0.99), calls: times.length };
    },
  },
});

/** To stop a child that does not listen is to end its thread: that is how the loop ends. */
const keeper = defineSupervisor('keeper', {
  children: [child(endless, { name: 'endless', shutdownMs: 1 })],
});

/** Milliseconds after which a process that does not answer is taken to be in its loop. */
const silenceMs = 50;
/** How long the caller may take beyond its seconds, in milliseconds. */
const graceMs = 10_000;

async function openEndless(): Promise<Session> {
  const node = await startLoneNode();
  await node.processes.start(counter, { name: 'target' });
  const client = await node.processes.start(caller);
  const supervisor = await node.processes.start(keeper);
  await supervisor.stop('endless');
  return {
    async round(seconds) {
      const quiet = await timeRound(node, client, seconds / 2);
      await supervisor.restart('endless');
      const loop = node.ref(endless, 'endless');
      await mustLoop(loop);
      const disturbed = await timeRound(node, client, seconds / 2);
      if (!(await isSilent(loop))) throw new Error('the loop has ended');
      await supervisor.stop('endless');
      return {
        value: disturbed.p99Us / quiet.p99Us,
        ops: quiet.calls + disturbed.calls,
        cpuUsPerOp: null,
        besides: { 'quiet µs': quiet.p99Us, 'disturbed µs': disturbed.p99Us },
      };
    },
    close: () => node.stop(),
  };
}

async function timeRound(
  node: Node,
  client: Ref<typeof caller>,
  seconds: number,
): Promise<{ readonly p99Us: number; readonly calls: number }> {
  const target = node.ref(counter, 'target');
  const before = await target.add(0);
  const timeoutMs = seconds * 1_000 + graceMs;
  const timed = await client.with({ timeoutMs }).time(seconds);
  mustBeAll(timed.calls, (await target.add(0)) - before);
  return timed;
}

async function mustLoop(loop: Ref<typeof endless>): Promise<void> {
  await loop.isThere();
  loop.cast.spin();
  if (!(await isSilent(loop))) throw new Error('the process does not loop');
}

async function isSilent(loop: Ref<typeof endless>): Promise<boolean> {
  try {
    return !(await loop.with({ timeoutMs: silenceMs }).isThere());
  } catch (error) {
    if (isFoundationError(error) && error.code === 'CALL_TIMEOUT') return true;
    throw error;
  }
}
