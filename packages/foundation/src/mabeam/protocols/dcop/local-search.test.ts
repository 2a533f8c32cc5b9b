import { type Sat, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { constraint, instances, tutorial, variable } from '../../../../test/dcop-problems.ts';
import { type Holding, holdDcop, honest } from '../../../../test/dcop-sessions.ts';
import type { CoordinationRequest } from '../../message.ts';
import { verify } from '../../verify.ts';
import { costOf } from './dcop-claim.ts';
import type { DcopConstraint, DcopProblem } from './dcop-problem.ts';
import { dsa, type DsaSpec } from './dsa.ts';
import {
  improvementOf,
  type ImprovementQuestion,
  type ImprovementTask,
} from './local-search-questions.ts';
import type { LocalSearchResult } from './local-search-round.ts';
import { mgm } from './mgm.ts';

function hold(
  protocol: typeof mgm | typeof dsa,
  spec: DsaSpec,
  holding?: Holding,
): Promise<Sat<LocalSearchResult>> {
  return holdDcop<LocalSearchResult>(protocol, spec, holding);
}

/** Where all variables stood in each round, as their owners were told, and what that cost. */
function courseOf(
  spec: DcopProblem,
  sent: readonly CoordinationRequest[],
): readonly { readonly values: ReadonlyMap<string, string>; readonly cost: number }[] {
  const rounds = Map.groupBy(
    sent.filter(({ type }) => type === 'get_improvement'),
    ({ round }) => round,
  );
  let values = new Map<string, string>();
  return [...rounds.values()].map((requests) => {
    values = new Map(values);
    for (const { body } of requests) {
      for (const { name, value } of (body as ImprovementQuestion).tasks) values.set(name, value);
    }
    return { values, cost: costOf(spec, values) };
  });
}

/** Whether nothing is better with one variable elsewhere, by trying each value. */
function isOneOpt(spec: DcopProblem, { assignment, frozen, cost }: LocalSearchResult): boolean {
  const values = new Map(Object.entries(assignment));
  return spec.variables
    .filter(({ name }) => !frozen.includes(name))
    .every((each) =>
      each.values.every((value) => {
        const other = costOf(spec, new Map([...values, [each.name, value]]));
        return spec.objective === 'max' ? other <= cost : other >= cost;
      }),
    );
}

function bestOfAll(spec: DcopProblem, costs: readonly number[]): number {
  return spec.objective === 'max' ? Math.max(...costs) : Math.min(...costs);
}

const problems = fc
  .record({
    n: fc.integer({ min: 1, max: 7 }),
    objective: fc.constantFrom('min' as const, 'max' as const),
    owners: fc.integer({ min: 1, max: 7 }),
    scopes: fc.array(fc.uniqueArray(fc.nat(6), { minLength: 1, maxLength: 3 }), { maxLength: 10 }),
    costs: fc.array(fc.integer({ min: -6, max: 6 }), { minLength: 150, maxLength: 150 }),
  })
  .map(({ n, objective, owners, scopes, costs }): DcopProblem => {
    const variables = Array.from({ length: n }, (_, at) => ({
      ...variable(
        `x${at}`,
        Array.from({ length: 1 + ((at + 1) % 4) }, (__, value) => `${value}`),
      ),
      owner: `a${at % owners}`,
    }));
    let next = 0;
    const constraints = scopes.map((scope, index) => {
      const over = [...new Set(scope.map((at) => at % n))].flatMap((at) => variables[at] ?? []);
      return constraint(`c${index}`, over, () => costs[next++ % costs.length] ?? 0);
    });
    return { problem: 'random', objective, variables, constraints };
  });

/** A ring of four whose neighbours should differ: two pairs are alike, and nobody alone can do better. */
const pairs: DcopProblem = {
  problem: 'pairs',
  variables: ['R', 'R', 'G', 'G'].map((initial, at) => ({
    name: `x${at}`,
    owner: `a${at}`,
    values: ['R', 'G'],
    initial,
  })),
  constraints: [0, 1, 2, 3].map((at) => ({
    name: `c${at}`,
    over: [`x${at}`, `x${(at + 1) % 4}`],
    costs: [1, 0, 0, 1],
  })),
};

/** Many that would all move at once, and are done then. */
function crowd(n: number): DcopProblem {
  const variables = Array.from({ length: n }, (_, at) => variable(`x${at}`, ['bad', 'good']));
  return {
    problem: 'crowd',
    variables: variables.map((each) => ({ ...each, owner: 'a' })),
    constraints: variables.map(({ name }) => ({ name, over: [name], costs: [1, 0] })),
  };
}

/** What is found from the first values, where that is not the best: nobody alone can do better there. */
const nearby: Readonly<Record<string, number>> = {
  'E2 graph_coloring_tuto': 18,
  'E3 secp_simple1': 505,
};

describe.each([
  ['an MGM', mgm],
  ['a DSA', dsa],
] as const)('%s', (_name, protocol) => {
  it.each(instances)('ends where nobody can do better alone: %s', async (name, spec, best) => {
    const costs: number[] = [];
    for (const seed of ['a', 'b', 'c']) {
      const { outcome } = await hold(protocol, { ...spec, rounds: 30 }, { options: { seed } });
      const { result } = outcome;
      if (result === undefined) throw new Error('no result');
      expect(outcome.status).toBe('decided');
      expect(isOneOpt(spec, result)).toBe(true);
      costs.push(result.cost);
    }
    expect(bestOfAll(spec, [best, ...costs])).toBe(best);
    expect(bestOfAll(spec, costs)).toBe(nearby[name] ?? best);
  });

  it('reports the best of what came up, what it costs, and whether anybody could do better alone', () =>
    fc.assert(
      fc.asyncProperty(problems, fc.string(), async (spec, seed) => {
        const given = { ...spec, rounds: 30 };
        const { outcome, sent } = await hold(protocol, given, { options: { seed } });
        const { result } = outcome;
        if (result === undefined) throw new Error('no result');
        expect(verify(protocol, outcome)).toEqual([]);
        const course = courseOf(spec, sent);
        expect(result.cost).toBe(
          bestOfAll(
            spec,
            course.map(({ cost }) => cost),
          ),
        );
        expect(result.cost).toBe(costOf(spec, new Map(Object.entries(result.assignment))));
        expect(result.rounds).toBe(course.length);
        expect(result).toMatchObject({ frozen: [], privateCost: 0 });
        expect(outcome.status).toBe(result.isLocalOptimum ? 'decided' : 'not_converged');
        expect(result.isLocalOptimum).toBe(isOneOpt(spec, result));
      }),
      { numRuns: 25 },
    ));

  it('goes the same way when only owners know what constraints cost', () =>
    fc.assert(
      fc.asyncProperty(problems, fc.nat(2), async (spec, at) => {
        const open = await hold(protocol, { ...spec, rounds: 30 });
        const secret = spec.constraints.filter((_, index) => index % 3 !== at);
        const costs = Object.fromEntries(secret.map((each) => [each.name, each.costs ?? []]));
        const constraints = spec.constraints.map((each): DcopConstraint =>
          secret.includes(each) ? { name: each.name, over: each.over } : each,
        );
        const given = { ...spec, constraints, rounds: 30 };
        const { outcome } = await hold(protocol, given, { costs });
        const { result } = open.outcome;
        const values = new Map(Object.entries(result?.assignment ?? {}));
        const privateCost = costOf({ ...spec, constraints: secret }, values);
        expect(outcome.result).toEqual({ ...result, privateCost });
        expect(verify(protocol, outcome)).toEqual([]);
      }),
      { numRuns: 15 },
    ));

  it('holds the variables of an agent that falls silent where they stood last, and says so', () =>
    fc.assert(
      fc.asyncProperty(
        problems,
        fc.tuple(fc.nat(6), fc.integer({ min: 1, max: 4 })),
        fc.constantFrom<Scripted>('silent', 'dead', 'garbage', { decline: 'no' }),
        async (spec, [at, from], trouble) => {
          const owner = spec.variables[at % spec.variables.length]?.owner ?? '';
          const tired = (request: CoordinationRequest): Scripted =>
            request.round < from ? { body: honest({})(request) } : trouble;
          const given = { ...spec, answerMs: 100, rounds: 20 };
          const { outcome, sent } = await hold(protocol, given, { troubles: { [owner]: tired } });
          const { result } = outcome;
          if (result === undefined) throw new Error('no result');
          expect(verify(protocol, outcome)).toEqual([]);
          const course = courseOf(spec, sent);
          // It was over before.
          if (course.length < from) return;
          const own = spec.variables.filter((each) => each.owner === owner);
          expect(result.frozen).toEqual(own.map(({ name }) => name));
          expect(outcome.reasons[owner]).not.toBe('won');
          expect(sent.filter(({ to, type }) => to === owner && type !== 'assigned')).toHaveLength(
            from,
          );
          for (const { name } of own) {
            expect(result.assignment[name]).toBe(course[from - 1]?.values.get(name));
          }
          const costs = course.slice(from - 1).map(({ cost }) => cost);
          expect(result.cost).toBe(bestOfAll(spec, costs));
          expect(!result.isLocalOptimum || isOneOpt(spec, result)).toBe(true);
        },
      ),
      { numRuns: 40 },
    ));

  it('takes what makes no sense for no answer', async () => {
    const said = (...improvements: readonly object[]): Scripted => ({ body: { improvements } });
    const blue = said({ value: 'blue', gain: 3 });
    const staying = said({ value: 'R', gain: 3 });
    const twice = said({ value: 'R', gain: 0 }, { value: 'R', gain: 0 });
    for (const trouble of [blue, staying, twice, said(), said({ value: 'G', gain: -1 })]) {
      const { outcome } = await hold(protocol, pairs, { troubles: { a1: trouble } });
      expect(outcome.result?.frozen).toEqual(['x1']);
      expect(outcome.reasons).toMatchObject({ a0: 'won', a1: 'invalid' });
      expect(outcome.result?.assignment).toMatchObject({ x1: 'R' });
    }
    const troubles = { a0: 'dead', a1: 'dead', a2: 'silent', a3: 'silent' } as const;
    const nobody = await hold(protocol, pairs, { troubles });
    expect(nobody.outcome).toMatchObject({
      status: 'not_converged',
      result: { cost: 2, rounds: 1, isLocalOptimum: false },
    });
  });

  it('finds out who conceals what would be better, where costs are in the spec', async () => {
    const [first, second] = crowd(2).variables;
    const variables = [first, second].flatMap((each) =>
      each ? [{ ...each, owner: each.name }] : [],
    );
    const lazy: Scripted = { body: { improvements: [{ value: 'bad', gain: 0 }] } };
    const spec = { ...crowd(2), variables };
    const { outcome } = await hold(protocol, spec, { troubles: { x1: lazy } });
    expect(outcome).toMatchObject({ status: 'not_converged', result: { cost: 1 } });
    expect(outcome.detail).toBe('"x1" could do better alone: somebody has told what is not so');
    const silent = await hold(protocol, spec, { troubles: { x1: 'silent' } });
    expect(silent.outcome).toMatchObject({
      status: 'decided',
      result: { cost: 1, frozen: ['x1'], isLocalOptimum: true },
    });
    const { record, result, ...rest } = outcome;
    if (result === undefined) throw new Error('no result');
    const claim = {
      ...rest,
      roster: record.setup.roster,
      result: { ...result, isLocalOptimum: true },
    };
    expect(protocol.verify?.(spec, claim)).toEqual(['"x1" could do better alone']);
    const cheap = { ...claim, result: { ...result, cost: 0 } };
    expect(protocol.verify?.(spec, cheap)).toEqual(['cost: 0 is not 1 and 0 together']);
  });

  it('takes of equals the one at which nobody could do better alone', async () => {
    const spec = { ...pairs, variables: pairs.variables.slice(0, 1), constraints: [] };
    const fickle = ({ round }: CoordinationRequest): Scripted => ({
      body: { improvements: [{ value: 'G', gain: round === 1 ? 1 : 0 }] },
    });
    const options = { activation: 1, ...spec };
    const given = protocol.name === 'dcop.dsa' ? options : spec;
    const { outcome } = await hold(protocol, given, { troubles: { a0: fickle } });
    expect(outcome).toMatchObject({
      status: 'decided',
      result: { assignment: { x0: 'G' }, cost: 0, rounds: 2, isLocalOptimum: true },
    });
  });

  it('asks each agent for its variables, shows what there is so far, and tells the end', async () => {
    const spec = { ...tutorial('min'), rounds: 3 };
    const sat = await hold(protocol, spec);
    const four = sat.sent.find(({ to }) => to === 'owner of v4');
    expect(four).toMatchObject({ type: 'get_improvement', round: 1 });
    expect(four?.body).toEqual({
      problem: 'tutorial',
      objective: 'min',
      tasks: [
        {
          name: 'v4',
          values: ['R', 'G'],
          value: 'R',
          constraints: [{ name: 'c_2_4', over: ['v2', 'v4'], costs: [3, 8, 10, 3] }],
          neighbours: [{ name: 'v2', values: ['R', 'G'], value: 'R' }],
          draw: expect.any(Number),
        },
      ],
    });
    const costs = courseOf(spec, sat.sent).map(({ cost }) => cost);
    const emitted = sat.outcome.record.entries.filter(({ kind }) => kind === 'emit');
    expect(emitted).toMatchObject(
      costs.slice(0, -1).map((_, at) => ({
        name: 'best',
        facts: { round: at + 1, cost: Math.min(...costs.slice(0, at + 1)) },
      })),
    );
    const { assignment = {} } = sat.outcome.result ?? {};
    const told = sat.sent.filter(({ type }) => type === 'assigned');
    expect(told.map(({ to, body }) => [to, body])).toEqual(
      Object.entries(assignment).map(([name, value]) => [
        `owner of ${name}`,
        { problem: 'tutorial', values: { [name]: value } },
      ]),
    );
  });

  it.each([
    ['rounds: expected 2 to 1000, got 1', { ...pairs, rounds: 1 }],
    ['rounds: expected 2 to 1000, got 2.5', { ...pairs, rounds: 2.5 }],
    ['unknown field "cellsMax"', { ...pairs, cellsMax: 5 }],
    [
      'variables: expected 1 to 1000 of them, got an array of 1000000',
      { ...pairs, variables: Array(1e6) },
    ],
  ])('refuses %s', (reason, spec) => {
    expect(protocol.parseSpec(spec)).toEqual({ ok: false, reason });
  });
});

describe('an MGM', () => {
  it('never comes to cost more, by one move of each neighbourhood, and always comes to an end', () =>
    fc.assert(
      fc.asyncProperty(problems, fc.string(), async (spec, seed) => {
        const { outcome, sent } = await hold(
          mgm,
          { ...spec, rounds: 1_000 },
          { options: { seed } },
        );
        expect(outcome.status).toBe('decided');
        const course = courseOf(spec, sent);
        for (const [at, { values, cost }] of course.slice(1).entries()) {
          const before = course[at];
          if (before === undefined) throw new Error('no round before');
          expect(
            spec.objective === 'max' ? cost - before.cost : before.cost - cost,
          ).toBeGreaterThan(0);
          const isMoved = (name: string): boolean => values.get(name) !== before.values.get(name);
          for (const { over } of spec.constraints) {
            expect(over.filter(isMoved).length).toBeLessThanOrEqual(1);
          }
        }
      }),
      { numRuns: 40 },
    ));

  it('lets the one move that gains most, and all that do not touch each other at once', async () => {
    const { sent } = await hold(mgm, crowd(30));
    expect(courseOf(crowd(30), sent).map(({ cost }) => cost)).toEqual([30, 0]);
    const both: DcopProblem = {
      problem: 'both',
      variables: ['x', 'y'].map((name) => variable(name, ['0', '1'])),
      constraints: [
        { name: 'xy', over: ['x', 'y'], costs: [9, 0, 0, 9] },
        { name: 'y', over: ['y'], costs: [0, -1] },
      ],
    };
    const sat = await hold(mgm, both);
    expect(sat.outcome.result).toMatchObject({ assignment: { x: '0', y: '1' }, cost: -1 });
  });

  it('leaves it to the seed which of two equals moves', async () => {
    const movers = await Promise.all(
      Array.from({ length: 40 }, async (_, seed) => {
        const alike = { ...pairs, variables: pairs.variables.slice(0, 2), constraints: [] };
        const [own] = pairs.constraints;
        const spec = { ...alike, constraints: own === undefined ? [] : [own] };
        const { outcome } = await hold(mgm, spec, { options: { seed: `${seed}` } });
        return outcome.result?.assignment['x0'];
      }),
    );
    const first = movers.filter((value) => value === 'G').length;
    expect(first).toBeGreaterThan(8);
    expect(first).toBeLessThan(32);
  });

  it('stays where nobody alone can do better, and says no more than that', async () => {
    const { outcome } = await hold(mgm, pairs);
    expect(outcome).toMatchObject({
      status: 'decided',
      result: { cost: 2, rounds: 1, isLocalOptimum: true },
    });
    expect(outcome.certificate).toBeUndefined();
  });

  it('ends with the best that it has when its rounds are over', async () => {
    const [, , , , , , , grotzsch] = instances;
    const spec = grotzsch?.[1] ?? pairs;
    const costs = await Promise.all(
      [2, 3, 4, 100].map(async (rounds) => (await hold(mgm, { ...spec, rounds })).outcome),
    );
    expect(costs[0]).toMatchObject({ status: 'not_converged', result: { isLocalOptimum: false } });
    expect(costs.at(-1)).toMatchObject({ status: 'decided' });
    const all = costs.map(({ result }) => result?.cost ?? 0);
    expect(all).toEqual(all.toSorted((x, y) => y - x));
  });
});

describe('a DSA', () => {
  it('gets on where an MGM is stuck: it moves to what is as good, as long as something is at odds', async () => {
    const { outcome } = await hold(dsa, pairs);
    expect(outcome).toMatchObject({ status: 'decided', result: { cost: 0, isLocalOptimum: true } });
  });

  it.each([
    [undefined, 0.7],
    [0.25, 0.25],
    [1, 1],
  ])('moves with probability %s', async (activation, share) => {
    const spec = { ...crowd(500), ...(activation === undefined ? {} : { activation }) };
    const { sent } = await hold(dsa, spec);
    const [, second] = courseOf(crowd(500), sent);
    expect(Math.abs((second?.cost ?? 0) - 500 * (1 - share))).toBeLessThan(share === 1 ? 1 : 40);
  });

  it('may get worse on the way, and keeps what was better', async () => {
    const spec = { ...tutorial('max'), activation: 1, rounds: 30 };
    const { outcome, sent } = await hold(dsa, spec);
    const costs = courseOf(spec, sent).map(({ cost }) => cost);
    expect(costs.some((cost, at) => cost < (costs[at - 1] ?? 0))).toBe(true);
    expect(outcome.result?.cost).toBe(Math.max(...costs));
  });

  it('forgets what was found with an agent that is gone by now', async () => {
    // Alike is bad, and both move at once: from 3 to 5, where x is held.
    const apart = { name: 'apart', over: ['x', 'y'], costs: [3, 2, 2, 5] };
    const variables = ['x', 'y'].map((name) => variable(name, ['R', 'G']));
    const spec = { problem: 'two', variables, constraints: [apart], activation: 1, rounds: 2 };
    const tired = (request: CoordinationRequest): Scripted =>
      request.round < 2 ? { body: honest({})(request) } : 'dead';
    const { outcome } = await hold(dsa, spec, { troubles: { 'owner of x': tired } });
    expect(outcome).toMatchObject({
      status: 'not_converged',
      result: { assignment: { x: 'G', y: 'G' }, cost: 5, frozen: ['x'] },
    });
  });

  it.each([0, 1.1, '0.5', Number.NaN])('refuses an activation of %s', (activation) => {
    const { ok } = dsa.parseSpec({ ...pairs, activation });
    expect(ok).toBe(false);
  });
});

describe('an honest improvement', () => {
  const task: ImprovementTask = {
    name: 'x',
    values: ['a', 'b', 'c'],
    value: 'a',
    constraints: [{ name: 'c', over: ['x', 'y'], costs: [4, 1, 1, 0, 1, 0] }],
    neighbours: [{ name: 'y', values: ['0', '1'], value: '0' }],
    draw: 0,
  };
  const costs = (): readonly number[] => [7, 2, 2, 2, 2, 2];

  it('is the best value where the others stand, of several the one that is drawn', () => {
    expect(improvementOf(task, 'min', costs)).toEqual({ value: 'b', gain: 3, cost: 0 });
    expect(improvementOf({ ...task, draw: 0.999 }, 'min', costs).value).toBe('c');
    expect(improvementOf(task, 'max', costs)).toEqual({ value: 'a', gain: 0, cost: 0 });
  });

  it('is one as good where a constraint is at odds, and none where all is as well as can be', () => {
    expect(improvementOf({ ...task, value: 'b' }, 'min', costs)).toEqual({
      value: 'c',
      gain: 0,
      cost: 0,
    });
    const [y] = task.neighbours;
    const content = { ...task, value: 'b', neighbours: y ? [{ ...y, value: '1' }] : [] };
    expect(improvementOf(content, 'min', costs)).toEqual({ value: 'b', gain: 0, cost: 0 });
  });

  it('says what a constraint costs now that only owners know, if its variable is the first', () => {
    const secret = { ...task, constraints: [{ name: 's', over: ['x', 'y'] }] };
    expect(improvementOf(secret, 'min', costs)).toEqual({ value: 'b', gain: 5, cost: 7 });
    const second = { ...task, constraints: [{ name: 's', over: ['y', 'x'] }] };
    expect(improvementOf(second, 'min', costs)).toEqual({ value: 'b', gain: 5, cost: 0 });
  });
});
