import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { detectorProfiles } from './detector-options.ts';
import { suspicionLastsMs } from './suspicion-state.ts';

const settings = detectorProfiles.lan;
const { suspicionMs, confirmations, doubtFactor } = settings;

describe('a suspicion', () => {
  it('lasts long while one node alone suspects, and shortest when enough have joined in', () => {
    expect(suspicionLastsMs(settings, 10, 1)).toBe(suspicionMs * doubtFactor);
    expect(suspicionLastsMs(settings, 10, 1 + confirmations)).toBe(suspicionMs);
  });

  it('lasts longer than the shortest where nobody is there to join in', () => {
    const alone = suspicionLastsMs(settings, 2, 1);
    expect(alone).toBeGreaterThan(suspicionMs);
    expect(alone).toBeLessThan(suspicionMs * doubtFactor);
  });

  it('asks for no more to join in than there are', () => {
    expect(suspicionLastsMs(settings, 3, 2)).toBe(suspicionMs);
  });

  it('is the shorter the more join in, and the longer the more must hear of it', () => {
    const nodes = fc.integer({ min: 2, max: 1_000 });
    fc.assert(
      fc.property(nodes, nodes, fc.integer({ min: 1, max: 6 }), (few, more, accusers) => {
        const lasts = suspicionLastsMs(settings, few, accusers);
        expect(suspicionLastsMs(settings, few, accusers + 1)).toBeLessThanOrEqual(lasts);
        expect(lasts).toBeGreaterThanOrEqual(suspicionMs);
        fc.pre(few > 10 && more >= few);
        expect(suspicionLastsMs(settings, more, accusers)).toBeGreaterThanOrEqual(lasts);
      }),
    );
  });
});
