import { FoundationError, seededRandom } from '@foundation/core';
import { choice, integer, variables } from '@foundation/ml';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { optimize } from './optimize.ts';
import type { Outcome } from './outcome.ts';
import { tpe } from './strategies/tpe.ts';
import type { Strategy } from './strategy.ts';
import {
  scoreMinusCost,
  type EvaluationContext,
  type Measurement,
  type OptimizationTarget,
} from './target.ts';

const space = variables({
  model: choice(['small', 'large']),
  votes: integer(0, 9),
  depth: integer(0, 9),
});
type Setting = ReturnType<typeof space.sample>;

function measure({ model, votes, depth }: Setting): Measurement {
  const quality =
    1 - Math.abs(votes - 6) / 10 - Math.abs(depth - 3) / 10 + (model === 'large' ? 0.02 : 0);
  return { scores: { quality }, cost: (model === 'large' ? 3 : 1) + votes };
}

function targetOf(
  evaluate: (setting: Setting, context: EvaluationContext) => Promise<Measurement>,
): OptimizationTarget<Setting> {
  return { id: 'setting', space, objective: scoreMinusCost('quality', 0.01), evaluate };
}

const steady = targetOf(async (setting) => measure(setting));

/** Settles the evaluations of each round in an order of its own. */
function shuffled(order: string | number): OptimizationTarget<Setting> {
  const random = seededRandom(order);
  let waiting: { readonly settle: () => void }[] = [];
  return targetOf(async (setting, { index }) => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waiting.push({ settle: resolve });
    if (waiting.length === 1) {
      queueMicrotask(() => {
        const all = waiting;
        waiting = [];
        while (all.length > 0) all.splice(random.int(all.length), 1)[0]?.settle();
      });
    }
    await promise;
    if (index % 11 === 10) throw new Error(`no answer for ${index}`);
    return measure(setting);
  });
}

