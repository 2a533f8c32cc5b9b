import { setImmediate as nextTurn } from 'node:timers/promises';

import { child, defineProcess, defineSupervisor } from '@foundation/core';

import type { Round } from '../round.ts';
import { quantile } from '../statistics.ts';
import { startLoneNode } from './foundation-counters.ts';
import { rateOf } from './local.ts';
import type { Session, Sessions } from './subject.ts';

let crashedAtMs = 0;

const fragile = defineProcess('fragile', {
  init: () => ({}),
  casts: {
    crash(): never {
      crashedAtMs = performance.now();
      throw new Error('a crash');
    },
  },
});

const keeper = defineSupervisor('keeper', {
  children: [child(fragile, { name: 'fragile' })],
  restartsMax: Infinity,
  backoff: 'off',
});

/** `restart-us`: from the throw in a handler until the next life is registered under the name. */
export const restartSessions: Sessions = { 'restart-us': openRestarts };

async function openRestarts(): Promise<Session> {
  const node = await startLoneNode();
  await node.processes.start(keeper);
  const ref = node.ref(fragile, 'fragile');
  let onSpawn: (() => void) | undefined;
  node.events.on('spawn', () => onSpawn?.());
  async function restartUs(): Promise<number> {
    const before = ref.pid;
    const { promise, resolve } = Promise.withResolvers<number>();
    onSpawn = () => resolve((performance.now() - crashedAtMs) * 1_000);
    if (before === undefined || !ref.cast.crash()) throw new Error('nobody to crash');
    const us = await promise;
    if (ref.pid === undefined || ref.pid.equals(before)) throw new Error('not restarted');
    await nextTurn();
    return us;
  }
  return { round: (seconds) => restartRound(restartUs, seconds), close: () => node.stop() };
}

async function restartRound(restartUs: () => Promise<number>, seconds: number): Promise<Round> {
  const end = performance.now() + seconds * 1_000;
  const times: number[] = [];
  const { ops, cpuUsPerOp } = await rateOf(async () => {
    while (performance.now() < end) times.push(await restartUs());
    return times.length;
  });
  const besides = { 'p99 µs': quantile(times, 0.99) };
  return { value: quantile(times, 0.5), ops, cpuUsPerOp, besides };
}
