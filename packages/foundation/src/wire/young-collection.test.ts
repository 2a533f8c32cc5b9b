import { setImmediate as nextTurn } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';

import { describe, expect, it } from 'vitest';

import { Codec } from './codec.ts';

const mebibyte = 2 ** 20;

describe('a young collection', () => {
  it('frees large values that nobody holds, before they add up', async () => {
    const codec = new Codec();
    const bytes = new Codec().encode(new Uint8Array(mebibyte));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    for (let count = 0; count < 64; count++) {
      codec.decode(bytes);
      await nextTurn();
      most = Math.max(most, process.memoryUsage().arrayBuffers - before);
    }
    expect(most / mebibyte).toBeLessThan(12);
  });

  it('leaves those that somebody holds', async () => {
    const codec = new Codec();
    const sent = new Uint8Array(mebibyte).fill(7);
    const bytes = new Codec().encode(sent);
    const held: unknown[] = [];
    for (let count = 0; count < 16; count++) {
      held.push(codec.decode(bytes));
      await nextTurn();
    }
    expect(held.every((each) => isDeepStrictEqual(each, sent))).toBe(true);
  });
});
