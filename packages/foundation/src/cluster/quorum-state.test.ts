import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  absentVoters,
  hasQuorum,
  newQuorum,
  nextQuorum,
  type QuorumEvent,
  type QuorumState,
} from './quorum-state.ts';

const view = (...names: readonly string[]): QuorumEvent => ({ kind: 'view', names });
const stable: QuorumEvent = { kind: 'stable' };

function after(
  voters: readonly string[] | undefined,
  ...events: readonly QuorumEvent[]
): QuorumState {
  return events.reduce(nextQuorum, newQuorum('a', voters));
}

describe('a quorum of the last stable view', () => {
  it('is with a node alone, and with all of three', () => {
    expect(hasQuorum(after(undefined))).toBe(true);
    expect(hasQuorum(after(undefined, view('b', 'c')))).toBe(true);
  });

  it('is with two of three, and with none of the halves of two and four', () => {
    expect(hasQuorum(after(undefined, view('b', 'c'), view('b')))).toBe(true);
    expect(hasQuorum(after(undefined, view('b', 'c'), view()))).toBe(false);
    expect(hasQuorum(after(undefined, view('b'), view()))).toBe(false);
    expect(hasQuorum(after(undefined, view('b', 'c', 'd'), view('b')))).toBe(false);
  });

  it('follows a majority that has been stable, so that a cluster can shrink node by node', () => {
    const three = [view('b', 'c', 'd', 'e'), view('b', 'c')];
    expect(hasQuorum(after(undefined, ...three, view()))).toBe(false);
    const settled = after(undefined, ...three, stable, view('b'), stable);
    expect(hasQuorum(settled)).toBe(true);
    expect(hasQuorum(nextQuorum(settled, view()))).toBe(false);
  });

  it('never follows a minority, however stable', () => {
    const alone = after(undefined, view('b', 'c'), view(), stable, stable);
    expect(hasQuorum(alone)).toBe(false);
    expect(absentVoters(alone)).toEqual(['b', 'c']);
    expect(hasQuorum(nextQuorum(alone, view('b')))).toBe(true);
  });

  it('counts nobody who has said goodbye', () => {
    const left = { kind: 'left', node: 'b' } as const;
    expect(hasQuorum(after(undefined, view('b'), left, view()))).toBe(true);
  });

  it('counts a newcomer at once', () => {
    expect(hasQuorum(after(undefined, view('b'), stable, view('b', 'c', 'd'), view('b')))).toBe(
      false,
    );
  });
});

describe('a quorum of configured voters', () => {
  it('counts them and nobody else', () => {
    const voters = ['a', 'b', 'c'];
    expect(hasQuorum(after(voters))).toBe(false);
    expect(hasQuorum(after(voters, view('d', 'e', 'f')))).toBe(false);
    expect(hasQuorum(after(voters, view('b')))).toBe(true);
    expect(absentVoters(after(voters, view('b', 'd')))).toEqual(['c']);
  });
});

/** Which part each of seven nodes is in. */
const parts = fc.array(fc.nat(2), { minLength: 7, maxLength: 7 });
const names = ['a', 'b', 'c', 'd', 'e', 'f', 'g'];
const size = fc.integer({ min: 1, max: names.length });

/** How many parts have a quorum when everybody sees those of its own. */
function partsWithQuorum(states: readonly QuorumState[], part: (index: number) => string): number {
  const found = states.flatMap((state, index) => (hasQuorum(state) ? [part(index)] : []));
  return new Set(found).size;
}

describe('a cluster that splits', () => {
  it('has at most one part with a quorum of configured voters, whatever meets whom', () => {
    const plans = fc.array(fc.record({ split: parts, settles: fc.boolean() }), { maxLength: 8 });
    const voters = fc.subarray(names, { minLength: 1 });
    fc.assert(
      fc.property(voters, plans, (chosen, plan) => {
        let states = names.map((name) => newQuorum(name, chosen));
        for (const { split, settles } of plan) {
          states = states.map((state, index) => {
            const seen = view(...names.filter((_, other) => split[other] === split[index]));
            return [seen, ...(settles ? [stable] : [])].reduce(nextQuorum, state);
          });
          const count = partsWithQuorum(states, (index) => String(split[index]));
          expect(count).toBeLessThanOrEqual(1);
        }
      }),
    );
  });

  it('has at most one part with a quorum of its last stable view, however parts split further', () => {
    const plans = fc.array(fc.record({ split: parts, settles: fc.boolean() }), { maxLength: 6 });
    fc.assert(
      fc.property(size, plans, (count, plan) => {
        const all = names.slice(0, count);
        let states = all.map((name) =>
          [view(...all), stable].reduce(nextQuorum, newQuorum(name, undefined)),
        );
        let part = all.map(() => '');
        for (const { split, settles } of plan) {
          // A part may split, or stay as it is; two never meet again but all at once, in the end.
          part = part.map((before, index) => before + String(split[index]));
          states = states.map((state, index) => {
            const seen = view(...all.filter((_, other) => part[other] === part[index]));
            return [seen, ...(settles ? [stable] : [])].reduce(nextQuorum, state);
          });
          expect(partsWithQuorum(states, (index) => part[index] ?? '')).toBeLessThanOrEqual(1);
        }
        const healed = states.map((state) => nextQuorum(state, view(...all)));
        expect(healed.every(hasQuorum)).toBe(true);
      }),
    );
  });
});
