import type { Worker } from 'node:worker_threads';

import { eventually } from '@foundation/testing';
import { afterAll, afterEach, describe, expect, it } from 'vitest';

import type { MipModel, SolverResult } from '../solver.ts';
import { HighsSolver, type HighsSolverOptions } from './highs-solver.ts';
import { loadHighs } from './load-highs.ts';

/** Of two things the one that is worth 3. */
const choice: MipModel = {
  columns: [
    { worth: 3, most: 1, isWhole: true },
    { worth: 2, most: 1, isWhole: true },
  ],
  rows: [
    {
      terms: [
        [0, 1],
        [1, 1],
      ],
      most: 1,
    },
  ],
};

/** Splits 30 sets of goods evenly (Cornuéjols and Dawande 1998): anything will do at first, and even is out of reach. */
const hard = marketSplit(4, 30);

function marketSplit(goods: number, sets: number): MipModel {
  const amount = (good: number, set: number): number =>
    (good * 7_919 + set * 104_729 + good * set * 31) % 100;
  const each = Array.from({ length: sets }, (_, set) => set);
  const all = Array.from({ length: goods }, (_, good) => good);
  const half = (good: number): number =>
    Math.floor(each.reduce((sum, set) => sum + amount(good, set), 0) / 2);
  return {
    sense: 'minimize',
    columns: [
      ...each.map(() => ({ worth: 0, most: 1, isWhole: true })),
      ...all.flatMap(() => [{ worth: 1 }, { worth: 1 }]),
    ],
    rows: all.map((good) => ({
      terms: [
        ...each.map((set) => [set, amount(good, set)] as const),
        [sets + 2 * good, 1],
        [sets + 2 * good + 1, -1],
      ],
      least: half(good),
      most: half(good),
    })),
  };
}

const open: HighsSolver[] = [];
const shared = started();
const first = open.splice(0);
afterEach(() => Promise.all(open.splice(0).map((solver) => solver.close())));
afterAll(() => Promise.all(first.map((solver) => solver.close())));

function started(options: HighsSolverOptions = {}): {
  readonly solver: HighsSolver;
  readonly solve: (
    model: MipModel,
    budgetMs?: number,
    signal?: AbortSignal,
  ) => Promise<SolverResult>;
} {
  const solver = new HighsSolver(options);
  open.push(solver);
  return {
    solver,
    solve: (model, budgetMs = 20_000, signal = new AbortController().signal) =>
      solver.solve({ model }, { budgetMs, signal }),
  };
}

const solved = { status: 'optimal', values: [1, 0], objective: 3, bound: 3 };

