import { type Sat, type Scripted, sit } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  bruteForce,
  colouring,
  colours,
  constraint,
  lamps,
  myciel3,
  row,
  tenEdges,
  tutorial,
  variable,
} from '../../../../test/dcop-problems.ts';
import { type Holding, holdDcop, honest } from '../../../../test/dcop-sessions.ts';
import type { CoordinationRequest } from '../../message.ts';
import { participant } from '../../participant.ts';
import { verify } from '../../verify.ts';
import { dcopAgent } from './dcop-agent.ts';
import { bestCost, costOf, type DcopResult } from './dcop-claim.ts';
import type { DpopResult, DpopSpec } from './dpop-progress.ts';
import { dpop } from './dpop.ts';

function hold(spec: DpopSpec, holding?: Holding): Promise<Sat<DpopResult>> {
  return holdDcop(dpop, spec, holding);
}

async function solved(spec: DpopSpec): Promise<DpopResult> {
  const { outcome } = await hold(spec);
  expect(outcome.status).toBe('decided');
  expect(verify<DcopResult>(dpop, outcome)).toEqual([]);
  const result = outcome.result ?? Promise.reject(new Error('no result'));
  const { cost, frozen } = await result;
  expect(frozen).toEqual([]);
  expect(outcome.certificate).toEqual({ kind: 'optimality', bound: cost, gap: 0 });
  return result;
}

const v = (...values: readonly string[]): object =>
  Object.fromEntries(values.map((value, at) => [`v${at + 1}`, value]));

