import {
  brotliCompressSync,
  deflateRawSync,
  deflateSync,
  gzipSync,
  zstdCompressSync,
} from 'node:zlib';

import { open } from '../../packages/foundation/src/context/sealed-bytes.ts';
import { Codec } from '../../packages/foundation/src/internal.ts';
import { FrameReader, frameTooLarge } from '../../packages/foundation/src/wire/frame.ts';
import { PartJoiner } from '../../packages/foundation/src/wire/part-joiner.ts';
import { type Area, type Attempt, pureArea } from './attempt.ts';

const codec = new Codec();

function bytes(...parts: readonly (number | string | Buffer)[]): Buffer {
  return Buffer.concat(
    parts.map((part) => {
      if (typeof part === 'number') return Buffer.of(part);
      return typeof part === 'string' ? Buffer.from(part) : part;
    }),
  );
}

/** Bytes that are no message, or one that must not be made. */
const hostile: Readonly<Record<string, Buffer>> = {
  nothing: bytes(),
  'a text cut short': bytes(0xa5, 'ab'),
  'two values': bytes(1, 2),
  'a list that claims four billion elements': bytes(0xdd, 255, 255, 255, 255),
  'a map that claims four billion entries': bytes(0xdf, 255, 255, 255, 255),
  'a text that claims four gigabytes': bytes(0xdb, 255, 255, 255, 255),
  'bytes that claim four gigabytes': bytes(0xc6, 255, 255, 255, 255),
  'a million levels': Buffer.alloc(1_000_000, 0x91),
  '65 levels': bytes(Buffer.alloc(65, 0x91), 1),
  '65,537 numbers': bytes(0xdd, 0, 1, 0, 1, Buffer.alloc(65_537, 1)),
  'seventy thousand empty maps': bytes(0xdd, 0, 1, 17, 112, Buffer.alloc(70_000, 0x80)),
  'a regular expression': bytes(0xd4, 0x78, 0, 0x92, 0xa5, '(a+)+', 0xa0),
  'an error of the library': bytes(0xd4, 0x65, 0, 0x93, 0xa7, 'valueOf', 0xa1, 'x', 0xc0),
  'a cycle': bytes(0xd6, 0x69, 0, 0, 0, 1, 0x91, 0xd6, 0x70, 0, 0, 0, 1),
  'a record definition': bytes(0xd4, 0x72, 0x40, 0x91, 0xa1, 'a', 1),
  'a bigint of the library': bytes(0xc7, 1, 0x42, 1),
  'a typed array': bytes(0xc7, 2, 0x74, 0x10, 1),
  'a set of the library': bytes(0xd4, 0x73, 0, 0x91, 1),
  'a date of the library': bytes(0xd6, 0xff, 0, 0, 0, 1),
  'a mark alone': bytes(0xc1),
  'a mark out of place': bytes(0x92, 1, 0xc1),
  'an unknown kind': bytes(0x92, 0xc1, 99),
  'a ref where none are known': bytes(0x93, 0xc1, 8, 1),
  'a reply address where none are known': bytes(0x93, 0xc1, 12, 1),
  'a pid of nonsense': bytes(0x95, 0xc1, 7, 1, 2, 3),
  'a pid of a path': bytes(0x95, 0xc1, 7, 0xa4, '../x', 2, 3),
  'a pid of two lines': bytes(0x95, 0xc1, 7, 0xa3, 'a\nb', 2, 3),
  'a pid of a fraction': bytes(0x95, 0xc1, 7, 0xa1, 'a', 0xcb, Buffer.alloc(8, 0x3f), 1),
  'a bigint of nonsense': bytes(0x93, 0xc1, 2, 0xa1, 'z'),
  'a bigint of 5,000 bytes': bytes(0x93, 0xc1, 2, 0xda, 0x27, 0x10, 'f'.repeat(10_000)),
  'an error without a text': bytes(0x94, 0xc1, 10, 1, 2),
  'an error of ours without a code': bytes(0x97, 0xc1, 11, 1, 2, 3, 4, 5),
  'a prototype in a record': bytes(0x94, 0xc1, 6, 0xa9, '__proto__', 1),
  'a map as a key': bytes(0x81, 0x80, 1),
  'text that is no UTF-16': bytes(0x93, 0xc1, 1, 1),
};

