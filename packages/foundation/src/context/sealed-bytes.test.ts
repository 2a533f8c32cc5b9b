import { deflateRawSync } from 'node:zlib';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  compressAboveBytes,
  contextBytesMax,
  contextWireBytesMax,
  open,
  seal,
} from './sealed-bytes.ts';

describe('sealed bytes', () => {
  it('are what they were when they are opened again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 8_000 }), (bytes) => {
        expect([...open(seal(bytes, 'bytes'))]).toEqual([...bytes]);
      }),
    );
  });

  it('are compressed when they are large, and not when they are small', () => {
    expect(seal(new Uint8Array(compressAboveBytes), 'bytes').length).toBe(compressAboveBytes + 1);
    expect(seal(new Uint8Array(compressAboveBytes + 1), 'bytes').length).toBeLessThan(100);
  });

  it('are refused when they are too large, before or after compression', () => {
    const tooLarge = expect.objectContaining({ code: 'CONTEXT_TOO_LARGE' });
    expect(() => seal(new Uint8Array(contextBytesMax + 1), 'it')).toThrow(tooLarge);
    const noise = Uint8Array.from(
      { length: contextWireBytesMax * 2 },
      (_, i) => (i * 2_654_435_761) >>> 13,
    );
    const noisy = Uint8Array.from(noise, (byte, i) => byte ^ ((i * i * 48_271) >>> 7));
    expect(() => seal(noisy, 'it')).toThrow(tooLarge);
  });

  it('do not grow beyond their bound, whoever sealed them', () => {
    const bomb = deflateRawSync(new Uint8Array(10_000_000));
    for (const bytes of [
      Uint8Array.of(1, ...bomb),
      Uint8Array.of(2, 0),
      Uint8Array.of(1, 255, 255),
      new Uint8Array(0),
    ]) {
      expect(() => open(bytes)).toThrow(expect.objectContaining({ code: 'MALFORMED' }));
    }
  });
});
