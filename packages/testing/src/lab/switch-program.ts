// The switch of a lab: passes frames between the hosts, as the conditions of each path have it.
// `switch-program.ts SEED FD…`, one descriptor of a TAP device a host; see `taps.ts`.
import { read, writeSync } from 'node:fs';

import { seededRandom } from '@foundation/core';

import { EventHeap, type Due } from '../simulation/event-heap.ts';
import { runTestProgram } from '../test-program.ts';
import { noTraffic, Path, type PathConditions, type PathTraffic } from './path.ts';

/** Hosts by their index. */
export interface PathsBetween {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

interface Arrival extends Due {
  readonly to: number;
  readonly frame: Uint8Array;
}

/** Longer than any frame of a device whose packets may have 1,500 bytes. */
const frameBytesMax = 2_048;
/** Kind of frame by which hosts ask for each other's hardware address. */
const arp = 0x0806;

class Switch {
  readonly #taps: readonly number[];
  readonly #paths: readonly (readonly Path[])[];
  readonly #waiting = new EventHeap<Arrival>();
  #timer: NodeJS.Timeout | undefined;
  #serial = 0;

  constructor(seed: string, taps: readonly number[]) {
    this.#taps = taps;
    this.#paths = taps.map((_, from) =>
      taps.map((_tap, to) => new Path(seededRandom(`${seed}/${from}>${to}`))),
    );
  }

  serve(): void {
    for (const [host, tap] of this.#taps.entries()) this.#listen(host, tap);
  }

  impair(between: PathsBetween, conditions: PathConditions): void {
    for (const path of this.#between(between)) path.impair(conditions);
  }

  heal(): void {
    for (const path of this.#paths.flat()) path.heal();
  }

  traffic(between: PathsBetween): PathTraffic {
    const sum = { ...noTraffic };
    for (const { traffic } of this.#between(between)) {
      for (const name of Object.keys(noTraffic) as (keyof PathTraffic)[])
        sum[name] += traffic[name];
    }
    return sum;
  }

  #between({ from, to }: PathsBetween): readonly Path[] {
    return from.flatMap((sender) =>
      to.flatMap((receiver) => this.#paths[sender]?.[receiver] ?? []),
    );
  }

  #listen(host: number, tap: number): void {
    const buffer = Buffer.alloc(frameBytesMax);
    const next = (): void => {
      read(tap, buffer, 0, frameBytesMax, null, (error, length) => {
        // The device is gone: the lab is being closed.
        if (error !== null) return;
        this.#forward(host, buffer.subarray(0, length));
        next();
      });
    };
    next();
  }

  /** The hardware address of each host ends with its number, from 1; those of groups are odd in front. */
  #forward(from: number, frame: Buffer): void {
    const isForAll = (frame.readUInt8(0) & 1) === 1;
    const addressed = frame.readUInt8(5) - 1;
    for (const to of this.#taps.keys()) {
      if (to !== from && (isForAll || to === addressed)) this.#send({ from, to }, frame);
    }
  }

  #send({ from, to }: { readonly from: number; readonly to: number }, frame: Buffer): void {
    // A host that asks in vain asks more and more seldom: that would hide when a cut has ended.
    if (frame.readUInt16BE(12) === arp) return this.#deliver(to, frame);
    const nowMs = performance.now();
    for (const atMs of this.#paths[from]?.[to]?.arrivals(frame.length, nowMs) ?? []) {
      if (atMs <= nowMs) this.#deliver(to, frame);
      else this.#waiting.push({ atMs, tie: this.#serial++, to, frame: Uint8Array.from(frame) });
    }
    this.#plan();
  }

  #plan(): void {
    const next = this.#waiting.next;
    if (next === undefined || this.#timer !== undefined) return;
    this.#timer = setTimeout(
      () => {
        this.#timer = undefined;
        this.#deliverDue();
      },
      Math.max(0, next.atMs - performance.now()),
    );
  }

  #deliverDue(): void {
    const nowMs = performance.now();
    for (;;) {
      const next = this.#waiting.next;
      if (next === undefined || next.atMs > nowMs) break;
      this.#waiting.pop();
      this.#deliver(next.to, next.frame);
    }
    this.#plan();
  }

  #deliver(to: number, frame: Uint8Array): void {
    try {
      writeSync(this.#taps[to] ?? -1, frame);
    } catch {
      // Its device is not up: nobody is there to receive it.
    }
  }
}

const [seed = '', ...taps] = process.argv.slice(2);
const frames = new Switch(seed, taps.map(Number));
const commands = {
  impair: (between: PathsBetween, conditions: PathConditions) => frames.impair(between, conditions),
  heal: () => frames.heal(),
  traffic: (between: PathsBetween) => frames.traffic(between),
};
export type SwitchCommands = typeof commands;

frames.serve();
runTestProgram('serves', commands);
