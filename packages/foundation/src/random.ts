import { getRandomValues } from 'node:crypto';

/** The only door to chance. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform integer in [0, below). */
  int(below: number): number;
}

/** A reproducible stream. Source: sfc32, seeded by FNV-1a of the text. */
export function seededRandom(seed: string | number): Random {
  let [a, b, c, d] = [0x9e3779b9, 0x243f6a88, 0xb7e15162, fnv1a(String(seed))];
  const next = (): number => {
    const sum = (((a + b) | 0) + d) | 0;
    d = (d + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (c << 21) | (c >>> 11);
    c = (c + sum) | 0;
    return (sum >>> 0) / 4_294_967_296;
  };
  for (let round = 0; round < 15; round++) next();
  return { next, int: (below) => Math.floor(next() * below) };
}

/** The operating system's randomness. */
export const systemRandom: Random = {
  next: () => (getRandomValues(new Uint32Array(1))[0] ?? 0) / 4_294_967_296,
  int: (below) => Math.floor(systemRandom.next() * below),
};

/** 32-bit hash of a text (Fowler–Noll–Vo 1a). Not for secrets. */
export function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
}
