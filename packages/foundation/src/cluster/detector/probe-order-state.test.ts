import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../random.ts';
import { draw, ProbeOrderState } from './probe-order-state.ts';

function orderOf(seed: number, nodes: readonly string[]): ProbeOrderState {
  const order = new ProbeOrderState(seededRandom(seed));
  for (const node of nodes) order.add(node);
  return order;
}

const taken = (order: ProbeOrderState, count: number): readonly string[] =>
  Array.from({ length: count }, () => order.next() ?? 'none');

describe('the order of probes', () => {
  const nodes = ['a', 'b', 'c', 'd', 'e'];

  it('has each node once a round, in an order of its own', () => {
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const order = orderOf(seed, nodes);
        for (let round = 0; round < 4; round++) {
          expect(new Set(taken(order, nodes.length))).toEqual(new Set(nodes));
        }
      }),
    );
    const rounds = new Set(
      Array.from({ length: 40 }, (_, seed) => taken(orderOf(seed, nodes), 5).join()),
    );
    expect(rounds.size).toBeGreaterThan(20);
  });

  it('gives every second turn to those who are preferred, each once', () => {
    const order = orderOf(1, nodes);
    taken(order, 5);
    for (const node of ['a', 'b']) order.prefer(node);
    const [first, , third] = taken(order, 3);
    expect([first, third]).toEqual(['a', 'b']);
  });

  it('lets nobody wait for more than two rounds, whoever is preferred', () => {
    fc.assert(
      fc.property(fc.nat(), fc.array(fc.constantFrom(...nodes)), (seed, wishes) => {
        const order = orderOf(seed, nodes);
        const seen: (string | undefined)[] = [];
        for (let turn = 0; turn < 40; turn++) {
          const wish = wishes[turn % Math.max(1, wishes.length)];
          if (wish !== undefined) order.prefer(wish);
          seen.push(order.next());
        }
        // Every second turn is one of the round, so two rounds take twice as many.
        for (const node of nodes) {
          for (let at = 0; at + 20 <= seen.length; at++) {
            expect(seen.slice(at, at + 20)).toContain(node);
          }
        }
      }),
      { numRuns: 30 },
    );
  });

  it('takes in who comes and leaves out who goes, also in the middle of a round', () => {
    const order = orderOf(3, nodes);
    taken(order, 2);
    order.remove('a');
    order.prefer('a');
    order.add('f');
    order.add('f');
    const next = taken(order, 20);
    expect(next).not.toContain('a');
    expect(next.filter((node) => node === 'f').length).toBeGreaterThanOrEqual(3);
  });

  it('has nobody when nobody is there', () => {
    expect(orderOf(1, []).next()).toBeUndefined();
  });
});

describe('a draw', () => {
  it('gives each the same chance', () => {
    const random = seededRandom(5);
    const counts = new Map<string, number>();
    for (let round = 0; round < 3_000; round++) {
      for (const each of draw(['a', 'b', 'c', 'd'], 2, random)) {
        counts.set(each, (counts.get(each) ?? 0) + 1);
      }
    }
    for (const count of counts.values()) expect(Math.abs(count - 1_500)).toBeLessThan(150);
  });
});
