import type { Process } from '../process/process.ts';

/** Words of the head: which process runs, a count of signs that the thread goes on, slots, modules being loaded. */
const head = { running: 0, beats: 1, slots: 2, loading: 3 } as const;
const headWords = 4;
/** Words of one process. */
const slot = { process: 0, handled: 1, mailbox: 2, isBusy: 3, highWater: 4, restarts: 5 } as const;
const slotWords = 8;
/** Most processes of a thread that have counters of their own. */
export const boardSlotsMax = 65_536;
const bytesPerWord = Int32Array.BYTES_PER_ELEMENT;
const firstSlots = 64;

/** What a thread shares of one process. Numbers wrap after two thousand million. */
export interface SharedCounters {
  readonly handled: number;
  readonly mailbox: number;
  readonly mailboxHighWater: number;
  readonly restarts: number;
  readonly isBusy: boolean;
}

/** Memory for the counters of one thread, which grows with it. */
export function newBoardMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(bytesFor(firstSlots), { maxByteLength: bytesFor(boardSlotsMax) });
}

function bytesFor(slots: number): number {
  return (headWords + slots * slotWords) * bytesPerWord;
}

/**
 * Counters of the processes of a thread in shared memory: the main thread reads them without asking,
 * also when the thread never comes round again. A process is known by its number within the thread.
 */
export class CounterBoard {
  readonly #words: Int32Array;
  readonly #memory: SharedArrayBuffer;
  readonly #slots = new Map<Process, number>();
  readonly #free: number[] = [];

  constructor(memory: SharedArrayBuffer) {
    this.#memory = memory;
    this.#words = new Int32Array(memory);
  }

  // ── the thread writes ──────────────────────────────────────────────────────

  enter(process: Process): void {
    const at = this.#free.pop() ?? this.#grow();
    if (at === undefined) return;
    this.#slots.set(process, at);
    this.#words.fill(0, at, at + slotWords);
    this.#words[at + slot.restarts] = process.restarts;
    Atomics.store(this.#words, at + slot.process, numberOf(process.pid.serial));
  }

  #grow(): number | undefined {
    const slots = this.#words[head.slots] ?? 0;
    if (slots === boardSlotsMax) return undefined;
    const end = bytesFor(slots + 1);
    if (end > this.#memory.byteLength) {
      this.#memory.grow(Math.min(2 * end, this.#memory.maxByteLength));
    }
    Atomics.store(this.#words, head.slots, slots + 1);
    return headWords + slots * slotWords;
  }

  leave(process: Process): void {
    const at = this.#slots.get(process);
    if (at === undefined) return;
    this.#slots.delete(process);
    Atomics.store(this.#words, at + slot.process, 0);
    this.#free.push(at);
  }

  /** A process begins to handle messages: what was before it has come to an end. */
  begin(process: Process): void {
    this.beat();
    Atomics.store(this.#words, head.running, numberOf(process.pid.serial));
    this.note(process);
  }

  /** It has made room for others. */
  end(process: Process): void {
    this.note(process);
    Atomics.store(this.#words, head.running, 0);
  }

  note(process: Process): void {
    const at = this.#slots.get(process);
    if (at === undefined) return;
    this.#words[at + slot.handled] = process.handled;
    this.#words[at + slot.mailbox] = process.mailbox.size;
    this.#words[at + slot.highWater] = process.highWater;
    this.#words[at + slot.isBusy] = Number(process.isBusy);
  }

  /** The thread goes on: the event loop has come round, or a handler has returned. */
  beat(): void {
    Atomics.add(this.#words, head.beats, 1);
  }

  /** Loading a module takes its time, and is no handler's doing. */
  async loading<R>(load: () => Promise<R>): Promise<R> {
    Atomics.add(this.#words, head.loading, 1);
    try {
      return await load();
    } finally {
      this.beat();
      Atomics.sub(this.#words, head.loading, 1);
    }
  }

  // ── the main thread reads ──────────────────────────────────────────────────

  get isLoading(): boolean {
    return Atomics.load(this.#words, head.loading) > 0;
  }

  get beats(): number {
    return Atomics.load(this.#words, head.beats);
  }

  /** Number of the process whose handler runs now, or undefined. */
  get running(): number | undefined {
    return Atomics.load(this.#words, head.running) || undefined;
  }

  /** Numbers of the processes whose asynchronous handlers have not settled. */
  busy(): readonly number[] {
    const found: number[] = [];
    for (const at of this.#all()) {
      if (this.#words[at + slot.isBusy] === 1) found.push(this.#words[at] ?? 0);
    }
    return found;
  }

  read(serial: number): SharedCounters | undefined {
    const number = numberOf(serial);
    for (const at of this.#all()) {
      if (this.#words[at] !== number) continue;
      const word = (offset: number): number => this.#words[at + offset] ?? 0;
      return {
        handled: word(slot.handled),
        mailbox: word(slot.mailbox),
        mailboxHighWater: word(slot.highWater),
        restarts: word(slot.restarts),
        isBusy: word(slot.isBusy) === 1,
      };
    }
    return undefined;
  }

  *#all(): Generator<number> {
    const slots = Atomics.load(this.#words, head.slots);
    for (let index = 0; index < slots; index++) {
      const at = headWords + index * slotWords;
      if (Atomics.load(this.#words, at + slot.process) !== 0) yield at;
    }
  }
}

/** What is left of a serial number within its thread. */
export function numberOf(serial: number): number {
  return serial % 2 ** 31;
}
