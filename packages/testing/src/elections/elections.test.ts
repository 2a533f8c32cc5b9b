import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { bullyElection } from './bully-election.ts';
import { ringElection } from './ring-election.ts';

describe('the ring', () => {
  it.each([
    [4, 7, 10],
    [5, 9, 15],
    [8, 15, 36],
  ])('of %i needs %i messages where numbers rise, %i where they fall (E1)', (n, best, worst) => {
    const rising = Array.from({ length: n }, (_, index) => index + 1);
    const told = { leader: n, electedMessages: n };
    expect(ringElection(rising)).toEqual({ ...told, electMessages: best });
    expect(ringElection(rising.toReversed())).toEqual({ ...told, electMessages: worst });
  });

  it('elects the largest of those who stand, in any order, within those bounds', () => {
    const ids = fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(ids, fc.array(fc.nat(11)), (order, places) => {
        const n = order.length;
        const all = ringElection(order);
        expect(all.leader).toBe(Math.max(...order));
        expect(all.electMessages).toBeGreaterThanOrEqual(2 * n - 1);
        expect(all.electMessages).toBeLessThanOrEqual((n * (n + 1)) / 2);
        const starters = places.flatMap((place) => order[place % n] ?? []);
        const some = ringElection(order, starters);
        expect(some.leader).toBe(starters.length === 0 ? undefined : all.leader);
        expect(some.electMessages).toBeLessThanOrEqual(all.electMessages);
        expect(some.electedMessages).toBe(starters.length === 0 ? 0 : n);
      }),
    );
  });
});

describe('the bully', () => {
  const five = [1, 2, 3, 4, 5];

  it('needs 19 messages when the lowest of five starts and the highest is dead, 4 when the next does (E2)', () => {
    expect(bullyElection(five, { starter: 1, dead: [5] })).toEqual({
      leader: 4,
      electionMessages: 10,
      answerMessages: 6,
      coordinatorMessages: 3,
    });
    expect(bullyElection(five, { starter: 4, dead: [5] })).toEqual({
      leader: 4,
      electionMessages: 1,
      answerMessages: 0,
      coordinatorMessages: 3,
    });
    expect(bullyElection(five, { starter: 5 })).toMatchObject({
      leader: 5,
      coordinatorMessages: 4,
    });
  });

  it('elects the largest that is alive, whoever starts', () => {
    const ids = fc.uniqueArray(fc.nat(99), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(ids, fc.array(fc.nat(7)), fc.nat(7), (all, gone, at) => {
        const dead = gone.flatMap((place) => all[place] ?? []);
        const alive = all.filter((id) => !dead.includes(id));
        const starter = alive[at % Math.max(1, alive.length)] ?? -1;
        const { leader } = bullyElection(all, { starter, dead });
        expect(leader).toBe(alive.length === 0 ? undefined : Math.max(...alive));
      }),
    );
  });
});
