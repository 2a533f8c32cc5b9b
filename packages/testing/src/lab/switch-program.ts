// The switch of a lab: passes frames between the hosts, as the conditions of each path have it.
// `switch-program.ts SEED FD…`, one descriptor of a TAP device a host; see `taps.ts`.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { setPriority } from 'node:os';
import { extname } from 'node:path';
import { MessageChannel, Worker, type MessagePort } from 'node:worker_threads';

import { EventHeap, type Due } from '../simulation/event-heap.ts';
import { runTestProgram } from '../test-program.ts';
import type { PathConditions } from './path.ts';
import type { LateFrame, PathOrder, SwitchThreadData } from './switch-thread.ts';
import { TrafficBoard, type PathsBetween } from './traffic-board.ts';

/** Not by `moduleBeside`: what a lab starts first loads no node. */
const threadFile = `./switch-thread${extname(import.meta.url)}`;

/** Delivers frames that were delayed, each at its time. */
class LateDelivery {
  readonly #taps: readonly number[];
  readonly #waiting = new EventHeap<LateFrame & Due>();
  #timer: NodeJS.Timeout | undefined;
  #serial = 0;

  constructor(taps: readonly number[]) {
    this.#taps = taps;
  }

  add(late: LateFrame): void {
    this.#waiting.push({ ...late, tie: this.#serial++ });
    clearTimeout(this.#timer);
    this.#deliver();
  }

  #deliver(): void {
    for (;;) {
      const next = this.#waiting.next;
      if (next === undefined) return;
      const leftMs = next.atMs - machineMs();
      if (leftMs > 0) {
        this.#timer = setTimeout(() => this.#deliver(), leftMs);
        return;
      }
      this.#waiting.pop();
      try {
        writeSync(this.#taps[next.to] ?? -1, next.frame);
      } catch {
        // Its device is not up: nobody is there to receive it.
      }
    }
  }
}

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Before all others: a network is not slow because the machines in it are busy. */
const niceness = -10;

setPriority(niceness);
const [seed = '', ...descriptors] = process.argv.slice(2);
const taps = descriptors.map(Number);
const board = new TrafficBoard(taps.length);
const late = new LateDelivery(taps);

/** Starts the thread of a host. Resolves when it takes frames, with where it takes its orders. */
async function startThread(from: number): Promise<MessagePort> {
  const { port1, port2 } = new MessageChannel();
  const workerData: SwitchThreadData = { seed, from, taps, board: board.memory, orders: port2 };
  const thread = new Worker(new URL(threadFile, import.meta.url), {
    workerData,
    transferList: [port2],
  });
  await once(thread, 'message');
  thread.on('message', (frame: LateFrame) => late.add(frame));
  return port1;
}

const orders = await Promise.all(taps.map((_, from) => startThread(from)));

const commands = {
  /** Without conditions they are well again. What is sent from now on is concerned. */
  impair: ({ from, to }: PathsBetween, conditions?: PathConditions) => {
    for (const sender of from) orders[sender]?.postMessage({ to, conditions } satisfies PathOrder);
  },
  traffic: (between: PathsBetween) => board.sum(between),
};
export type SwitchCommands = typeof commands;

runTestProgram('serves', commands);
