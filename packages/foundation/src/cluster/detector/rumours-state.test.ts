import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { RumoursState } from './rumours-state.ts';
import { rumoursMax, type Rumour } from './swim-message.ts';

const alive = (node: string, refutations = 1): Rumour => ({
  kind: 'alive',
  about: { node, incarnation: 1 },
  refutations,
});
const names = (rumours: readonly Rumour[]): readonly string[] =>
  rumours.map(({ about }) => about.node);

describe('rumours', () => {
  it('are told least told first, at most so many at once', () => {
    const rumours = new RumoursState();
    for (let index = 0; index < rumoursMax + 2; index++) rumours.add(alive(`n${index}`));
    expect(names(rumours.next(100))).toEqual(['n0', 'n1', 'n2', 'n3', 'n4', 'n5', 'n6', 'n7']);
    expect(names(rumours.next(100)).slice(0, 2)).toEqual(['n8', 'n9']);
  });

  it('take the place of what was known of the same node', () => {
    const rumours = new RumoursState();
    rumours.add(alive('a', 1));
    rumours.add(alive('a', 2));
    expect(rumours.next(3)).toEqual([alive('a', 2)]);
  });

  it('come after what the receiver must hear, and leave out the same node', () => {
    const rumours = new RumoursState();
    rumours.add(alive('a'));
    rumours.add(alive('b'));
    const first: Rumour = { ...alive('a'), kind: 'suspect', by: 'c' };
    expect(rumours.next(3, [first])).toEqual([first, alive('b')]);
  });

  it('are told more often the more nodes there are, and then forgotten', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 5_000 }), (nodes) => {
        const rumours = new RumoursState();
        rumours.add(alive('a'));
        let tellings = 0;
        while (!rumours.isEmpty && tellings < 100) {
          expect(rumours.next(nodes)).toHaveLength(1);
          tellings++;
        }
        expect(tellings).toBe(Math.ceil(4 + 4 * Math.log10(nodes)));
        expect(rumours.next(nodes)).toEqual([]);
      }),
    );
  });
});
