import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { cutIntoParts, partBytesMax, partFlag } from './frame.ts';
import { JoinBuffers, PartJoiner } from './part-joiner.ts';

describe('PartJoiner', () => {
  it('makes the frames again that were cut into parts', () => {
    const around = [1, partBytesMax - 1, partBytesMax, partBytesMax + 1, 3 * partBytesMax];
    const length = fc.oneof(fc.constantFrom(...around), fc.nat(200_000));
    fc.assert(
      fc.property(fc.array(length, { minLength: 1, maxLength: 5 }), (lengths) => {
        const joiner = new PartJoiner(new JoinBuffers(), 200_000);
        for (const [index, bytes] of lengths.entries()) {
          const frame = Buffer.alloc(bytes, index + 1);
          const joined: Buffer[] = [];
          cutIntoParts(1, frame, (kind, part) => {
            expect(part.length).toBeLessThanOrEqual(partBytesMax);
            expect(joiner.add(Buffer.from(part))).toBe(true);
            if ((kind & partFlag) === 0) joiner.finish((whole) => joined.push(Buffer.from(whole)));
          });
          expect(joined).toHaveLength(1);
          expect(joined[0]?.equals(frame)).toBe(true);
          expect(joiner.isEmpty).toBe(true);
        }
      }),
      { numRuns: 50 },
    );
  });

  it('refuses a part with which the frame grows past the limit', () => {
    const joiner = new PartJoiner(new JoinBuffers(), 1_000);
    expect(joiner.add(Buffer.alloc(1_000))).toBe(true);
    expect(joiner.add(Buffer.alloc(1))).toBe(false);
  });

  it('puts frames together that come over several links at once, in buffers of their own', () => {
    const buffers = new JoinBuffers();
    for (let round = 0; round < 3; round++) {
      const joiners = Array.from({ length: 6 }, () => new PartJoiner(buffers, 1_000_000));
      for (let part = 0; part < 8; part++) {
        for (const [index, joiner] of joiners.entries()) joiner.add(Buffer.alloc(16_000, index));
      }
      for (const [index, joiner] of joiners.entries()) {
        joiner.finish((frame) => expect(frame.equals(Buffer.alloc(128_000, index))).toBe(true));
      }
    }
  });
});

describe('JoinBuffers', () => {
  it('keeps few buffers, and none that is very large', () => {
    const buffers = new JoinBuffers();
    const given = Array.from({ length: 5 }, () => Buffer.alloc(100_000));
    for (const buffer of given) buffers.give(buffer);
    buffers.give(Buffer.alloc(3 * 2 ** 20));
    const taken = Array.from({ length: 5 }, () => buffers.take());
    expect(taken.filter((buffer) => given.some((each) => each === buffer))).toHaveLength(4);
    expect(taken.every(({ length }) => length <= 100_000)).toBe(true);
  });
});
