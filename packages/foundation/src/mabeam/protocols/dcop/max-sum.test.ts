import { type Sat, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Holding, holdDcop, honest } from '../../../../test/dcop-sessions.ts';
import type { CoordinationRequest } from '../../message.ts';
import { verify } from '../../verify.ts';
import { bestCost, type DcopResult } from './dcop-claim.ts';
import type { DcopConstraint, ReadDcop } from './dcop-problem.ts';
import { beliefOf, type MessagesQuestion } from './max-sum-questions.ts';
import { maxSum, type MaxSumResult, type MaxSumSpec } from './max-sum.ts';

function hold(spec: MaxSumSpec, holding?: Holding): Promise<Sat<MaxSumResult>> {
  return holdDcop(maxSum, spec, holding);
}

/** The same with everything that was left out. */
function whole(spec: MaxSumSpec): ReadDcop {
  return { objective: 'min', answerMs: 1_000, ...spec };
}

/** Variables that hang on one of those before, each by a table of costs. */
const trees = fc
  .record({
    parents: fc.array(fc.nat(99), { minLength: 0, maxLength: 9 }),
    costs: fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 90, maxLength: 90 }),
    objective: fc.constantFrom('min' as const, 'max' as const),
    owners: fc.integer({ min: 1, max: 10 }),
  })
  .map(({ parents, costs, objective, owners }): MaxSumSpec => {
    const variables = [0, ...parents].map((_, at) => ({
      name: `x${at}`,
      owner: `a${at % owners}`,
      values: ['0', '1', '2'],
    }));
    const constraints = parents.map((parent, at): DcopConstraint => {
      const over = [`x${at + 1}`, `x${parent % (at + 1)}`];
      return { name: `c${at}`, over, costs: costs.slice(9 * at, 9 * at + 9) };
    });
    return { problem: 'tree', objective, variables, constraints };
  });

/** Neighbours on a ring that cost something when they are alike. */
function ring(n: number): MaxSumSpec {
  return {
    problem: 'ring',
    variables: Array.from({ length: n }, (_, at) => ({
      name: `x${at}`,
      owner: `a${at}`,
      values: ['R', 'G'],
    })),
    constraints: Array.from({ length: n }, (_, at) => ({
      name: `c${at}`,
      over: [`x${at}`, `x${(at + 1) % n}`],
      costs: [1, 0, 0, 1],
    })),
  };
}

/** Six of three values, each with all others, by costs that do not go together. */
function tangle(): MaxSumSpec {
  const places = [0, 1, 2, 3, 4, 5];
  return {
    problem: 'tangle',
    variables: places.map((at) => ({ name: `x${at}`, owner: `a${at}`, values: ['0', '1', '2'] })),
    constraints: places.flatMap((left) =>
      places.slice(left + 1).map((right) => ({
        name: `c${left}${right}`,
        over: [`x${left}`, `x${right}`],
        costs: Array.from(
          { length: 9 },
          (_, cell) => (7 * left + 11 * right + 5 * cell * cell) % 13,
        ),
      })),
    ),
  };
}

