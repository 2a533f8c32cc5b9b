import { describe, expect, it } from 'vitest';

import {
  oralDecide,
  oralHear,
  type OralLie,
  type OralLieutenant,
  oralMessages,
} from './oral-messages.ts';

const words = ['attack', 'retreat', 'wait', undefined];

/** Everything that a liar can tell some generals. */
function liesTo(listeners: readonly number[]): readonly OralLie[] {
  const choices = listeners.reduce<readonly (readonly (string | undefined)[])[]>(
    (all) => all.flatMap((said) => words.map((word) => [...said, word])),
    [[]],
  );
  return choices.map((said) => (to) => said[listeners.indexOf(to)]);
}

const four = [0, 1, 2, 3];
const orders = ['attack', 'retreat'];

describe('oral messages', () => {
  it('take (n − 1)² messages when nobody lies, and all do what is ordered', () => {
    for (const n of [2, 3, 4, 7]) {
      const generals = Array.from({ length: n }, (_, id) => id);
      const { decisions, messages } = oralMessages(generals, { order: 'attack' });
      expect(messages).toBe((n - 1) ** 2);
      expect(Object.values(decisions)).toEqual(Array.from({ length: n - 1 }, () => 'attack'));
    }
  });

  it('of four with a lying lieutenant: both loyal ones do what the loyal commander orders, whatever it tells', () => {
    for (const order of orders) {
      for (const liar of [1, 2, 3]) {
        const loyal = [1, 2, 3].filter((id) => id !== liar);
        const lies = liesTo(loyal);
        expect(lies).toHaveLength(16);
        for (const lie of lies) {
          const { decisions } = oralMessages(four, { order, lies: { [liar]: lie } });
          expect(decisions).toEqual(Object.fromEntries(loyal.map((id) => [id, order])));
        }
      }
    }
  });

  it('of four with a lying commander: all three do the same, whatever it tells', () => {
    const lies = liesTo([1, 2, 3]);
    expect(lies).toHaveLength(64);
    for (const lie of lies) {
      const { decisions } = oralMessages(four, { order: 'attack', lies: { 0: lie } });
      expect(Object.keys(decisions)).toEqual(['1', '2', '3']);
      expect(new Set(Object.values(decisions)).size).toBe(1);
    }
    const most: OralLie = (to) => (to === 3 ? 'retreat' : 'attack');
    const split = oralMessages(four, { order: 'wait', lies: { 0: most } });
    expect(split).toEqual({ decisions: { 1: 'attack', 2: 'attack', 3: 'attack' }, messages: 9 });
  });

  it('of three mislead a loyal lieutenant: what it hears is the same, whoever lies', () => {
    const lies = { 2: () => 'retreat' };
    const misled = oralMessages([0, 1, 2], { order: 'attack', lies });
    expect(misled).toEqual({ decisions: { 1: 'retreat' }, messages: 4 });
    // It cannot tell this from a commander that lies, and whose word it must not take then.
    const lying: OralLie = (to) => (to === 1 ? 'attack' : 'retreat');
    const other = oralMessages([0, 1, 2], { order: 'attack', lies: { 0: lying } });
    expect(other.decisions).toEqual({ 1: 'retreat', 2: 'retreat' });
  });

  it('of four are not enough against two liars', () => {
    const isMisled = liesTo([2, 3]).some((lie) =>
      liesTo([1, 2, 3]).some((order) => {
        const { decisions } = oralMessages(four, { order: 'attack', lies: { 0: order, 1: lie } });
        return decisions[2] !== decisions[3];
      }),
    );
    expect(isMisled).toBe(true);
  });

  it('count the first word of each general, and silence as the order to retreat', () => {
    const lieutenant: OralLieutenant = { id: 1, commander: 0, others: [2, 3], heard: new Map() };
    const said = ['attack', 'retreat'].map((order) => ({ from: 0, order }));
    const heard = said.reduce(oralHear, lieutenant);
    expect([...heard.heard]).toEqual([[0, 'attack']]);
    expect(oralDecide(heard)).toBe('retreat');
    expect(oralDecide(oralHear(heard, { from: 3, order: 'attack' }))).toBe('attack');
  });
});
