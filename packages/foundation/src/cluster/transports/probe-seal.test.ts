import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { probeBytesMax, type Life } from '../detector/swim-message.ts';
import { ProbeSeal, type SealParts } from './probe-seal.ts';

function sealOf(node: string, changes: Partial<SealParts> = {}): ProbeSeal {
  let sequence = 0;
  return new ProbeSeal({
    self: { node, incarnation: 5 },
    cluster: 'greetings',
    nextSequence: () => ++sequence,
    ...changes,
  });
}

const bytes = Buffer.from('are you there?');
const [a, c] = ['a', 'c'].map((node) => ({ node, incarnation: 5 })) as [Life, Life];

/** A packet of a for b, and b. */
function sent(): { packet: Buffer; receiver: ProbeSeal } {
  const [sender, receiver] = [sealOf('a'), sealOf('b')];
  return { packet: sender.seal(bytes, receiver.keyFor(a)), receiver };
}

describe('a sealed packet', () => {
  it('tells who has sent it and what, once', () => {
    const [sender, receiver] = [sealOf('a'), sealOf('b')];
    const key = receiver.keyFor(a);
    const packet = sender.seal(bytes, key);
    expect(receiver.unseal(packet)).toEqual({ from: a, bytes });
    expect(receiver.unseal(packet)).toBe('AUTHENTICATION_FAILED');
    expect(receiver.unseal(sender.seal(bytes, key))).toEqual({ from: a, bytes });
  });

  it('is of nobody else, and for nobody else: each life of each node has a key of its own', () => {
    const [receiver, other] = [sealOf('b'), sealOf('c')];
    const keys = [receiver.keyFor(c), receiver.keyFor({ ...a, incarnation: 4 }), other.keyFor(a)];
    for (const key of keys) {
      expect(receiver.unseal(sealOf('a').seal(bytes, key))).toBe('AUTHENTICATION_FAILED');
    }
    const itself = sealOf('a');
    expect(itself.unseal(itself.seal(bytes, receiver.keyFor(a)))).toBe('AUTHENTICATION_FAILED');
  });

  it('of another cluster is refused', () => {
    const receiver = sealOf('b');
    const foreign = sealOf('a', { cluster: 'others' });
    expect(receiver.unseal(foreign.seal(bytes, receiver.keyFor(a)))).toBe('WRONG_CLUSTER');
  });

  it('of an earlier life is refused once a later one was heard', () => {
    const receiver = sealOf('b');
    const later = { node: 'a', incarnation: 6 };
    receiver.unseal(sealOf('a', { self: later }).seal(bytes, receiver.keyFor(later)));
    const earlier = sealOf('a').seal(bytes, receiver.keyFor(a));
    expect(receiver.unseal(earlier)).toBe('STALE_INCARNATION');
  });

  it('is refused when a single bit of it is another, or it is cut, or too long', () => {
    const { packet, receiver } = sent();
    fc.assert(
      fc.property(fc.nat(packet.length * 8 - 1), (bit) => {
        const spoilt = Buffer.from(packet);
        spoilt[bit >> 3] = (spoilt[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(receiver.unseal(spoilt)).toBeTypeOf('string');
        expect(receiver.unseal(packet.subarray(0, bit >> 3))).toBeTypeOf('string');
      }),
    );
    const long = sealOf('a').seal(Buffer.alloc(probeBytesMax), receiver.keyFor(a));
    expect(receiver.unseal(long)).toBe('MALFORMED');
    expect(receiver.unseal(packet)).toEqual({ from: a, bytes });
  });

  it('is refused whatever noise it is', () => {
    const { packet, receiver } = sent();
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(40), (noise, kept) => {
        const bytesGiven = Buffer.concat([packet.subarray(0, kept), noise]);
        expect(receiver.unseal(bytesGiven)).toBeTypeOf('string');
      }),
      { numRuns: 1_000 },
    );
  });

  it('of a member that says nonsense of itself is refused', () => {
    const receiver = sealOf('b');
    const liars = [Number.NaN, 1.5, 2 ** 60].map((incarnation) => ({ node: 'a', incarnation }));
    for (const self of [...liars, { node: '', incarnation: 5 }, { node: '\0', incarnation: 5 }]) {
      const packet = sealOf('a', { self }).seal(bytes, receiver.keyFor(self));
      expect(receiver.unseal(packet)).toBe('MALFORMED');
    }
  });
});