describe('a max-sum', () => {
  it('finds what a DPOP finds where constraints have no cycle, within their diameter, also among equals', () =>
    fc.assert(
      fc.asyncProperty(trees, fc.string(), async (spec, seed) => {
        const { outcome } = await hold(spec, { options: { seed } });
        expect(outcome).toMatchObject({
          status: 'decided',
          result: { isConverged: true, frozen: [] },
        });
        expect(outcome.result?.cost).toBe(bestCost(whole(spec)));
        // There and back over variables and constraints, and a round in which nothing changes.
        expect(outcome.result?.rounds).toBeLessThanOrEqual(2 * spec.variables.length + 2);
        expect(verify<DcopResult>(maxSum, outcome)).toEqual([]);
      }),
      { numRuns: 15 },
    ));

  it('does so with costs that only their owners know', () =>
    fc.assert(
      fc.asyncProperty(trees, async (spec) => {
        const costs = Object.fromEntries(
          spec.constraints.map((each) => [each.name, each.costs ?? []]),
        );
        const constraints = spec.constraints.map(({ name, over }) => ({ name, over }));
        const { outcome } = await hold({ ...spec, constraints }, { costs });
        const best = bestCost(whole(spec));
        // `+ 0`: never minus nothing.
        expect(outcome.result).toMatchObject({ cost: best + 0, privateCost: best + 0 });
      }),
      { numRuns: 12 },
    ));

  it('settles on a ring, and keeps the best that came up on one that cannot be coloured', async () => {
    const even = await hold({ ...ring(6), rounds: 200 });
    expect(even.outcome).toMatchObject({ status: 'decided', result: { cost: 0 } });
    const odd = await hold({ ...ring(5), rounds: 60 });
    expect(odd.outcome).toMatchObject({ status: 'not_converged', result: { cost: 1 } });
    expect(odd.outcome.certificate).toBeUndefined();
  });

  it('says when its rounds are over before anything has settled', async () => {
    const { outcome } = await hold({ ...ring(5), rounds: 2 });
    expect(outcome).toMatchObject({
      status: 'not_converged',
      result: { rounds: 2, isConverged: false },
    });
    expect(verify<DcopResult>(maxSum, outcome)).toEqual([]);
  });

  it('never comes to more with more rounds: the best that came up counts', async () => {
    for (const seed of ['a', 'b', 'c', 'd']) {
      const costs: number[] = [];
      for (let rounds = 2; rounds < 14; rounds++) {
        const { outcome } = await hold({ ...tangle(), rounds }, { options: { seed } });
        costs.push(outcome.result?.cost ?? Infinity);
      }
      expect(costs).toEqual(costs.toSorted((x, y) => y - x));
    }
  });

  it('hears half of what is new where there are cycles, and all of it where there are none', async () => {
    const [first = '', ...others] = ring(4).constraints.map(({ name }) => name);
    const open = {
      ...ring(4),
      constraints: ring(4).constraints.filter((each) => each.name !== first),
    };
    expect(others).toHaveLength(3);
    for (const [spec, share] of [
      [ring(4), 0.5],
      [open, 1],
    ] as const) {
      const { sent } = await hold(spec);
      const [before, after] = sent
        .filter(({ to }) => to === 'a1')
        .map(({ body }) => body as MessagesQuestion);
      if (before === undefined || after === undefined) throw new Error('not asked twice');
      const [own] = before.beliefs;
      const place = spec.constraints
        .filter(({ over }) => over.includes('x1'))
        .findIndex(({ name }) => name === 'c1');
      const said = own === undefined ? [] : beliefOf(own, 'min').outgoing[place];
      expect(after.factors[0]?.incoming[0]).toEqual(said?.map((cost) => share * cost));
      expect(Math.max(...(said ?? []))).toBeGreaterThan(0);
    }
  });

  it('forgets what was found with an agent that is gone by now', async () => {
    const variables = Array.from({ length: 8 }, (_, at) => ({
      name: `x${at}`,
      owner: `a${at}`,
      values: ['0', '1'],
    }));
    const alike = variables.slice(1).map((_, at) => ({
      name: `c${at}`,
      over: [`x${at}`, `x${at + 1}`],
      costs: [0, 5, 5, 0],
    }));
    const wish = { name: 'wish', over: ['x0'], costs: [9, 0] };
    const spec = { problem: 'row', variables, constraints: [...alike, wish], answerMs: 100 };
    const tired = (request: CoordinationRequest): Scripted =>
      request.round < 12 ? { body: honest({})(request) } : 'dead';
    const { outcome } = await hold(spec, { troubles: { a0: tired } });
    expect(outcome.result).toMatchObject({
      frozen: ['x0'],
      cost: 9,
      assignment: { x0: '0', x7: '0' },
    });
    expect(verify<DcopResult>(maxSum, outcome)).toEqual([]);
  });

  it('holds the variable of a silent agent to its value, finds the best around it, and says so', () =>
    fc.assert(
      fc.asyncProperty(
        trees,
        fc.nat(9),
        fc.constantFrom<Scripted>('silent', 'dead', 'garbage'),
        async (spec, at, trouble) => {
          const owner = spec.variables[at % spec.variables.length]?.owner ?? '';
          const { outcome } = await hold(
            { ...spec, answerMs: 200 },
            { troubles: { [owner]: trouble } },
          );
          const own = spec.variables.filter((each) => each.owner === owner);
          expect(outcome.result?.frozen).toEqual(own.map(({ name }) => name));
          for (const { name } of own) expect(outcome.result?.assignment[name]).toBe('0');
          expect(outcome.reasons[owner]).not.toBe('won');
          const held = own.map(({ name }): DcopConstraint => {
            const worst = spec.objective === 'max' ? -1_000 : 1_000;
            return { name: `held ${name}`, over: [name], costs: [0, worst, worst] };
          });
          const best = bestCost(whole({ ...spec, constraints: [...spec.constraints, ...held] }));
          expect(outcome.result?.cost).toBe(best);
          expect(verify<DcopResult>(maxSum, outcome)).toEqual([]);
        },
      ),
      { numRuns: 15 },
    ));

  it('takes messages of a wrong form for none', async () => {
    const short = (request: CoordinationRequest): Scripted => {
      const { beliefs, factors } = Object(honest({})(request)) as {
        beliefs: object[];
        factors: object[];
      };
      return { body: { beliefs: beliefs.map((each) => ({ ...each, outgoing: [] })), factors } };
    };
    const blue = (request: CoordinationRequest): Scripted => {
      const { beliefs, factors } = Object(honest({})(request)) as {
        beliefs: object[];
        factors: object[];
      };
      return { body: { beliefs: beliefs.map((each) => ({ ...each, value: 'blue' })), factors } };
    };
    for (const trouble of [short, blue]) {
      const { outcome } = await hold(ring(4), { troubles: { a1: trouble } });
      expect(outcome.reasons).toMatchObject({ a0: 'won', a1: 'invalid' });
      expect(outcome.result).toMatchObject({ frozen: ['x1'], cost: 0 });
    }
    const nobody = await hold(ring(3), { troubles: { a0: 'dead', a1: 'dead', a2: 'dead' } });
    expect(nobody.outcome).toMatchObject({ status: 'not_converged', result: { cost: 3 } });
  });

  it('asks each agent for its variables and for the constraints of which it owns the first, and tells the end', async () => {
    const sat = await hold(ring(3));
    const [first] = sat.sent;
    expect(first).toMatchObject({
      to: 'a0',
      type: 'get_messages',
      body: {
        problem: 'ring',
        objective: 'min',
        beliefs: [
          {
            name: 'x0',
            incoming: [
              [0, 0],
              [0, 0],
            ],
          },
        ],
        factors: [
          {
            constraint: { name: 'c0' },
            incoming: [
              [0, 0],
              [0, 0],
            ],
            at: ['R', 'R'],
          },
        ],
      },
    });
    const told = sat.sent.filter(({ type }) => type === 'assigned');
    const { assignment = {} } = sat.outcome.result ?? {};
    expect(told.map(({ to, body }) => [to, body])).toEqual(
      [0, 1, 2].map((at) => {
        const values = { [`x${at}`]: assignment[`x${at}`] };
        return [`a${at}`, { problem: 'ring', values }];
      }),
    );
  });

  it.each([
    ['rounds: expected 2 to 1000, got 1', { ...ring(3), rounds: 1 }],
    ['rounds: expected 2 to 1000, got 2000', { ...ring(3), rounds: 2_000 }],
    ['unknown field "cellsMax"', { ...ring(3), cellsMax: 5 }],
  ])('refuses %s', (reason, spec) => {
    expect(maxSum.parseSpec(spec)).toEqual({ ok: false, reason });
  });
});