const long = Buffer.alloc(2 ** 20, 'a');
const compressed: Readonly<Record<string, Buffer>> = {
  gzip: gzipSync(long),
  zlib: deflateSync(long),
  deflate: deflateRawSync(long),
  brotli: brotliCompressSync(long),
  zstd: zstdCompressSync(long),
  'a brotli bomb': brotliCompressSync(Buffer.alloc(16 * 2 ** 20)),
};

/** Everything that reads bytes from outside, without a network. */
export async function decoders(): Promise<Area> {
  return pureArea([...messages(), ...compressions(), ...contexts(), ...framing()]);
}

function messages(): readonly Attempt[] {
  return Object.entries(hostile).map(([name, frame]) => ({
    name: `a message of ${name}`,
    threat: 'T7 malformed bytes',
    expected: 'MALFORMED',
    run: () => codec.decode(frame),
  }));
}

function compressions(): readonly Attempt[] {
  return Object.entries(compressed).map(([name, frame]) => ({
    name: `a message compressed by ${name}`,
    threat: 'T9 decompression',
    expected: 'MALFORMED',
    run: () => codec.decode(frame),
  }));
}

/** The values of a context are the one thing that travels compressed. */
function contexts(): readonly Attempt[] {
  const sealed: Readonly<Record<string, Buffer>> = {
    'that grows past its limit': deflateRawSync(Buffer.alloc(65_537)),
    'that grows to 16 MiB': deflateRawSync(Buffer.alloc(2 ** 24)),
    'cut short': deflateRawSync(long.subarray(0, 60_000)).subarray(0, 20),
    'of brotli': brotliCompressSync(Buffer.alloc(2 ** 20)),
    'of zeros': Buffer.alloc(1_000),
  };
  const unknown = bytes(9, 'values');
  return [
    ...Object.entries(sealed).map(
      ([name, body]) =>
        ({
          name: `a context ${name}`,
          threat: 'T9 decompression',
          expected: 'MALFORMED',
          run: () => codec.decode(open(bytes(1, body))),
        }) as const,
    ),
    {
      name: 'a context sealed in an unknown way',
      threat: 'T9 decompression',
      expected: 'MALFORMED',
      run: () => open(unknown),
    },
    {
      name: 'a context that is not compressed and too long',
      threat: 'T8 exhaustion',
      expected: 'MALFORMED',
      run: () => open(bytes(0, Buffer.alloc(65_537))),
    },
  ];
}

/** Reads chunks into frames of at most `max` bytes. */
function read(max: number, ...chunks: readonly Buffer[]): () => void {
  return () => {
    const reader = new FrameReader(max);
    for (const chunk of chunks) reader.push(chunk, () => {});
  };
}

function framing(): readonly Attempt[] {
  const threat = 'T8 exhaustion';
  const expected = 'FRAME_TOO_LARGE';
  const header = Buffer.from('7fffffff01', 'hex');
  return [
    { name: 'a header that announces 2 GiB', threat, expected, run: read(1_000, header) },
    {
      name: 'a header that announces 2 GiB, byte by byte',
      threat,
      expected,
      run: read(1_000, ...Array.from(header, (byte) => Buffer.of(byte))),
    },
    {
      name: 'a header that announces one byte too many, behind a good frame',
      threat,
      expected,
      run: read(1_000, Buffer.from('0000000101ff000003e901', 'hex')),
    },
    {
      name: 'parts without end',
      threat,
      expected,
      run: () => {
        const joiner = new PartJoiner(100_000);
        for (let count = 0; count < 1_000; count++) {
          // As a link does, which then hangs up.
          if (!joiner.add(Buffer.alloc(1_000))) throw frameTooLarge(joiner.bytes + 1_000, 100_000);
        }
      },
    },
  ];
}
