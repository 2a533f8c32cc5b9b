import { keepNewest } from '../../keep-newest.ts';

/** Numbers behind the highest one that may still come in, each once. */
const windowBits = 64;
const windowMask = (1n << BigInt(windowBits)) - 1n;
/** Most senders that are remembered; beyond, the one heard longest ago is forgotten. */
const sendersMax = 4_096;

interface Heard {
  readonly incarnation: number;
  highest: number;
  /** Bit n: `highest - n` has come in. */
  window: bigint;
}

/** Whether a packet is to be taken: it is new, was there before (or may have been), or is of an earlier life. */
export type Freshness = 'new' | 'replayed' | 'stale';

/**
 * Which packets of whom have come in, so that none is taken twice: a sliding window over the sequence
 * numbers of each sender's life (RFC 4303, §3.4.3).
 */
export class ReplayState {
  readonly #heard = new Map<string, Heard>();

  /** Notes a packet that has proven who sent it. */
  note(sender: { node: string; incarnation: number }, sequence: number): Freshness {
    const { node, incarnation } = sender;
    const heard = this.#heard.get(node);
    if (heard !== undefined && incarnation < heard.incarnation) return 'stale';
    if (heard?.incarnation === incarnation) return this.#noteKnown(node, heard, sequence);
    this.#keep(node, { incarnation, highest: sequence, window: 1n });
    return 'new';
  }

  #noteKnown(node: string, heard: Heard, sequence: number): Freshness {
    const ahead = sequence - heard.highest;
    if (ahead > 0) {
      heard.highest = sequence;
      heard.window = ahead >= windowBits ? 1n : ((heard.window << BigInt(ahead)) | 1n) & windowMask;
    } else {
      if (-ahead >= windowBits) return 'replayed';
      const bit = 1n << BigInt(-ahead);
      if ((heard.window & bit) !== 0n) return 'replayed';
      heard.window |= bit;
    }
    this.#keep(node, heard);
    return 'new';
  }

  #keep(node: string, heard: Heard): void {
    this.#heard.delete(node);
    this.#heard.set(node, heard);
    keepNewest(this.#heard, sendersMax);
  }
}
