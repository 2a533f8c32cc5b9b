import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { admits, fenced, newFence } from './fence.ts';

class Printer {
  readonly #pages: string[] = [];
  paper = 'A4';

  print(page: string): number {
    return this.#pages.push(page);
  }

  get pages(): readonly string[] {
    return this.#pages;
  }
}

describe('a fence', () => {
  it('lets a token through unless a higher one has been there', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 })), (tokens) => {
        const fence = newFence();
        for (const [index, token] of tokens.entries()) {
          const highest = Math.max(0, ...tokens.slice(0, index));
          expect(admits(fence, token)).toBe(token >= highest);
          expect(fence.highest).toBe(Math.max(highest, token));
        }
      }),
    );
  });

  it('is plain data that can be stored', () => {
    const fence = newFence();
    admits(fence, 7);
    const restored = structuredClone(fence);
    expect([admits(restored, 6), admits(restored, 7)]).toEqual([false, true]);
  });

  it('refuses what is no token, and remembers nothing of it', () => {
    const fence = newFence();
    for (const token of [0, -1, 1.5, Number.NaN, Infinity, undefined, '2']) {
      expect(() => admits(fence, token as number)).toThrow('expected `token` to be a whole number');
    }
    expect(fence).toEqual({ highest: 0 });
  });
});

describe('a fenced resource', () => {
  it('carries out what the newest holder asks for, and nothing for an earlier one', () => {
    const printer = new Printer();
    const guarded = fenced(printer);
    const [early, late] = [guarded(3), guarded(8)];
    expect(early.print('one')).toBe(1);
    expect(late.print('two')).toBe(2);
    expect(() => early.print('three')).toThrowError(
      expect.objectContaining({ code: 'FENCED', details: { token: 3, highest: 8 } }),
    );
    expect(() => (early.paper = 'A3')).toThrowError(expect.objectContaining({ code: 'FENCED' }));
    expect([printer.pages, printer.paper]).toEqual([['one', 'two'], 'A4']);
    late.paper = 'A5';
    expect([late.print('three'), early.pages.length, late.paper]).toEqual([3, 3, 'A5']);
  });

  it('shares a fence with others, and may be frozen', () => {
    const fence = newFence();
    const first = fenced(Object.freeze({ name: () => 'first' }), fence);
    const second = fenced({ name: () => 'second' }, fence);
    expect([second(2).name(), first(2).name()]).toEqual(['second', 'first']);
    expect(() => first(1).name()).toThrow('2 has been here');
  });
});
