import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { advertised, heard, reprieved, unexpired, type Roster, type Word } from './roster-state.ts';

const bounds = { now: 100, nodesMax: 3 };
const word = (node: string, over: Partial<Word> = {}): Word => ({
  kind: 'here',
  node,
  incarnation: 1,
  address: `address of ${node}`,
  number: 1,
  ...over,
});
const rosterOf = (...words: readonly Word[]): Roster =>
  words.reduce<Roster>((roster, each) => heard(roster, each, bounds), new Map());
const names = (roster: Roster): readonly string[] => advertised(roster).map(({ node }) => node);

describe('a roster', () => {
  it('has who was heard, by name, and not who has said goodbye', () => {
    const roster = rosterOf(word('b'), word('a'), word('b', { kind: 'bye', number: 2 }), word('c'));
    expect(advertised(roster)).toEqual([
      { node: 'a', incarnation: 1, address: 'address of a' },
      { node: 'c', incarnation: 1, address: 'address of c' },
    ]);
  });

  it('does not believe what is older than what it knows: of an earlier life, or out of order', () => {
    const roster = rosterOf(word('a', { incarnation: 2, number: 5, address: 'new' }));
    for (const old of [
      word('a', { incarnation: 1, number: 9 }),
      word('a', { incarnation: 2, number: 5 }),
      word('a', { incarnation: 2, number: 4, kind: 'bye' }),
      word('a', { incarnation: 1, number: 9, kind: 'bye' }),
    ]) {
      expect(heard(roster, old, bounds)).toBe(roster);
    }
  });

  it('forgets who has been silent, and gives all more time after an outage', () => {
    const roster = heard(rosterOf(word('a')), word('b'), { ...bounds, now: 200 });
    expect(names(unexpired(roster, 150))).toEqual(['b']);
    expect(unexpired(roster, 100)).toBe(roster);
    expect(names(unexpired(reprieved(roster, 300), 250))).toEqual(['a', 'b']);
  });

  it('takes no more nodes than it may', () => {
    const roster = rosterOf(word('a'), word('b'), word('c'), word('d'));
    expect(names(roster)).toEqual(['a', 'b', 'c']);
    expect(heard(roster, word('a', { number: 2 }), bounds)).not.toBe(roster);
  });

  it('is the same in whatever order words arrive, once the newest of each node is there', () => {
    const some = fc.record({
      node: fc.constantFrom('a', 'b'),
      incarnation: fc.integer({ min: 1, max: 2 }),
      number: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(fc.array(some), fc.array(some), (words, again) => {
        const all = [...words, ...again].map(({ node, ...over }) => word(node, over));
        const last = ['a', 'b'].map((node) => word(node, { incarnation: 3, address: 'last' }));
        expect(advertised(rosterOf(...all, ...last))).toEqual(
          advertised(rosterOf(...last, ...all.toReversed())),
        );
      }),
    );
  });
});
