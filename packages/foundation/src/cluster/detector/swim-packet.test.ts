import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  probeBytesMax,
  rumoursMax,
  type Life,
  type Rumour,
  type SwimMessage,
} from './swim-message.ts';
import { decodeSwim, encodeSwim } from './swim-packet.ts';

const uint32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const name = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/);
const life: fc.Arbitrary<Life> = fc.record({ node: name, incarnation: fc.maxSafeNat() });
const rumour: fc.Arbitrary<Rumour> = fc.oneof(
  fc.record({ kind: fc.constant('suspect' as const), about: life, refutations: uint32, by: name }),
  fc.record({ kind: fc.constant('alive' as const), about: life, refutations: uint32 }),
  fc.record({ kind: fc.constant('dead' as const), about: life, refutations: uint32, by: name }),
);
const head = {
  refutations: uint32,
  isStalled: fc.boolean(),
  rumours: fc.array(rumour, { maxLength: rumoursMax }),
};
const message: fc.Arbitrary<SwimMessage> = fc.oneof(
  fc.record({ ...head, kind: fc.constant('ping' as const), serial: uint32, about: life }),
  fc.record({ ...head, kind: fc.constant('ask' as const), serial: uint32, about: life }),
  fc.record({ ...head, kind: fc.constant('nack' as const), serial: uint32 }),
  fc.record({ ...head, kind: fc.constant('news' as const) }),
  fc.record({
    ...head,
    kind: fc.constant('ack' as const),
    serial: uint32,
    about: life,
    aboutRefutations: uint32,
  }),
);

describe('a message of the detector', () => {
  it('comes out as it went in', () => {
    fc.assert(
      fc.property(message, (each) => {
        expect(decodeSwim(encodeSwim(each))).toEqual(each);
      }),
    );
  });

  it('fits into a packet, with the longest names and the most rumours', () => {
    const about = { node: 'n'.repeat(63), incarnation: Number.MAX_SAFE_INTEGER };
    const longest: Rumour = { kind: 'suspect', about, refutations: 1, by: 'b'.repeat(63) };
    const rumours = Array.from({ length: rumoursMax }, () => longest);
    const ack = { kind: 'ack', serial: 1, about, aboutRefutations: 1 } as const;
    const bytes = encodeSwim({ ...ack, refutations: 1, isStalled: true, rumours });
    const sealBytes = 10 + 63 + 16 + 16;
    expect(bytes.length + sealBytes).toBeLessThanOrEqual(probeBytesMax);
  });

  it('is one, or none, whatever the bytes: nothing is thrown', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const decoded = decodeSwim(bytes);
        const again = decoded && decodeSwim(encodeSwim(decoded));
        expect(again).toEqual(decoded);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is none when it is cut short or longer than it says, or one of its bytes is another', () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.nat(255), (each, at, byte) => {
        const bytes = encodeSwim(each);
        expect(decodeSwim(bytes.subarray(0, at % bytes.length))).toBeUndefined();
        expect(decodeSwim(Buffer.concat([bytes, Buffer.from([byte])]))).toBeUndefined();
        const spoilt = Buffer.from(bytes);
        spoilt[at % bytes.length] = byte;
        const decoded = decodeSwim(spoilt);
        if (decoded === undefined) return;
        expect(decoded.rumours.length).toBeLessThanOrEqual(rumoursMax);
        for (const { about } of decoded.rumours) {
          expect(Number.isSafeInteger(about.incarnation)).toBe(true);
          expect(about.node).toMatch(/^[\w.-]{1,63}$/);
        }
      }),
    );
  });
});
