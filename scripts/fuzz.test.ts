import { describe, expect, it } from 'vitest';

import { FoundationError } from '../packages/foundation/src/errors.ts';
import { seededRandom } from '../packages/foundation/src/random.ts';
import type { Decoder } from './fuzz/decoder.ts';
import { decoders } from './fuzz/decoders.ts';
import { badInput } from './fuzz/mutate.ts';
import { read, readMany, readMsMax, verdictOf, type Reading } from './fuzz/reading.ts';

const order = { inputs: 2_000, seed: '1' };

/** A decoder of texts that begin with `ok`, with something planted in it. */
function planted(flaw: (bytes: Buffer) => void): Decoder {
  return {
    name: 'planted',
    corpus: [Buffer.from('ok 12345678')],
    read(bytes) {
      flaw(bytes);
      if (bytes.length > 100) throw new FoundationError('MALFORMED', 'too long');
      return bytes.subarray(0, 2).toString() === 'ok';
    },
  };
}

function whatOf({ harms }: Reading): string {
  return harms.map(({ what }) => what.split('\n')[0]).join();
}

function wait(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

const flaws: Readonly<Record<string, (bytes: Buffer) => void>> = {
  'it threw TypeError': (bytes) => {
    if (bytes[5] === 0xff) Object(undefined).some.thing();
  },
  'it took': (bytes) => {
    if (bytes.length === 3) wait(readMsMax + 5);
  },
  'a prototype was changed': (bytes) => {
    if (bytes.length === 3) Object.assign(Object.prototype, { polluted: 1 });
  },
};

describe('a decoder that is fed with bad inputs', () => {
  it.each(Object.entries(flaws))('fails when %s', (what, flaw) => {
    const reading = readMany(planted(flaw), order);
    Reflect.deleteProperty(Object.prototype, 'polluted');
    expect(whatOf(reading)).toContain(what);
    expect(verdictOf('planted', reading)).toMatchObject({ ok: false });
  });

  it('is not blamed for what was slow once: then the machine was', () => {
    let slow = 0;
    const reading = readMany(
      planted(() => {
        if (++slow % 500 === 0) wait(readMsMax + 5);
      }),
      order,
    );
    expect(slow).toBeGreaterThan(order.inputs);
    expect(verdictOf('planted', reading)).toMatchObject({ value: 0, ok: true });
  });

  it('is told with the very input', () => {
    const decoder = planted(flaws['it threw TypeError'] ?? (() => {}));
    const [harm] = readMany(decoder, order).harms;
    expect(read(decoder, Buffer.from(harm?.input ?? '', 'base64'))).toContain('TypeError');
  });

  it.each([true, false])('has tried nothing when all came to %s', (answer) => {
    const same: Decoder = { ...planted(() => {}), read: () => answer };
    expect(verdictOf('planted', readMany(same, order))).toMatchObject({ value: 0, ok: false });
  });

  it('gets the same inputs from the same seed, and others from another', () => {
    const inputs = (seed: string): string => {
      const random = seededRandom(seed);
      const corpus = [Buffer.from('ok 12345678')];
      return Array.from({ length: 20 }, () => badInput(random, corpus).toString('hex')).join();
    };
    expect(inputs('1')).toBe(inputs('1'));
    expect(inputs('1')).not.toBe(inputs('2'));
  });
});

describe.each(decoders.map((decoder) => [decoder.name, decoder] as const))(
  '%s',
  (name, decoder) => {
    it('refuses what is bad, and does no harm', () => {
      expect(verdictOf(name, readMany(decoder, order))).toMatchObject({ value: 0, ok: true });
    });
  },
);
