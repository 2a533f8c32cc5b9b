import { randomBytes } from 'node:crypto';

import { systemClock, systemRandom } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import { trapAmbient } from './ambient-trap.ts';

const uses: readonly (readonly [string, () => unknown])[] = [
  ['Date.now', () => Date.now()],
  ['new Date', () => new Date()],
  ['performance.now', () => performance.now()],
  ['process.hrtime', () => process.hrtime()],
  ['Math.random', () => Math.random()],
  ['setTimeout', () => clearTimeout(setTimeout(() => {}, 1))],
  ['setInterval', () => clearInterval(setInterval(() => {}, 1))],
  ['randomUUID', () => crypto.randomUUID()],
  ['randomBytes', () => randomBytes(1)],
  ['Date.now', () => systemClock.wallNow()],
  ['getRandomValues', () => systemRandom.next()],
];

describe('the trap for real time and real chance', () => {
  it.each(uses)('tells of %s, and of where it was used', (what, use) => {
    const told: (readonly [string, string])[] = [];
    using _trap = trapAmbient((...use_) => told.push(use_));
    use();
    expect(told.map(([each]) => each)).toEqual([what]);
    expect(told[0]?.[1]).toContain('ambient-trap.test.ts');
  });

  it('lets everything do what it does, and is gone when it is disposed of', () => {
    const told: string[] = [];
    const now = (): readonly unknown[] => [
      Date,
      Reflect.get(Date, 'now'),
      Reflect.get(Math, 'random'),
      setTimeout,
      Reflect.get(performance, 'now'),
    ];
    const before = now();
    const trap = trapAmbient((what) => told.push(what));
    expect(Date.now()).toBeGreaterThan(0);
    expect(new Date(7).getTime()).toBe(7);
    expect(new Date()).toBeInstanceOf(Date);
    trap[Symbol.dispose]();
    expect(now()).toEqual(before);
    told.length = 0;
    for (const [, use] of uses) use();
    expect(told).toEqual([]);
  });
});
