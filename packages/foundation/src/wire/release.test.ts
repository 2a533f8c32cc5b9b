import { expect, it } from 'vitest';

import { release } from './release.ts';

it('empties bytes that have a buffer of their own, and leaves parts of others alone', () => {
  const own = Buffer.allocUnsafeSlow(5_000);
  const all = Buffer.alloc(10_000, 1);
  const part = all.subarray(0, 6_000);
  const pooled = Buffer.from('pooled');
  const short = Buffer.alloc(100);
  for (const bytes of [own, part, pooled, short]) release(bytes);
  expect(own).toHaveLength(0);
  expect(all.every((byte) => byte === 1)).toBe(true);
  expect([part.length, pooled.toString(), short.length]).toStrictEqual([6_000, 'pooled', 100]);
});
