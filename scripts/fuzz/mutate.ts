import type { Random } from '../../packages/foundation/src/random.ts';

/** Numbers around which lengths and counts go wrong. */
const edges = [
  0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff,
];
/** Longest input, in bytes: what is larger is slower, not different. */
const inputBytesMax = 2_048;
const noiseOneIn = 8;
const noiseBytesMax = 128;

type Mutation = (random: Random, bytes: Buffer, other: Buffer) => Buffer;

const mutations: readonly Mutation[] = [
  /** Flips a bit. */
  (random, bytes) => {
    const at = random.int(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << random.int(8));
    return bytes;
  },
  /** Replaces a byte. */
  (random, bytes) => {
    bytes[random.int(bytes.length)] = random.int(256);
    return bytes;
  },
  /** Writes a number of one, two or four bytes. */
  (random, bytes) => {
    const width = 1 << random.int(3);
    if (bytes.length < width) return bytes;
    const edge = (edges[random.int(edges.length)] ?? 0) % 2 ** (8 * width);
    bytes.writeUIntBE(edge, random.int(bytes.length - width + 1), width);
    return bytes;
  },
  /** Cuts the end off. */
  (random, bytes) => bytes.subarray(0, random.int(bytes.length)),
  /** Leaves a part out. */
  (random, bytes) => {
    const [from, to] = range(random, bytes);
    return Buffer.concat([bytes.subarray(0, from), bytes.subarray(to)]);
  },
  /** Says a part twice. */
  (random, bytes) => {
    const [from, to] = range(random, bytes);
    return Buffer.concat([bytes.subarray(0, to), bytes.subarray(from)]);
  },
  /** Goes on with a part of something else. */
  (random, bytes, other) => {
    const [from, to] = range(random, other);
    return Buffer.concat([
      bytes.subarray(0, random.int(bytes.length + 1)),
      other.subarray(from, to),
    ]);
  },
  /** Puts one byte many times. */
  (random, bytes) => {
    const at = random.int(bytes.length + 1);
    const many = Buffer.alloc(1 + random.int(64), random.int(256));
    return Buffer.concat([bytes.subarray(0, at), many, bytes.subarray(at)]);
  },
];

function range(random: Random, bytes: Buffer): readonly [from: number, to: number] {
  const [one, two] = [random.int(bytes.length + 1), random.int(bytes.length + 1)];
  return one < two ? [one, two] : [two, one];
}

/** One good input with a few things wrong; now and then, nothing but noise. */
export function badInput(random: Random, corpus: readonly Buffer[]): Buffer {
  if (random.int(noiseOneIn) === 0) return noise(random);
  const pick = (): Buffer => corpus[random.int(corpus.length)] ?? Buffer.alloc(0);
  let bytes: Buffer = Buffer.from(pick());
  // Mostly few: what is broken twice is mostly refused for the first reason.
  for (let left = 1 + random.int(1 + random.int(4)); left > 0 && bytes.length > 0; left--) {
    const mutation = mutations[random.int(mutations.length)];
    bytes = mutation?.(random, bytes, pick()) ?? bytes;
  }
  return bytes.length > inputBytesMax ? bytes.subarray(0, inputBytesMax) : bytes;
}

function noise(random: Random): Buffer {
  const bytes = Buffer.allocUnsafe(random.int(noiseBytesMax + 1));
  for (let at = 0; at < bytes.length; at++) bytes[at] = random.int(256);
  return bytes;
}
