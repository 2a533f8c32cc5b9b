import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { runGoals, type Goal } from './goals/goal-program.ts';

let printed: unknown[];
let said: string;

beforeEach(() => {
  printed = [];
  said = '';
  vi.spyOn(console, 'log').mockImplementation((line: string) => printed.push(JSON.parse(line)));
  vi.spyOn(console, 'error').mockImplementation((line: string) => (said += `${line}\n`));
});
afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
});

const one = (ok: boolean): Goal => {
  return async ({ report, seed }) => {
    report.tell({ goal: 'G0 test', value: 1, limit: '<= 1', ok, seed });
  };
};
const goals = {
  well: one(true),
  bad: one(false),
  broken: (async () => {
    throw new Error('no such thing');
  }) satisfies Goal,
  silent: (async () => {}) satisfies Goal,
  unchecked: (async ({ report, seed }) => {
    report.tell({ goal: 'G0', value: 3, limit: '0', ok: false, seed, unchecked: 'nobody to ask' });
  }) satisfies Goal,
};
const run = (...words: readonly string[]): Promise<number> =>
  runGoals({ name: 'test', goals }, words);

describe('a program of goals', () => {
  it('prints one line a goal, and ends well when all are kept', async () => {
    expect(await run('well', '--seed', '7')).toBe(0);
    expect(printed).toEqual([{ goal: 'G0 test', value: 1, limit: '<= 1', ok: true, seed: '7' }]);
  });

  it.each(['bad', 'broken', 'silent'])(
    'fails by one that is %s, goes on, and says how to do it again',
    async (name) => {
      expect(await run(name, 'well', '--seed', '7', '--seeds', '3')).toBe(1);
      expect(printed).toContainEqual(expect.objectContaining({ ok: true }));
      expect(said).toContain(`again by npm run test -- ${name} --seed 7 --seeds 3`);
      expect(said).not.toContain('again by npm run test -- well');
    },
  );

  it('does not fail by what nobody could find out, and does not call it well', async () => {
    expect(await run('unchecked')).toBe(0);
    expect(printed).toEqual([expect.objectContaining({ ok: false, unchecked: 'nobody to ask' })]);
  });

  it('runs all when none is named, by a new seed each time', async () => {
    expect(await run()).toBe(1);
    await run();
    const seeds = printed.map((line) => Object(line).seed);
    expect(seeds).toHaveLength(6);
    expect(new Set(seeds).size).toBe(2);
  });

  it.each([[['other']], [['--seeds', '0']], [['--speed', '1']]])('refuses %j', async (words) => {
    expect(await run(...words)).toBe(2);
    expect(printed).toEqual([]);
    expect(said).toContain('npm run test -- [NAME');
  });

  it.each([
    ['true', 1],
    ['', 0],
  ])('runs nothing where it cannot, with CI=%j ends with %i', async (ci, exitCode) => {
    vi.stubEnv('CI', ci);
    expect(await runGoals({ name: 'test', goals, hindrance: 'no root' }, ['well'])).toBe(exitCode);
    expect(printed).toEqual([]);
    expect(said).toBe('skipped: no root\n');
  });
});
