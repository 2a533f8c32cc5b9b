import type { Life } from './swim-message.ts';

/** A ping that another node has asked for. */
export interface Errand {
  readonly asker: Life;
  /** Which of its probes it belongs to. */
  readonly serial: number;
}

interface Open extends Errand {
  /** When the asker is told that there is no answer yet; Infinity when it was. */
  nackMs: number;
  endMs: number;
}

/** Most errands at a time; further ones are declined. */
const errandsMax = 256;

/** Pings for others, by the serial numbers of this node. */
export class ErrandsState {
  readonly #open = new Map<number, Open>();

  /** When the next one is late or over. */
  get dueMs(): number {
    let due = Infinity;
    for (const { nackMs, endMs } of this.#open.values()) due = Math.min(due, nackMs, endMs);
    return due;
  }

  get isFull(): boolean {
    return this.#open.size >= errandsMax;
  }

  add(serial: number, errand: Errand, times: { nackMs: number; endMs: number }): void {
    this.#open.set(serial, { ...errand, ...times });
  }

  /** Whose errand an answer belongs to; it is done by that. */
  take(serial: number): Errand | undefined {
    const errand = this.#open.get(serial);
    this.#open.delete(serial);
    return errand;
  }

  /** Those without an answer so far, each once; forgets those that are over. */
  late(nowMs: number): readonly Errand[] {
    const late: Errand[] = [];
    for (const [serial, errand] of this.#open) {
      if (errand.nackMs <= nowMs) late.push(errand);
      if (errand.nackMs <= nowMs) errand.nackMs = Infinity;
      if (errand.endMs <= nowMs) this.#open.delete(serial);
    }
    return late;
  }

  putOff(byMs: number): void {
    for (const errand of this.#open.values()) {
      errand.nackMs += byMs;
      errand.endMs += byMs;
    }
  }
}
