import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ReplayState } from './replay-state.ts';

const a = { node: 'a', incarnation: 1 };

describe('packets of a sender', () => {
  it('are taken once each, in whatever order, as far back as the window reaches', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 200 }), { maxLength: 300 }), (sequences) => {
        const state = new ReplayState();
        const taken = new Set<number>();
        let highest = 0;
        for (const sequence of sequences) {
          const isNew = state.note(a, sequence) === 'new';
          const isRecent = sequence > highest - 64;
          expect(isNew).toBe(isRecent && !taken.has(sequence));
          if (isNew) taken.add(sequence);
          highest = Math.max(highest, sequence);
        }
      }),
    );
  });

  it('may have any number: one that is far behind was there before', () => {
    const state = new ReplayState();
    expect(state.note(a, 0)).toBe('new');
    expect(state.note(a, Number.MIN_SAFE_INTEGER)).toBe('replayed');
    expect(state.note(a, -(2 ** 31))).toBe('replayed');
    expect(state.note(a, Number.MAX_SAFE_INTEGER)).toBe('new');
    expect(state.note(a, Number.MIN_SAFE_INTEGER)).toBe('replayed');
  });

  it('begin anew with a new life, and those of an earlier one are stale from then on', () => {
    const state = new ReplayState();
    expect(state.note(a, 1_000)).toBe('new');
    expect(state.note({ ...a, incarnation: 2 }, 1)).toBe('new');
    expect(state.note(a, 2_000)).toBe('stale');
    expect(state.note({ ...a, incarnation: 2 }, 1)).toBe('replayed');
    expect(state.note({ node: 'b', incarnation: 1 }, 1)).toBe('new');
  });

  it('are remembered of a bounded number of senders, those heard last', () => {
    const state = new ReplayState();
    state.note(a, 1);
    for (let index = 0; index < 4_096; index++) {
      state.note({ node: `n${index}`, incarnation: 1 }, 1);
      if (index % 1_000 === 0) state.note(a, index + 2);
    }
    expect(state.note(a, 2)).toBe('replayed');
    expect(state.note({ node: 'n4095', incarnation: 1 }, 1)).toBe('replayed');
    expect(state.note({ node: 'n0', incarnation: 1 }, 1)).toBe('new');
  });
});