describe('HiGHS in its thread', () => {
  it('solves whole, linear and convex quadratic programs, and says which version it is', async () => {
    const { solve } = shared;
    expect(await solve(choice)).toEqual({
      ...solved,
      solver: expect.stringMatching(/^HiGHS 1\.\d+/),
    });

    const linear = { ...choice, columns: choice.columns.map(({ worth }) => ({ worth })) };
    const rows = [...linear.rows, { terms: [[0, 1]] as const, most: 0.25 }];
    const { values, prices, objective } = await solve({ ...linear, rows });
    expect(values).toEqual([0.25, 0.75]);
    // A further unit of the first condition adds the worse one; of the second, the difference.
    expect(prices).toEqual([2, 1]);
    expect(objective).toBe(2.25);

    const nearest = await solve({
      sense: 'minimize',
      columns: [
        { worth: -2, square: 2 },
        { worth: 0, square: 2 },
      ],
      rows: [{ terms: choice.rows[0]?.terms ?? [], least: 2 }],
    });
    expect(nearest.values?.[0]).toBeCloseTo(1.5, 5);
    expect(nearest.values?.[1]).toBeCloseTo(0.5, 5);
  });

  it('says so when there is no solution, none that is best, or no sense in the problem', async () => {
    const { solve } = shared;
    const [rows] = [[{ terms: [[0, 1]] as const, least: 2 }]];
    expect(await solve({ columns: [{ worth: 1, most: 1 }], rows })).toMatchObject({
      status: 'infeasible',
    });
    expect(await solve({ columns: [{ worth: 1 }], rows: [] })).toMatchObject({
      status: 'unbounded',
    });
    expect(await solve({ columns: [], rows: [] })).toMatchObject({ status: 'optimal' });
    expect(await solve({ columns: [], rows: [{ terms: [], least: 1 }] })).toMatchObject({
      status: 'infeasible',
    });
    const broken = await solve({ columns: [{ worth: Number.NaN }], rows: [] });
    expect(broken).toMatchObject({ status: 'failed', detail: 'colCost[0] must be a number' });
    expect(await solve(choice)).toMatchObject(solved);
  });

  it('stops when its time is up, with the best it has and what could be better', async () => {
    const { solve } = shared;
    const { status, values, objective = 0, bound = 0 } = await solve(hard, 1_500);
    expect(status).toBe('limit');
    expect(values).toHaveLength(hard.columns.length);
    expect(bound).toBeLessThan(objective);
  });

  it('stops after so many branches, or at a gap that is small enough, and begins where it is told to', async () => {
    const options = { budgetMs: 20_000, signal: new AbortController().signal };
    const few = await shared.solver.solve({ model: hard, nodesMax: 0 }, options);
    expect(few.status).toBe('limit');
    expect(few.values).toBeUndefined();
    // No set at all, so that half of every good is missing.
    const start = hard.columns.map((_, column) =>
      column < 30 || column % 2 === 1 ? 0 : (hard.rows[(column - 30) / 2]?.most ?? 0),
    );
    const again = await shared.solver.solve({ model: hard, start, nodesMax: 0 }, options);
    expect(again.objective).toBeLessThanOrEqual(start.reduce((sum, missing) => sum + missing, 0));
    // With a thousand on top, what is left to find is a small part of it.
    const columns = [...hard.columns, { worth: 1_000, least: 1, most: 1 }];
    const {
      status,
      bound = 0,
      ...close
    } = await shared.solver.solve({ model: { ...hard, columns }, gapMax: 0.5 }, options);
    expect(status).toBe('optimal');
    expect(bound).toBeLessThan(close.objective ?? 0);
  });

  it('solves one problem after the other, and what waits too long not at all', async () => {
    const { solve } = shared;
    const running = solve(hard, 600);
    const [hasty, patient] = [solve(choice, 100), solve(choice)];
    expect(await hasty).toMatchObject({ status: 'limit', solver: 'none' });
    expect(await patient).toMatchObject(solved);
    expect(await running).toMatchObject({ status: 'limit' });
  });

  it('refuses more problems than may wait', async () => {
    const { solve } = started({ waitingMax: 1 });
    const wanted = [solve(choice), solve(choice)];
    expect(await solve(choice)).toMatchObject({
      status: 'failed',
      detail: '1 problems wait already',
    });
    for (const result of await Promise.all(wanted)) expect(result).toMatchObject(solved);
  });

  it('gives up a problem that nobody wants any more, the ones that wait included', async () => {
    const { solve } = shared;
    await solve(choice);
    const [one, other] = [new AbortController(), new AbortController()];
    const [running, waiting] = [
      solve(hard, 60_000, one.signal),
      solve(choice, 60_000, other.signal),
    ];
    const next = solve(choice);
    other.abort();
    expect(await waiting).toMatchObject({ status: 'limit', detail: 'it was cancelled' });
    one.abort();
    expect(await running).toMatchObject({ status: 'limit', detail: 'it was cancelled' });
    expect(await next).toMatchObject(solved);
    expect(await solve(choice, 1_000, AbortSignal.abort())).toMatchObject({ status: 'limit' });
  });

  it('ends a thread that does not stop in time, and goes on with another', async () => {
    const { solve } = started();
    // Its thread has not even started by then.
    expect(await solve(hard, 1)).toMatchObject({ status: 'limit', detail: 'its time was up' });
    expect(await solve(choice)).toMatchObject(solved);
  });

  it('fails a problem that needs too much memory, and goes on with the next', async () => {
    const { solve } = started({ memoryMaxMb: 24 });
    const many = Array.from({ length: 50_000 }, () => ({ worth: 1, most: 1, isWhole: true }));
    expect(await solve({ columns: many, rows: [] })).toMatchObject({ status: 'failed' });
    expect(await solve(choice)).toMatchObject(solved);
  });

  it.each([{ idleMs: 50 }, { memoryKeptMb: 0 }])(
    'has a thread from the first problem on, and none when it is done: %o',
    async (options) => {
      const threads: Worker[] = [];
      let ended = 0;
      const onWorker = (worker: Worker): void => {
        threads.push(worker);
        worker.once('exit', () => ended++);
      };
      process.on('worker', onWorker);
      try {
        const { solve } = started(options);
        expect(await solve(choice)).toMatchObject(solved);
        expect(threads).toHaveLength(1);
        await eventually('its thread is gone', () => ended === 1);
        expect(await solve(choice)).toMatchObject(solved);
        expect(threads).toHaveLength(2);
      } finally {
        process.off('worker', onWorker);
      }
    },
  );

  it('leaves what it was given without an answer when it is closed', async () => {
    const { solver, solve } = started();
    const answers: SolverResult[] = [];
    for (const model of [hard, choice]) void solve(model).then((result) => answers.push(result));
    await solver.close();
    expect(await solve(choice)).toMatchObject({
      status: 'failed',
      detail: 'the solver was closed',
    });
    expect(answers).toEqual([]);
  });

  it('refuses options that make no sense', () => {
    const unknown = { idleMs: 1, threads: 4 };
    expect(() => new HighsSolver(unknown)).toThrow(/threads/);
    expect(() => new HighsSolver({ memoryMaxMb: 1 })).toThrow(/memoryMaxMb/);
  });
});

it('says what to install when HiGHS is not there', async () => {
  const missing = loadHighs(() => Promise.reject(new Error("Cannot find package 'highs'")));
  await expect(missing).rejects.toMatchObject({
    code: 'INVALID_OPTION',
    hint: 'Run: npm install highs',
  });
});