describe('an optimization', () => {
  it('finds the best setting, and what nothing beats in both cost and score', async () => {
    const result = await optimize(steady, { candidates: 120 });
    expect(result.status).toBe('budget-exhausted');
    expect(result.history).toHaveLength(120);
    expect(result.best?.configuration).toEqual({ model: 'small', votes: 6, depth: 3 });
    const costs = result.front.map(({ measurement }) => measurement.cost);
    expect(costs).toEqual(costs.toSorted((a, b) => a - b));
    expect(result.front.at(-1)?.measurement.scores.quality).toBe(
      Math.max(
        ...result.history.map((one) =>
          one.kind === 'measured' ? (one.measurement.scores.quality ?? 0) : 0,
        ),
      ),
    );
  });

  it('gives the same result in whatever order evaluations finish', async () => {
    const reference = await optimize(shuffled('first'), { candidates: 60, seed: 7 });
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (order) => {
        expect(await optimize(shuffled(order), { candidates: 60, seed: 7 })).toEqual(reference);
      }),
      { numRuns: 10 },
    );
  });

  it('runs each round at once and tells it by index', async () => {
    let [running, most] = [0, 0];
    const rounds: number[][] = [];
    const finished: number[] = [];
    await optimize(
      targetOf(async (setting) => {
        most = Math.max(most, ++running);
        await Promise.resolve();
        running--;
        return measure(setting);
      }),
      {
        candidates: 21,
        roundSize: 6,
        onCandidate: ({ index }) => finished.push(index),
        onRound: ({ outcomes, candidateCount, best }) => {
          rounds.push(outcomes.map(({ index }) => index));
          expect(candidateCount).toBe(rounds.flat().length);
          expect(best?.index).toBeLessThan(candidateCount);
        },
      },
    );
    expect(most).toBe(6);
    expect(rounds.map((round) => round.length)).toEqual([6, 6, 6, 3]);
    expect(rounds.flat()).toEqual([...Array(21).keys()]);
    expect(finished.toSorted((a, b) => a - b)).toEqual(rounds.flat());
  });

  it('evaluates nothing twice and ends when a space is used up', async () => {
    const tried: string[] = [];
    const result = await optimize(
      targetOf(async (setting) => {
        tried.push(space.fingerprint(setting));
        return measure(setting);
      }),
      { candidates: 500 },
    );
    expect(result.status).toBe('converged');
    expect(tried).toHaveLength(200);
    expect(new Set(tried).size).toBe(200);
  });

  it('drops what a strategy proposes twice, and does not charge for it', async () => {
    const [a, b, c] = [0, 1, 2].map((votes): Setting => ({ model: 'small', votes, depth: 0 }));
    const scripted = [
      [a, b, a],
      [b, c, c],
      [a, b, c],
    ].map((round) => round.filter((one) => one !== undefined));
    let calls = 0;
    const strategy: Strategy = {
      name: 'scripted',
      propose: (run) => (scripted[calls++] ?? []).map((one) => run.space.parse(one)),
    };
    const result = await optimize(steady, { strategy, roundSize: 3, candidates: 9 });
    expect(result.history.map(({ configuration }) => configuration)).toEqual([a, b, c]);
    expect(result.status).toBe('converged');
  });

  it('counts a failed evaluation as failed, never as 0', async () => {
    const result = await optimize(
      targetOf(async (setting) => {
        if (setting.model === 'large') throw new FoundationError('OVERLOADED', 'no room for large');
        if (setting.votes === 9) return { scores: {}, cost: 1 };
        if (setting.depth === 9) return { scores: { quality: Number.NaN }, cost: 1 };
        return {
          ...measure(setting),
          scores: { quality: (measure(setting).scores.quality ?? 0) - 5 },
        };
      }),
      { candidates: 200 },
    );
    const codes = new Set(
      result.history.map((one) => (one.kind === 'failed' ? one.error.code : 'measured')),
    );
    expect(codes).toEqual(new Set(['measured', 'OVERLOADED', 'DSPEX_INVALID_MEASUREMENT']));
    expect(result.failedCount).toBe(100 + 10 + 9);
    expect(result.history.find((one) => one.kind === 'failed')).not.toHaveProperty('utility');
    expect(result.best?.configuration.model).toBe('small');
  });

  it('says so when nothing could be measured', async () => {
    const result = await optimize(
      targetOf(() => Promise.reject(new Error('down'))),
      { candidates: 16 },
    );
    expect(result).toMatchObject({
      status: 'budget-exhausted',
      best: undefined,
      front: [],
      failedCount: 16,
    });
  });

  it('breaks ties by lower cost, then by the order of the space', async () => {
    const flat = targetOf(async ({ votes }) => {
      const cost = Math.abs(votes - 5);
      return { scores: { quality: 0.1 + 0.01 * cost }, cost };
    });
    const result = await optimize(flat, { candidates: 200 });
    expect(result.best?.configuration).toEqual({ model: 'small', votes: 5, depth: 0 });
  });

  it('resumes to the same result as an uninterrupted run, wherever it was stopped, and evaluates nothing again', async () => {
    const options = { candidates: 60, seed: 'resume', strategy: tpe() };
    const whole = await optimize(steady, options);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 0, max: 59 }), async (last) => {
        const controller = new AbortController();
        const evaluated: number[] = [];
        const stopping = targetOf(async (setting, { index, signal }) => {
          if (index === last) controller.abort();
          if (index % 2 === 0) await Promise.resolve();
          signal.throwIfAborted();
          evaluated.push(index);
          return measure(setting);
        });
        const first = await optimize(stopping, { ...options, signal: controller.signal });
        expect(first.status).toBe('stopped');
        expect(first.failedCount).toBe(0);
        const history: readonly Outcome<Setting>[] = JSON.parse(JSON.stringify(first.history));
        const second = await optimize(
          targetOf(async (setting, { index }) => {
            evaluated.push(index);
            return measure(setting);
          }),
          { ...options, history },
        );
        expect(second).toEqual(whole);
        expect(evaluated.toSorted((a, b) => a - b)).toEqual([...Array(60).keys()]);
      }),
      { numRuns: 20 },
    );
  });

  it('refuses the history of another run', async () => {
    const { history } = await optimize(steady, { candidates: 8, seed: 1 });
    await expect(optimize(steady, { candidates: 8, seed: 2, history })).rejects.toMatchObject({
      code: 'DSPEX_HISTORY_MISMATCH',
    });
  });

  it('refuses counts that make no sense, and a strategy that leaves the space', async () => {
    for (const options of [
      { candidates: 0 },
      { candidates: 2.5 },
      { roundSize: -1 },
      { roundSize: Number.NaN },
    ]) {
      await expect(optimize(steady, options)).rejects.toMatchObject({
        code: 'DSPEX_INVALID_OPTION',
      });
    }
    expect(() => tpe({ startCount: 0 })).toThrow('`startCount`');
    const strategy: Strategy = {
      name: 'lost',
      propose: (run) => [Object.assign(run.space.decode([]), { model: 'huge' })],
    };
    await expect(optimize(steady, { strategy })).rejects.toMatchObject({
      code: 'ML_INVALID_CONFIGURATION',
    });
  });
});
