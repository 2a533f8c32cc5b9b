import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { dialGoesOn } from './duplicate-state.ts';

/** One side of two dials that cross, as the handshake drives it. */
class Side {
  readonly name: string;
  readonly other: string;
  readonly mine: string;
  readonly theirs: string;
  greeted = false;
  held: string | undefined;

  constructor(name: string, other: string) {
    this.name = name;
    this.other = other;
    this.mine = `by ${name}`;
    this.theirs = `by ${other}`;
  }

  /** Answers the other's hello: the sessions it tells. */
  welcome(): readonly string[] {
    this.greeted = true;
    return this.held === undefined ? [] : [this.held];
  }

  /** Hears the welcome to its own dial. */
  confirm(theirs: readonly string[]): boolean {
    const goesOn = dialGoesOn({
      self: this.name,
      peer: this.other,
      theirs,
      heldBefore: undefined,
      held: this.held,
      greeted: this.greeted ? [this.theirs] : [],
    });
    if (goesOn) this.held = this.mine;
    return goesOn;
  }
}

describe('dialGoesOn', () => {
  it('leaves exactly one of two dials that cross, however their steps interleave', () => {
    // Steps in order for each dial: hello arrives, welcome arrives, ready (or refusal) arrives.
    const interleaving = fc.shuffledSubarray(['a', 'a', 'a', 'b', 'b', 'b'], { minLength: 6 });
    fc.assert(
      fc.property(interleaving, (order) => {
        const a = new Side('a', 'b');
        const b = new Side('b', 'a');
        const dials = { a: { by: a, to: b }, b: { by: b, to: a } };
        const told: Record<string, readonly string[]> = {};
        const goesOn: Record<string, boolean> = {};
        const step: Record<string, number> = { a: 0, b: 0 };
        const ups: string[] = [];
        for (const key of order) {
          const { by, to } = key === 'a' ? dials.a : dials.b;
          const at = (step[key] = (step[key] ?? 0) + 1);
          if (at === 1) told[key] = to.welcome();
          if (at === 2) {
            goesOn[key] = by.confirm(told[key] ?? []);
            if (goesOn[key]) ups.push(`${by.name} ${key}`);
          }
          if (at === 3) {
            to.greeted = false;
            if (goesOn[key] === true) {
              to.held = to.theirs;
              ups.push(`${to.name} ${key}`);
            }
          }
        }
        expect([goesOn['a'], goesOn['b']].filter(Boolean)).toHaveLength(1);
        expect(ups).toHaveLength(2);
      }),
    );
  });

  it('lets the dial of the lower name win when neither knew of the other', () => {
    const view = { theirs: [], heldBefore: undefined, held: undefined, greeted: ['theirs'] };
    expect(dialGoesOn({ ...view, self: 'a', peer: 'b' })).toBe(true);
    expect(dialGoesOn({ ...view, self: 'b', peer: 'a' })).toBe(false);
  });

  it('replaces a link that only one side still has', () => {
    const view = { self: 'b', peer: 'a', greeted: [], theirs: [], heldBefore: undefined };
    expect(dialGoesOn({ ...view, theirs: ['old'], held: undefined })).toBe(true);
    expect(dialGoesOn({ ...view, heldBefore: 'old', held: 'old' })).toBe(true);
    expect(dialGoesOn({ ...view, heldBefore: 'same', held: 'same', theirs: ['same'] })).toBe(false);
    expect(dialGoesOn({ ...view, held: 'just come up' })).toBe(false);
  });
});
