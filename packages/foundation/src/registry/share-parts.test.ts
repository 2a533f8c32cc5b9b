import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Registration, Share } from './registry-state.ts';
import { partEntriesMax, ShareJoiner, splitShare } from './share-parts.ts';

function share(count: number, singletonCount: number): Share {
  const registrations = Array.from({ length: count }, (_, serial): Registration => {
    const registeredAt = { wallMs: serial, count: 0 };
    return { serial, process: 'p', capabilities: [], metadata: {}, registeredAt };
  });
  const singletons = Array.from({ length: singletonCount }, (_, index) => {
    return { name: `s${index}`, process: 'p', init: index, listing: {} };
  });
  return { incarnation: 7, version: count, registrations, singletons };
}

const link = {};

describe('a share in parts', () => {
  it('is whole again when the last part has come, and not before', () => {
    const sizes = fc.integer({ min: 0, max: 3 * partEntriesMax });
    fc.assert(
      fc.property(sizes, sizes, (count, singletonCount) => {
        const whole = share(count, singletonCount);
        const parts = splitShare(whole);
        const joiner = new ShareJoiner();
        const joined = parts.map((part) => joiner.add(link, part));
        expect(joined.at(-1)).toEqual(whole);
        expect(joined.slice(0, -1)).toEqual(parts.slice(1).map(() => undefined));
      }),
      { numRuns: 30 },
    );
  });

  it('keeps each part within the bound', () => {
    for (const part of splitShare(share(3 * partEntriesMax + 1, 5))) {
      expect(part.registrations.length).toBeLessThanOrEqual(partEntriesMax);
    }
  });

  it('begins anew with a first part, and ignores one out of turn', () => {
    const joiner = new ShareJoiner();
    const [first, second] = splitShare(share(partEntriesMax + 1, 0));
    if (first === undefined || second === undefined) throw new Error('two parts are expected');
    expect(joiner.add(link, second)).toBeUndefined();
    expect(joiner.add(link, first)).toBeUndefined();
    expect(joiner.add(link, first)).toBeUndefined();
    expect(joiner.add(link, second)?.registrations).toHaveLength(partEntriesMax + 1);
  });
});