describe('a DPOP', () => {
  it('solves the instances of pyDCOP (E1 to E6)', async () => {
    expect(await solved(row(['R', 'G', 'G']))).toMatchObject({
      cost: -1,
      assignment: v('R', 'G', 'R'),
    });
    expect(await solved(tutorial('min'))).toMatchObject({
      cost: 12,
      assignment: v('G', 'G', 'G', 'G'),
    });
    expect(await solved(tutorial('max'))).toMatchObject({
      cost: 53,
      assignment: v('G', 'R', 'R', 'G'),
    });
    expect(await solved(lamps())).toMatchObject({
      cost: 23,
      assignment: { l1: '0', l2: '3', l3: '4', m1: '3' },
    });
    expect(await solved(row(['R', 'G', 'R']))).toMatchObject({ cost: -3 });
    const csp = row([], 10_000);
    expect(await solved(csp)).toMatchObject({ cost: 0 });
    expect(bruteForce(csp)).toEqual({ best: 0, count: 2 });
    const ten = colouring(tenEdges, 3, 10_000);
    expect(await solved(ten)).toMatchObject({ cost: 0 });
    expect(bruteForce(ten)).toEqual({ best: 0, count: 384 });
  });

  it('colours the Grötzsch graph with four colours, and with three but for one edge (E7)', async () => {
    expect(myciel3).toHaveLength(20);
    expect(await solved(colouring(myciel3, 3, 1))).toMatchObject({ cost: 1 });
    expect(await solved(colouring(myciel3, 4, 1))).toMatchObject({ cost: 0 });
  });

  it('asks each agent for a table, then for a value: 2(n − 1) messages', async () => {
    const sat = await hold(tutorial('min'));
    expect(sat.outcome.result?.messages).toEqual({ util: 3, value: 3 });
    const types = sat.sent.map(({ type }) => type);
    expect(types).toEqual([...Array(3).fill('get_util'), ...Array(4).fill('get_value')]);
    // v2 is the root; v4 hangs on it alone.
    const four = sat.sent.find(({ to, type }) => to === 'owner of v4' && type === 'get_util');
    expect(four?.body).toEqual({
      problem: 'tutorial',
      objective: 'min',
      tasks: [
        {
          name: 'v4',
          values: colours,
          constraints: [{ name: 'c_2_4', over: ['v2', 'v4'], costs: [3, 8, 10, 3] }],
          below: [],
          separator: [{ name: 'v2', values: colours }],
        },
      ],
    });
    const down = sat.sent.findLast(({ to }) => to === 'owner of v4');
    expect(down?.body).toMatchObject({
      tasks: [{ above: [{ name: 'v2', value: 'G' }], below: [0, 0] }],
    });
  });

  const sizes = fc.record({
    n: fc.integer({ min: 1, max: 6 }),
    d: fc.integer({ min: 1, max: 3 }),
    objective: fc.constantFrom('min' as const, 'max' as const),
    owners: fc.integer({ min: 1, max: 6 }),
    scopes: fc.array(fc.uniqueArray(fc.nat(5), { minLength: 1, maxLength: 4 }), { maxLength: 8 }),
    costs: fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 200, maxLength: 200 }),
  });
  const problems = sizes.map(({ n, d, objective, owners, scopes, costs }): DpopSpec => {
    const variables = Array.from({ length: n }, (_, at) => ({
      ...variable(
        `x${at}`,
        Array.from({ length: 1 + ((at + d) % 3) }, (__, value) => `${value}`),
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

  it('finds what trying everything finds, whoever owns what, also where only owners know the costs', () =>
    fc.assert(
      fc.asyncProperty(problems, fc.nat(3), async (spec, at) => {
        const { best } = bruteForce(spec);
        expect(bestCost({ objective: 'min', answerMs: 1, ...spec })).toBe(best);
        const result = await solved(spec);
        expect(result.cost).toBe(best);
        const { util, value } = result.messages;
        expect(util).toBe(value);
        expect(util).toBeLessThan(spec.variables.length);
        const secret = new Set(spec.constraints.filter((_, index) => index % 4 === at));
        const costs = Object.fromEntries([...secret].map((each) => [each.name, each.costs ?? []]));
        const constraints = spec.constraints.map((each) =>
          secret.has(each) ? { name: each.name, over: each.over } : each,
        );
        const { outcome } = await hold({ ...spec, constraints }, { costs });
        expect(outcome.result?.cost).toBe(best);
        expect(outcome.certificate?.bound).toBe(best);
        expect(verify<DcopResult>(dpop, outcome)).toEqual([]);
      }),
      { numRuns: 40 },
    ));

  it('keeps the variable of a silent agent at its value, solves the rest as well as can be, and says so', () =>
    fc.assert(
      fc.asyncProperty(
        problems,
        fc.nat(5),
        fc.constantFrom<Scripted>('silent', 'dead', 'garbage', { decline: 'no' }),
        async (spec, at, trouble) => {
          const owner = spec.variables[at % spec.variables.length]?.owner ?? '';
          const { outcome } = await hold(spec, { troubles: { [owner]: trouble } });
          const own = spec.variables.filter((each) => each.owner === owner);
          const { frozen = [], assignment = {}, cost } = outcome.result ?? {};
          expect(new Set(frozen)).toEqual(new Set(own.map(({ name }) => name)));
          for (const { name, values } of own) expect(assignment[name]).toBe(values[0]);
          expect(outcome.certificate).toBeUndefined();
          expect(outcome.reasons[owner]).not.toBe('won');
          expect(verify<DcopResult>(dpop, outcome)).toEqual([]);
          const held = spec.variables.map((each) =>
            each.owner === owner ? { ...each, values: each.values.slice(0, 1) } : each,
          );
          const constraints = spec.constraints.map((each) => {
            const over = each.over.flatMap((name) => held.filter((other) => other.name === name));
            return constraint(each.name, over, (...values) =>
              costOf(
                { variables: spec.variables, constraints: [each] },
                new Map(each.over.map((name, index) => [name, values[index] ?? ''])),
              ),
            );
          });
          expect(cost).toBe(bruteForce({ ...spec, variables: held, constraints }).best);
        },
      ),
      { numRuns: 40 },
    ));

  it('waits for a silent agent once, and tells it what it was held to', async () => {
    const spec = { ...tutorial('min'), answerMs: 300 };
    const variables = spec.variables.map((each) =>
      each.name === 'v4' ? { ...each, initial: 'G' } : each,
    );
    const sat = await hold({ ...spec, variables }, { troubles: { 'owner of v4': 'silent' } });
    expect(sat.endedAt).toBeLessThan(600);
    expect(sat.outcome.result).toMatchObject({ frozen: ['v4'], assignment: { v4: 'G' }, cost: 12 });
    const told = sat.sent.filter(({ type }) => type === 'frozen');
    expect(told).toMatchObject([
      { to: 'owner of v4', body: { problem: 'tutorial', variables: ['v4'] } },
    ]);
    const late = (request: CoordinationRequest): Scripted =>
      request.type === 'get_util' ? { body: honest({})(request) } : 'silent';
    const half = await hold(spec, { troubles: { 'owner of v4': late } });
    expect(half.outcome.result).toMatchObject({ frozen: ['v4'], assignment: { v4: 'R' } });
  });

  it('finds out who tells what is not so, if that changes anything', async () => {
    const lying = (request: CoordinationRequest): Scripted =>
      request.type === 'get_util' ? { body: { utils: [[0, 90]] } } : { body: honest({})(request) };
    const { outcome } = await hold(tutorial('min'), { troubles: { 'owner of v4': lying } });
    expect(outcome).toMatchObject({ status: 'decided', result: { cost: 18 } });
    expect(outcome.certificate).toBeUndefined();
    expect(outcome.detail).toMatch(/^the roots expected 15: somebody has told what is not so$/);
    const short = (request: CoordinationRequest): Scripted =>
      request.type === 'get_util' ? { body: { utils: [[0]] } } : { body: honest({})(request) };
    const misshaped = await hold(tutorial('min'), { troubles: { 'owner of v4': short } });
    expect(misshaped.outcome.reasons).toMatchObject({ 'owner of v4': 'invalid' });
    expect(misshaped.outcome.result?.frozen).toEqual(['v4']);
    const stranger = (request: CoordinationRequest): Scripted =>
      request.type === 'get_util'
        ? { body: honest({})(request) }
        : { body: { choices: [{ value: 'blue' }] } };
    const blue = await hold(tutorial('min'), { troubles: { 'owner of v4': stranger } });
    expect(blue.outcome.reasons).toMatchObject({ 'owner of v4': 'invalid' });
  });

  it('solves 200 variables of 5 values, each of which depends on up to 6 others', async () => {
    const five = ['0', '1', '2', '3', '4'];
    const variables = Array.from({ length: 200 }, (_, at) => variable(`x${at}`, five));
    let seed = 1;
    const next = (): number => (seed = (seed * 48_271) % 2_147_483_647) % 100;
    const constraints = variables.flatMap((each, at) =>
      [1, 2, 4, 6].flatMap((back) => {
        const other = variables[at - back];
        return other === undefined || (back === 6 && at % 3 > 0)
          ? []
          : [constraint(`c${at}-${back}`, [other, each], next)];
      }),
    );
    const result = await solved({ problem: 'band', variables, constraints });
    expect(result.messages).toEqual({ util: 199, value: 199 });
  });
});

describe('the handlers of a participant', () => {
  it('do what a script does', () => {
    const answer = participant<number>(dcopAgent((factor) => [0, factor]));
    const request = {
      kind: 'mabeam.coordination.request',
      v: 1,
      session: 's',
      protocol: 'dcop.dpop',
      protocolVersion: '1.0.0',
      type: 'get_value',
      round: 1,
      seq: 1,
      epoch: 1,
      nonce: 'n',
      to: 'a',
      budgetMs: 10,
      idempotencyKey: 'k',
      body: {
        problem: 'p',
        objective: 'max',
        tasks: [
          {
            name: 'x',
            values: colours,
            constraints: [{ name: 'c', over: ['x'] }],
            below: [3, 0],
            above: [],
          },
        ],
      },
    } as const;
    const reply = (factor: number): unknown => answer(factor, request);
    expect(reply(2)).toMatchObject({ status: 'ok', body: { choices: [{ value: 'R', cost: 0 }] } });
    expect(reply(4)).toMatchObject({ status: 'ok', body: { choices: [{ value: 'G', cost: 4 }] } });
    expect(answer(1, { ...request, body: { problem: 'p' } })).toMatchObject({
      status: 'not_understood',
    });
    const up = { ...request, type: 'get_util', body: { ...request.body, tasks: [] } };
    expect(answer(1, up)).toMatchObject({ status: 'ok', body: { utils: [] } });
  });
});

describe('a claim of a DPOP', () => {
  it('is refuted when its sum, its values or its proof are made up', async () => {
    const { outcome } = await hold(tutorial('min'));
    const { record, certificate, result, ...rest } = outcome;
    const spec = record.setup.spec as DpopSpec;
    const { roster } = record.setup;
    if (result === undefined || certificate === undefined) throw new Error('no result');
    const claim = { ...rest, roster, result, certificate };
    const problemsOf = (changed: Partial<DpopResult>, proof = certificate): readonly string[] =>
      dpop.verify?.(spec, { ...claim, certificate: proof, result: { ...result, ...changed } }) ??
      [];
    expect(problemsOf({})).toEqual([]);
    expect(problemsOf({ cost: 11 })[0]).toBe('cost: 11 is not 12 and 0 together');
    expect(problemsOf({ assignment: { ...result.assignment, v1: 'B' } })).toEqual([
      '"v1" has none of its values: "B"',
    ]);
    const worse = { assignment: { v1: 'R', v2: 'R', v3: 'R', v4: 'R' }, cost: 18 };
    expect(problemsOf(worse)).toEqual(['the certificate is not one of this cost']);
    expect(problemsOf(worse, { kind: 'optimality', bound: 18, gap: 0 })).toEqual([
      'cost: 18, and 12 can be had',
    ]);
    expect(problemsOf({ frozen: ['v1'] })).toEqual([
      '"v1" is frozen, and has moved',
      'the certificate is not one of this cost',
    ]);
  });
});

describe('the spec of a DPOP', () => {
  const spec = tutorial('min');
  const [first, ...others] = spec.variables;
  const cases: readonly (readonly [unknown, string])[] = [
    [null, 'expected { problem, variables, constraints, … }, got null'],
    [{ ...spec, width: 3 }, 'unknown field "width"'],
    [{ ...spec, problem: '' }, 'problem: expected a text of 1 to 256 characters, got ""'],
    [{ ...spec, objective: 'best' }, 'objective: expected min or max, got "best"'],
    [{ ...spec, answerMs: 0 }, 'answerMs: expected more than 0, below 2147483648, got 0'],
    [{ ...spec, cellsMax: 0 }, 'cellsMax: expected 1 to 1000000, got 0'],
    [{ ...spec, variables: [] }, 'variables: expected 1 to 1000 of them, got an array of 0'],
    [{ ...spec, variables: [first, first] }, 'variables: "v1" stands there twice'],
    [
      { ...spec, variables: [{ ...first, values: ['R', 'R'] }, ...others] },
      'variables[0].values: expected 1 to 100 texts, each once, got an array of 2',
    ],
    [
      { ...spec, variables: [{ ...first, initial: 'B' }, ...others] },
      'variables[0].initial: expected one of its values, got "B"',
    ],
    [
      { ...spec, variables: [{ ...first, colour: 1 }, ...others] },
      'variables[0]: unknown field "colour"',
    ],
    [
      { ...spec, constraints: [{ name: 'c', over: ['v1', 'v9'], costs: [] }] },
      'constraints[0].over: expected 1 to 8 variables, each once, got an array of 2',
    ],
    [
      { ...spec, constraints: [{ name: 'c', over: ['v1', 'v2'], costs: [1, 2, 3] }] },
      'constraints[0].costs: expected 4 whole numbers, got an array of 3',
    ],
    [
      { ...spec, constraints: [{ name: 'c', over: ['v1'], costs: [1, 0.5] }] },
      'constraints[0].costs[1]: expected a whole number of at most 1000000000, got 0.5',
    ],
    [
      { ...spec, cellsMax: 7 },
      'variables: "v3" depends on 2 of 3 others, which takes a table of 8 cells, more than 7',
    ],
  ];
  it.each(cases.map(([given, reason]) => [reason, given]))('is refused: %s', (reason, given) => {
    expect(dpop.parseSpec(given)).toEqual({ ok: false, reason });
  });

  it('of a problem that is too tangled, or very large, is refused at once', () => {
    const n = 40;
    const pairs = Array.from({ length: n }, (_, at) => at).flatMap((left) =>
      Array.from({ length: left }, (_, right) => [left, right] as const),
    );
    const vast = [
      colouring(pairs, 5, 1),
      { ...spec, variables: Array(1e6).fill(first) },
      { ...spec, constraints: Array(1e6).fill(null) },
    ];
    const before = process.cpuUsage();
    const parsed = vast.map((each) => dpop.parseSpec(each).ok);
    const { user } = process.cpuUsage(before);
    expect(parsed).toEqual([false, false, false]);
    expect(user / 1_000).toBeLessThan(500);
  });

  it('whose owner is not in the roster fails with its name', async () => {
    const answer = (): Scripted => 'silent';
    const { outcome } = await sit(dpop, { spec, roster: ['owner of v1'], answer });
    expect(outcome.detail).toBe('"owner of v2", who owns "v2", is not in the roster');
  });
});
