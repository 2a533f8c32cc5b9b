/** Why a datagram is refused: codes of errors. */
export const probeRefusals = [
  'MALFORMED',
  'PROTOCOL_VERSION',
  'WRONG_CLUSTER',
  'AUTHENTICATION_FAILED',
  'STALE_INCARNATION',
] as const;
export type ProbeRefusal = (typeof probeRefusals)[number];

const word = { beats: 0, health: 1, firstRefusal: 2 } as const;
const sequenceBytes = BigInt64Array.BYTES_PER_ELEMENT;
const memoryBytes =
  sequenceBytes + Int32Array.BYTES_PER_ELEMENT * (word.firstRefusal + probeRefusals.length + 1);

/**
 * What the thread of the probes and the main thread tell each other without asking: that the main thread's
 * event loop comes round, how well the detector is, what it has refused, and the last sequence number, which
 * outlives the thread. Counts wrap after two thousand million.
 */
export class DetectorBoard {
  readonly memory: SharedArrayBuffer;
  readonly #sequence: BigInt64Array;
  readonly #words: Int32Array;

  /** @param memory - That of the other thread's board. @defaultValue memory of its own */
  constructor(memory: SharedArrayBuffer = new SharedArrayBuffer(memoryBytes)) {
    this.memory = memory;
    this.#sequence = new BigInt64Array(memory, 0, 1);
    this.#words = new Int32Array(memory, sequenceBytes);
  }

  /** The event loop of the main thread has come round. */
  beat(): void {
    Atomics.add(this.#words, word.beats, 1);
  }

  get beats(): number {
    return Atomics.load(this.#words, word.beats);
  }

  get health(): number {
    return Atomics.load(this.#words, word.health);
  }

  set health(health: number) {
    Atomics.store(this.#words, word.health, health);
  }

  nextSequence(): number {
    return Number(Atomics.add(this.#sequence, 0, 1n)) + 1;
  }

  refuse(code: ProbeRefusal): void {
    Atomics.add(this.#words, word.firstRefusal + probeRefusals.indexOf(code), 1);
  }

  /** What was refused so far, by code. */
  refused(): Readonly<Partial<Record<ProbeRefusal, number>>> {
    const counts = probeRefusals.map((code, index) => {
      return [code, Atomics.load(this.#words, word.firstRefusal + index)] as const;
    });
    return Object.fromEntries(counts.filter(([, count]) => count > 0));
  }
}
