import { setImmediate as nextTurn } from 'node:timers/promises';

import type { Round } from '../round.ts';
import { mustBeAll } from './local.ts';
import type { Sessions } from './subject.ts';

/** Counters of which there are very many, made with the means of a subject. */
export interface Crowd<Handle> {
  start(index: number): Handle | Promise<Handle>;
  /** Adds one to a counter and answers its count. */
  call(handle: Handle): unknown;
  /** How many live. */
  living(): unknown;
  close(): Promise<void>;
}

/** Processes that are called after the measure, to see that they are alive, drawn by lot. */
const sampleCount = 1_000;
/** Processes by which is measured what one costs that has handled a call. */
const calledCount = 100_000;

/**
 * `idle-bytes`: what a process costs in memory that has begun and waits for its first message. The heap,
 * with what it holds outside of it, after a full collection, minus the same before.
 *
 * @param count - How many processes live at a time.
 */
export function idleSessions<Handle>(
  open: () => Promise<Crowd<Handle>>,
  count = 1_000_000,
): Sessions {
  const session = { round: () => idleRound(open, count), close: async () => {} };
  return { 'idle-bytes': () => Promise.resolve(session) };
}

async function idleRound<Handle>(
  open: () => Promise<Crowd<Handle>>,
  count: number,
): Promise<Round> {
  const crowd = await open();
  const livedBefore = Number(await crowd.living());
  const before = await usedBytes();
  const sample: Handle[] = [];
  for (let index = 0; index < count; index++) {
    const handle = await crowd.start(index);
    if (Math.random() * count < sampleCount) sample.push(handle);
  }
  const after = await usedBytes();
  mustBeAll(count, Number(await crowd.living()) - livedBefore);
  for (const handle of sample) mustBeAll(1, Number(await crowd.call(handle)));
  const calledBytes = await bytesOnceCalled(crowd, count);
  await crowd.close();
  const [value, rssBytes] = [after.heap - before.heap, after.rss - before.rss];
  return {
    value: value / count,
    ops: count,
    cpuUsPerOp: null,
    besides: { processes: count, 'rss bytes': rssBytes / count, 'bytes once called': calledBytes },
  };
}

/** Bytes of a process that has handled a call and waits for the next. */
async function bytesOnceCalled<Handle>(crowd: Crowd<Handle>, started: number): Promise<number> {
  const before = await usedBytes();
  for (let index = started; index < started + calledCount; index++) {
    mustBeAll(1, Number(await crowd.call(await crowd.start(index))));
  }
  const after = await usedBytes();
  return (after.heap - before.heap) / calledCount;
}

async function usedBytes(): Promise<{ readonly heap: number; readonly rss: number }> {
  if (globalThis.gc === undefined) throw new Error('start Node with --expose-gc');
  await nextTurn(); // what is queued holds on to what it needs
  globalThis.gc();
  globalThis.gc(); // some things are let go by finalizers of the first
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, rss };
}
