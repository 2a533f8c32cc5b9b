// A node that is put under pressure: `pressed-node.ts <options of startNode as JSON>`.
import { rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

import {
  child,
  defineProcess,
  defineSupervisor,
  isFoundationError,
  startNode,
  type NodeOptions,
} from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

/** Takes what it is sent. */
const sink = defineProcess('sink', {
  init: () => ({ taken: 0 }),
  calls: { taken: ({ state }) => state.taken },
  casts: {
    take: ({ state }, bytes: Uint8Array) => {
      state.taken += bytes.length;
    },
  },
});

/** Counts; what it has told is stored. */
const counter = defineProcess('counter', {
  durable: true,
  init: () => ({ count: 0 }),
  calls: { add: ({ state }, by: number) => (state.count += by), count: ({ state }) => state.count },
});
/** Starts it again until the disk has room. */
const keeper = defineSupervisor('keeper', {
  children: [child(counter, { name: 'counter' })],
  restartsMax: 1_000,
  backoff: { maxMs: 500 },
});

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode({ ...options, config: false, processes: [sink, counter] });
await node.processes.start(sink, { name: `sink of ${node.name}` });
if (node.name === 'first') await node.processes.start(keeper);

setFlagsFromString('--expose-gc');
const collect: () => void = runInNewContext('gc');

/** Memory of the program, in bytes, with the garbage gone. */
function rssBytes(): number {
  collect();
  return process.memoryUsage.rss();
}

/** What came of sending to a node as much as can be. */
export interface Flood {
  readonly castsTaken: number;
  readonly castsRefused: number;
  readonly callsRefused: number;
  /** Longest that a call took to be refused for want of room, in milliseconds. */
  readonly slowestRefusalMs: number;
  /** Most memory of the program meanwhile, in bytes, garbage apart. */
  readonly rssBytesMax: number;
}

/** As much as no slow peer takes, some 50 MiB a second: more would measure this program. */
const castBytes = 16_384;
const castsPerTurn = 4;
const lookEveryMs = 1_000;

async function flood(to: string, forMs: number): Promise<Flood> {
  const ref = node.ref(sink, `sink of ${to}`);
  const bytes = new Uint8Array(castBytes);
  let [castsTaken, castsRefused, callsRefused, slowestRefusalMs] = [0, 0, 0, 0];
  let rssBytesMax = rssBytes();
  const watch = setInterval(() => {
    rssBytesMax = Math.max(rssBytesMax, rssBytes());
  }, lookEveryMs);
  const call = async (): Promise<void> => {
    const began = performance.now();
    try {
      await ref.with({ timeoutMs: 2_000 }).taken();
    } catch (error) {
      if (!isFoundationError(error) || error.code !== 'OVERLOADED') return;
      callsRefused++;
      slowestRefusalMs = Math.max(slowestRefusalMs, performance.now() - began);
    }
  };
  for (const endsAt = performance.now() + forMs; performance.now() < endsAt;) {
    for (let left = castsPerTurn; left > 0; left--) {
      if (ref.cast.take(bytes)) castsTaken++;
      else castsRefused++;
    }
    void call();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  clearInterval(watch);
  return { castsTaken, castsRefused, callsRefused, slowestRefusalMs, rssBytesMax };
}

const fillerPath = join(options.directory ?? '', 'filler');

/** Writes until the disk is full, and on for a moment, as others may write meanwhile. */
function fillDisk(): string {
  for (let bytes = 2 ** 20; ;) {
    try {
      writeFileSync(fillerPath, new Uint8Array(bytes), { flag: 'a' });
    } catch (error) {
      if (bytes === 1) return error instanceof Error ? error.message : '';
      bytes >>= 1;
    }
  }
}

/** Keeps more and more, until the heap is full. */
function hoard(): void {
  const kept: string[][] = [];
  setInterval(
    () => kept.push(Array.from({ length: 50_000 }, (_, index) => `${index} of ${kept.length}`)),
    5,
  );
}

/** Whether the program can open a connection of its own. */
function canDial(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}

const commands = {
  members: () => node.cluster.members().map((each) => each.node),
  counters: () => node.counters(),
  flood,
  add: () => node.ref(counter, 'counter').with({ timeoutMs: 1_000 }).add(1),
  count: () => node.ref(counter, 'counter').with({ timeoutMs: 1_000 }).count(),
  fillDisk,
  freeDisk: () => rmSync(fillerPath),
  hoard,
  canDial,
};
export type PressedNode = typeof commands;

runTestProgram(node.name, commands, () => node.stop());
