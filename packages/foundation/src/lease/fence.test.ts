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
    for (const token of [0, -1, 1.5, Number.NaN, Infinity, 2 ** 53, 1e308, undefined, '2']) {
      const refused = 'expected `token` to be a whole number';
      expect(() => admits(fence, token as number)).toThrow(refused);
      expect(() => fenced(new Printer(), fence)(token as number)).toThrow(refused);
    }
    expect(fence).toEqual({ highest: 0 });
    expect(admits(fence, Number.MAX_SAFE_INTEGER)).toBe(true);
  });

  it('refuses what is no fence, and to stand before what is no object', () => {
    for (const unfit of [null, 5, {}, { highest: '3' }, { highest: Number.NaN }] as never[]) {
      expect(() => admits(unfit, 5)).toThrow('expected `fence` to be what `newFence` makes');
      expect(() => fenced({}, unfit)).toThrow('expected `fence` to be what `newFence` makes');
    }
    for (const unfit of [null, 5, 'printer', () => 1] as never[]) {
      expect(() => fenced(unfit)).toThrow('expected `resource` to be an object');
    }
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

  it('is behind the fence however deep, as what its methods return is if it is the resource itself', () => {
    const pages: string[] = [];
    const tray = {
      put(page: string) {
        pages.push(page);
        return this;
      },
    };
    const guarded = fenced({ trays: [tray], sizes: new Map([['A4', 1]]) });
    const [early, late] = [guarded(3), guarded(8)];
    const held = early.trays[0]?.put('one');
    late.trays[0]?.put('two').put('three');
    const effects = [
      () => early.trays[0]?.put('x'),
      () => held?.put('x'),
      () => early.trays.push(tray),
      () => early.sizes.set('A4', 9),
    ];
    for (const effect of effects) {
      expect(effect).toThrowError(expect.objectContaining({ code: 'FENCED' }));
    }
    expect([pages, early.trays.length, late.sizes.get('A4')]).toEqual([
      ['one', 'two', 'three'],
      1,
      1,
    ]);
  });

  it('is seen as it is, and leaves no way round the fence', () => {
    const printer = new Printer();
    const guarded = fenced(printer);
    const [early, late] = [guarded(3), guarded(8)];
    late.print('one');
    expect([early instanceof Printer, Object.keys(early), 'print' in early]).toEqual([
      true,
      ['paper'],
      true,
    ]);
    expect(Object.entries(early)).toEqual([['paper', 'A4']]);
    const fencedOff = expect.objectContaining({ code: 'FENCED' });
    const { clear } = Object.getOwnPropertyDescriptors(
      fenced({ clear: () => 1 }, { highest: 8 })(3),
    );
    expect(() => clear.value?.()).toThrowError(fencedOff);
    expect(() => delete (early as { paper?: string }).paper).toThrowError(fencedOff);
    expect(printer.paper).toBe('A4');
    const refused = expect.objectContaining({ code: 'INVALID_OPTION' });
    expect(() => Object.defineProperty(late, 'paper', { value: 'A3' })).toThrowError(refused);
    expect(() => Object.setPrototypeOf(late, null) as unknown).toThrowError(refused);
    expect(() => Object.freeze(late)).toThrowError(refused);
    expect(delete (late as { paper?: string }).paper).toBe(true);
    expect(Object.keys(printer)).toEqual([]);
  });

  it('may be a list', () => {
    const list = [1, 2];
    const seen = fenced(list)(3);
    seen.push(3);
    expect([Array.isArray(seen), JSON.stringify(seen), [...seen]]).toEqual([
      true,
      '[1,2,3]',
      [1, 2, 3],
    ]);
    expect(Object.getOwnPropertyDescriptor(seen, 'length')).toMatchObject({ value: 3 });
    seen.length = 1;
    expect(list).toEqual([1]);
  });

  it('shares a fence with others, and may be frozen', () => {
    const fence = newFence();
    const first = fenced(Object.freeze({ name: () => 'first' }), fence);
    const second = fenced({ name: () => 'second' }, fence);
    expect([second(2).name(), first(2).name()]).toEqual(['second', 'first']);
    expect(() => first(1).name()).toThrow('2 has been here');
  });
});
