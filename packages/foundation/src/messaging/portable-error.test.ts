import { describe, expect, it } from 'vitest';

import { FoundationError } from '../errors.ts';
import { Codec } from '../wire/codec.ts';
import { errorBytesMax, portable } from './portable-error.ts';

const codec = new Codec();

describe('an error that is sent', () => {
  it('is sent whole when it is small', () => {
    const error = new FoundationError('REFUSED', 'no', { details: { code: 'NO' } });
    expect(portable(codec, error)).toBe(error);
    const plain = new RangeError('out of paper');
    expect(portable(codec, plain)).toBe(plain);
  });

  it('keeps its code, what may be concluded and the beginning of its message when it is large', () => {
    const error = new FoundationError('PROCESS_DOWN', `row ${'x'.repeat(17e6)}`, {
      hint: 'Look.',
      cause: new Error('y'.repeat(17e6)),
    });
    const sent = portable(codec, error);
    expect(codec.encode(sent).length).toBeLessThan(errorBytesMax);
    expect(sent).toMatchObject({ code: 'PROCESS_DOWN', outcome: 'unknown', hint: 'Look.' });
    expect(sent.message).toMatch(/^row x{1000}/);
  });

  it('is small also when what makes it large are its details', () => {
    const details = { rows: Array.from({ length: 1_000 }, () => 'x'.repeat(100)) };
    const sent = portable(codec, new FoundationError('REFUSED', 'no', { details }));
    expect(sent).toMatchObject({ code: 'REFUSED', message: 'no', details: {} });
  });

  it('is an error whatever was thrown', () => {
    const unreadable = Object.defineProperty(new Error('a'), 'message', {
      get: () => {
        throw new Error('b');
      },
    });
    for (const thrown of ['text', undefined, Object.create(null), unreadable]) {
      const sent = portable(codec, thrown);
      expect(sent).toBeInstanceOf(Error);
      expect(codec.decode(codec.encode(sent))).toBeInstanceOf(Error);
    }
  });
});
