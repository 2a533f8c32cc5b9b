// A thread of a lab's switch: takes what one host sends, and passes it on as the conditions of each path have it.
// It waits inside a read, which costs a tenth of what waiting in an event loop does.
import { readSync, writeSync } from 'node:fs';
import {
  parentPort,
  receiveMessageOnPort,
  workerData,
  type MessagePort,
} from 'node:worker_threads';

import { seededRandom } from '@foundation/core';

import { Path, type PathConditions } from './path.ts';
import { TrafficBoard } from './traffic-board.ts';

/** What a thread is given. */
export interface SwitchThreadData {
  readonly seed: string;
  /** Whose frames it takes. */
  readonly from: number;
  /** The descriptors of all hosts' devices. */
  readonly taps: readonly number[];
  readonly board: SharedArrayBuffer;
  readonly orders: MessagePort;
}

/** What a thread is told; it looks before it passes a frame on. `undefined`: the ways are well. */
export interface PathOrder {
  readonly to: readonly number[];
  readonly conditions: PathConditions | undefined;
}

/** A frame that is to arrive later. */
export interface LateFrame {
  readonly to: number;
  /** By the machine's clock, in milliseconds. */
  readonly atMs: number;
  readonly frame: Uint8Array;
}

/** Longer than any frame of a device whose packets may have 1,500 bytes. */
const frameBytesMax = 2_048;
/** Kind of frame by which hosts ask for each other's hardware address. */
const arp = 0x0806;

const { seed, from, taps, board, orders } = workerData as SwitchThreadData;
const shared = new TrafficBoard(taps.length, board);
const paths = taps.map(
  (_, to) => new Path(seededRandom(`${seed}/${from}>${to}`), shared.counts(from, to)),
);

function takeOrders(): void {
  for (;;) {
    const received = receiveMessageOnPort(orders);
    if (received === undefined) return;
    const { to, conditions } = received.message as PathOrder;
    for (const path of to.map((each) => paths[each])) {
      if (conditions === undefined) path?.heal();
      else path?.impair(conditions);
    }
  }
}

/** The hardware address of each host ends with its number, from 1; those of groups are odd in front. */
function forward(frame: Buffer): void {
  const isForAll = (frame.readUInt8(0) & 1) === 1;
  const addressed = frame.readUInt8(5) - 1;
  for (const to of taps.keys()) {
    if (to !== from && (isForAll || to === addressed)) send(to, frame);
  }
}

function send(to: number, frame: Buffer): void {
  // A host that asks in vain asks more and more seldom: that would hide when a cut has ended.
  if (frame.readUInt16BE(12) === arp) return deliver(taps[to], frame);
  const nowMs = machineMs();
  for (const atMs of paths[to]?.arrivals(frame.length, nowMs) ?? []) {
    if (atMs <= nowMs) deliver(taps[to], frame);
    else parentPort?.postMessage({ to, atMs, frame: Uint8Array.from(frame) } satisfies LateFrame);
  }
}

/** Writes a frame to a host's device. */
function deliver(tap: number | undefined, frame: Uint8Array): void {
  try {
    writeSync(tap ?? -1, frame);
  } catch {
    // Its device is not up: nobody is there to receive it.
  }
}

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const buffer = Buffer.alloc(frameBytesMax);
parentPort?.postMessage('ready');
for (;;) {
  const length = readSync(taps[from] ?? -1, buffer, 0, frameBytesMax, null);
  takeOrders();
  forward(buffer.subarray(0, length));
}
