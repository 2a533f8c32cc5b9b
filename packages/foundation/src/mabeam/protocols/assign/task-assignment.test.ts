import { sit, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { CoordinationRequest } from '../../message.ts';
import type { Outcome } from '../../outcome.ts';
import type { TieRule } from '../../protocol.ts';
import { verify } from '../../verify.ts';
import { builtInProtocols } from '../built-in.ts';
import { auctionedPairing } from './auction-algorithm.ts';
import { cheapestPairing } from './hungarian.ts';
import { longestFirst } from './longest-first.ts';
import type { TaskAssignmentResult, TaskAssignmentSpec } from './task-assignment-spec.ts';
import { taskAssignment } from './task-assignment.ts';

/** What each task costs, agent by agent; -1 for what one cannot do. */
type Table = readonly (readonly number[])[];

interface How extends Partial<TaskAssignmentSpec> {
  readonly loads?: Table;
  readonly capacities?: readonly number[];
  readonly answer?: (request: CoordinationRequest) => Scripted | undefined;
  readonly tie?: TieRule;
  readonly seed?: string;
  readonly roster?: readonly string[];
}

async function held(table: Table, how: How = {}): Promise<Outcome<TaskAssignmentResult>> {
  const { loads, capacities, answer = () => undefined, tie, seed, ...others } = how;
  const { roster = table.map((_, agent) => `a${agent}`), ...terms } = others;
  const { outcome } = await sit(taskAssignment, {
    spec: { tasks: (table[0] ?? []).map((_, task) => `t${task}`), ...terms },
    roster,
    options: { ...(tie && { tie }), ...(seed && { seed }) },
    answer: (request) => {
      const agent = roster.indexOf(request.to);
      const body = {
        costs: table[agent]?.map((cost) => (cost < 0 ? null : BigInt(cost))),
        ...(loads && { loads: loads[agent]?.map(BigInt) }),
        ...(capacities && { capacity: BigInt(capacities[agent] ?? 0) }),
      };
      return answer(request) ?? { body };
    },
  });
  expect(verify(taskAssignment, outcome)).toEqual([]);
  return outcome;
}

/** Most tasks, and the least that they cost, by trying everything; `fits` says whether an agent can take these tasks. */
function bestOf(
  table: Table,
  fits: (agent: number, tasks: readonly number[]) => boolean,
): readonly [tasks: number, cost: number] {
  const tasks = table[0]?.length ?? 0;
  const own = table.map((): number[] => []);
  const best = (task: number): readonly [number, number] => {
    if (task === tasks) return [0, 0];
    let found = best(task + 1);
    for (const [agent, costs] of table.entries()) {
      const cost = costs[task] ?? -1;
      const had = own[agent] ?? [];
      if (cost < 0 || !fits(agent, [...had, task])) continue;
      own[agent] = [...had, task];
      const [more, spent] = best(task + 1);
      own[agent] = had;
      const isBetter = more + 1 > found[0] || (more + 1 === found[0] && spent + cost < found[1]);
      if (isBetter) found = [more + 1, spent + cost];
    }
    return found;
  };
  return best(0);
}

const methods = ['hungarian', 'auction'] as const;

describe.each(methods)('one task each, by the method %s', (method) => {
  it('costs 15 in the example of Wikipedia (E1)', async () => {
    const table = [
      [8, 4, 7],
      [5, 2, 3],
      [9, 4, 8],
    ];
    const { status, result, certificate } = await held(table, { method });
    expect([status, result?.total]).toEqual(['decided', 15n]);
    expect(certificate).toMatchObject({ kind: 'optimality', bound: 15, gap: 0 });
  });

  it('finds the optimum of the houses of Shapley and Shubik (E2)', async () => {
    const surplus = [
      [5, 8, 2],
      [7, 9, 6],
      [2, 3, 0],
    ];
    const { result } = await held(
      surplus.map((row) => row.map((gain) => 9 - gain)),
      { method },
    );
    expect(27n - (result?.total ?? 0n)).toBe(16n);
  });

  it('does as many tasks as can be, and those as cheaply as can be: all that was tried', async () => {
    const table = fc.integer({ min: 1, max: 5 }).chain((tasks) =>
      fc.array(fc.array(fc.integer({ min: -1, max: 9 }), { minLength: tasks, maxLength: tasks }), {
        minLength: 1,
        maxLength: 5,
      }),
    );
    await fc.assert(
      fc.asyncProperty(table, async (costs) => {
        const { result, status } = await held(costs, { method });
        const [most, least] = bestOf(costs, (_, tasks) => tasks.length < 2);
        const done = result?.assigned.filter((agent) => agent !== null).length ?? 0;
        expect([done, Number(result?.total ?? 0n)]).toEqual([most, least]);
        expect(status).toBe(most === 0 ? 'no_deal' : 'decided');
      }),
      { numRuns: 30 },
    );
  });

  it('gives nobody what it cannot do, and says who could do nothing', async () => {
    const table = [
      [1, -1],
      [1, -1],
      [-1, -1],
    ];
    const { result, reasons } = await held(table, { method, tie: 'lexicographic' });
    expect(result?.assigned).toEqual(['a0', null]);
    expect(reasons).toEqual({ a0: 'won', a1: 'tie_lost', a2: 'not_eligible' });
  });
});

describe('the Hungarian method and the auction algorithm', () => {
  it('agree with each other, and prove it by prices below every cost', () => {
    const sizes = fc.record({
      rows: fc.integer({ min: 1, max: 12 }),
      more: fc.integer({ min: 0, max: 5 }),
      most: fc.constantFrom(2, 9, 1_000_000),
      seed: fc.nat(),
    });
    fc.assert(
      fc.property(sizes, ({ rows, more, most, seed }) => {
        const columns = rows + more;
        let state = seed;
        const costs = new Float64Array(rows * columns).map(() => {
          state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
          return (state >>> 8) % (most + 1);
        });
        const found = [cheapestPairing, auctionedPairing].map((method) => {
          const pairing = method({ rows, columns, costs });
          if (pairing === undefined) throw new Error('too large');
          const { columnOf, rowPrices, columnPrices } = pairing;
          expect(new Set(columnOf).size).toBe(rows);
          let [cost, bound, above] = [0, 0, 0];
          for (let row = 0; row < rows; row++) {
            cost += costs[row * columns + (columnOf[row] ?? 0)] ?? 0;
            bound += rowPrices[row] ?? 0;
            for (let column = 0; column < columns; column++) {
              const price = (rowPrices[row] ?? 0) + (columnPrices[column] ?? 0);
              above = Math.max(above, price - (costs[row * columns + column] ?? 0));
            }
          }
          for (const price of columnPrices) bound += price;
          expect(Math.max(...columnPrices)).toBeLessThanOrEqual(0);
          expect([above, cost - bound]).toEqual([0, 0]);
          return cost;
        });
        expect(found[1]).toBe(found[0]);
      }),
      { numRuns: 100 },
    );
  });

  it('refuses numbers with which the auction would not be exact', async () => {
    const vast = Array.from({ length: 160 }, (_, agent) =>
      Array.from({ length: 160 }, (__, task) => (agent + task === 0 ? -1 : 1e9)),
    );
    expect((await held(vast, { method: 'auction' })).status).toBe('limit_reached');
    expect((await held(vast)).result?.total).toBe(160_000_000_000n);
  });

  it('solve 300 by 300 with many equal costs', () => {
    const costs = Float64Array.from({ length: 90_000 }, (_, at) => 1 + ((at * 7_919) % 97));
    const { columnOf } = cheapestPairing({ rows: 300, columns: 300, costs });
    expect(new Set(columnOf).size).toBe(300);
  });
});

/** c515-1 of the file gap1 of OR-Library (Beasley 1990): costs, loads, capacities. */
const gap1 = {
  costs: [
    [17, 21, 22, 18, 24, 15, 20, 18, 19, 18, 16, 22, 24, 24, 16],
    [23, 16, 21, 16, 17, 16, 19, 25, 18, 21, 17, 15, 25, 17, 24],
    [16, 20, 16, 25, 24, 16, 17, 19, 19, 18, 20, 16, 17, 21, 24],
    [19, 19, 22, 22, 20, 16, 19, 17, 21, 19, 25, 23, 25, 25, 25],
    [18, 19, 15, 15, 21, 25, 16, 16, 23, 15, 22, 17, 19, 22, 24],
  ],
  loads: [
    [8, 15, 14, 23, 8, 16, 8, 25, 9, 17, 25, 15, 10, 8, 24],
    [15, 7, 23, 22, 11, 11, 12, 10, 17, 16, 7, 16, 10, 18, 22],
    [21, 20, 6, 22, 24, 10, 24, 9, 21, 14, 11, 14, 11, 19, 16],
    [20, 11, 8, 14, 9, 5, 6, 19, 19, 7, 6, 6, 13, 9, 18],
    [8, 13, 13, 13, 10, 20, 25, 16, 16, 17, 10, 10, 5, 12, 23],
  ],
  capacities: [36, 34, 38, 27, 33],
};

describe('tasks within capacities', () => {
  const { costs, loads, capacities } = gap1;

  it('cost 261 at least and 336 at most in c515-1 of OR-Library (E3)', async () => {
    const least = await held(costs, { rule: 'capacity', loads, capacities });
    expect([least.status, least.result?.total]).toEqual(['decided', 261n]);
    expect(least.certificate).toMatchObject({ bound: 261, gap: 0 });
    const turned = costs.map((row) => row.map((cost) => 25 - cost));
    const most = await held(turned, { rule: 'capacity', loads, capacities });
    expect(15n * 25n - (most.result?.total ?? 0n)).toBe(336n);
  });

  it('say what was found, and how far it may be from the best, when steps run out', async () => {
    const terms = { rule: 'capacity', loads, capacities, maxSteps: 40 } as const;
    const { status, result, certificate } = await held(costs, terms);
    expect(status).toBe('limit_reached');
    expect(certificate?.gap).toBeGreaterThan(0);
    expect((certificate?.bound ?? 0) + (certificate?.gap ?? 0)).toBe(Number(result?.total));
    expect(certificate?.bound).toBeLessThanOrEqual(261);
  });

  it('are the best of all that was tried', async () => {
    const small = fc.integer({ min: 1, max: 4 }).chain((tasks) => {
      const row = (min: number, max: number): fc.Arbitrary<number[]> =>
        fc.array(fc.integer({ min, max }), { minLength: tasks, maxLength: tasks });
      const agent = fc.record({ costs: row(-1, 9), loads: row(1, 4), capacity: fc.nat(8) });
      return fc.array(agent, { minLength: 1, maxLength: 3 });
    });
    await fc.assert(
      fc.asyncProperty(small, async (agents) => {
        const table = agents.map((agent) => agent.costs);
        const { result } = await held(table, {
          rule: 'capacity',
          loads: agents.map((agent) => agent.loads),
          capacities: agents.map(({ capacity }) => capacity),
        });
        const [most, least] = bestOf(table, (at, tasks) => {
          const { loads: own = [], capacity = 0 } = agents[at] ?? {};
          let load = 0;
          for (const task of tasks) load += own[task] ?? 0;
          return load <= capacity;
        });
        const done = result?.assigned.filter((agent) => agent !== null).length ?? 0;
        expect([done, Number(result?.total ?? 0n)]).toEqual([most, least]);
      }),
      { numRuns: 30 },
    );
  });

  it('take a place each where nobody says how much they take', async () => {
    const { result } = await held(
      [
        [1, 1, 1],
        [5, 5, 5],
      ],
      { rule: 'capacity', capacities: [2, 9] },
    );
    expect(result?.total).toBe(7n);
    expect((await held([[1, 1, 1]], { rule: 'capacity' })).result?.total).toBe(3n);
  });
});

/** When tasks that take everybody as long are done at the earliest, by trying everything. */
function earliest(lengths: readonly number[], workers: number): number {
  const busy = Array.from<number>({ length: workers }).fill(0);
  const best = (task: number): number => {
    const length = lengths[task];
    if (length === undefined) return Math.max(...busy);
    let found = Infinity;
    for (const worker of busy.keys()) {
      busy[worker] = (busy[worker] ?? 0) + length;
      found = Math.min(found, best(task + 1));
      busy[worker] = (busy[worker] ?? 0) - length;
    }
    return found;
  };
  return best(0);
}

describe('tasks that are to be done early', () => {
  it.each([
    { agents: 2, lengths: [3, 3, 2, 2, 2], ends: 7, best: 6 },
    { agents: 3, lengths: [5, 5, 4, 4, 3, 3, 3], ends: 11, best: 9 },
  ])('end as late as Graham (1969) says: $ends, not $best (E4)', async (example) => {
    const { agents, lengths, ends, best } = example;
    const table = Array.from({ length: agents }, () => lengths);
    const { status, result, certificate } = await held(table, { rule: 'makespan' });
    expect([status, result?.total]).toEqual(['decided', BigInt(ends)]);
    expect(earliest(lengths, agents)).toBe(best);
    expect(certificate).toEqual({ kind: 'optimality', bound: best, gap: ends - best });
  });

  it('end at most (4m − 1)/(3m) times as late as they could, and not before the bound', () => {
    const lengths = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(lengths, fc.integer({ min: 1, max: 3 }), (all, workers) => {
        const table = Array.from({ length: workers }, () => all);
        const { makespan, bound } = longestFirst(table, all.length);
        const best = earliest(all, workers);
        expect(bound).toBeLessThanOrEqual(best);
        expect(makespan * 3 * workers).toBeLessThanOrEqual(best * (4 * workers - 1));
      }),
      { numRuns: 100 },
    );
  });

  it('go to who is done with them first, and to nobody that cannot', async () => {
    const table = [
      [10, 4, -1],
      [2, 4, -1],
    ];
    const { result } = await held(table, { rule: 'makespan', tie: 'lexicographic' });
    expect(result).toMatchObject({ assigned: ['a1', 'a0', null], total: 4n });
  });
});

describe('agents who are alike', () => {
  const alike = [[3], [3], [3]];

  it.each(['one_each', 'makespan'] as const)(
    'are drawn among by the rule %s, and each can be',
    async (rule) => {
      const winners = new Set<string>();
      for (let seed = 0; seed < 30; seed++) {
        const { result, tie } = await held(alike, { rule, seed: `${seed}` });
        expect(tie).toEqual({ among: ['a0', 'a1', 'a2'], rule: 'seeded' });
        winners.add(result?.assigned[0] ?? '');
      }
      expect([...winners].toSorted()).toEqual(['a0', 'a1', 'a2']);
    },
  );

  it.each(['one_each', 'capacity'] as const)(
    'do not gain by their place in the roster by the rule %s',
    async (rule) => {
      const first = async (roster: readonly string[]): Promise<unknown> =>
        (await held(alike, { rule, roster })).result?.assigned;
      expect(await first(['x', 'y', 'z'])).toEqual(await first(['z', 'x', 'y']));
    },
  );

  it('are only reported, when that is the rule', async () => {
    const { status, result, tie } = await held(alike, { tie: 'report' });
    expect([status, result]).toEqual(['tied', undefined]);
    expect(tie?.among).toEqual(['a0', 'a1', 'a2']);
    const swap = await held(
      [
        [1, 2],
        [2, 3],
      ],
      { tie: 'report' },
    );
    expect(swap.tie?.among).toEqual(['a0', 'a1']);
  });

  it('are none where there is only one best way', async () => {
    const clear = [
      [1, 5, 9],
      [5, 2, 9],
      [9, 9, 3],
    ];
    for (const table of [clear, [...clear, [9, 9, 9]], clear.slice(0, 2)]) {
      const { status, tie } = await held(table, { tie: 'report' });
      expect([status, tie]).toEqual(['decided', undefined]);
    }
  });
});

describe('agents', () => {
  const table = [
    [1, 9],
    [2, 3],
    [9, 9],
  ];

  it('are asked once, and all who answer are told what they are to do', async () => {
    const { sent } = await sit(taskAssignment, {
      spec: { tasks: ['t0', 't1'] },
      roster: ['x', 'y'],
      answer: ({ to }) => ({ body: { costs: to === 'x' ? ['1', '2'] : [null, '5'] } }),
    });
    const asked = { tasks: ['t0', 't1'], rule: 'one_each' };
    expect(sent.map(({ to, type, body }) => [to, type, body])).toEqual([
      ['x', 'get_costs', asked],
      ['y', 'get_costs', asked],
      ['x', 'tasks', { tasks: ['t0'] }],
      ['y', 'tasks', { tasks: ['t1'] }],
    ]);
  });

  it('who are silent, dead, or speak of other tasks do nothing', async () => {
    const { result, reasons } = await held(table, {
      answer: ({ to }) =>
        to === 'a1' ? 'dead' : to === 'a2' ? { body: { costs: [1n] } } : undefined,
    });
    expect(result?.assigned).toEqual(['a0', null]);
    expect(reasons).toEqual({ a0: 'won', a1: 'silent', a2: 'invalid' });
    expect((await held(table, { answer: () => 'silent' })).status).toBe('no_deal');
  });

  it('gain by saying that everything costs them much: they are not paid', async () => {
    const lie = await held([
      [9, 9],
      [2, 3],
      [5, 5],
    ]);
    expect((await held(table)).reasons['a0']).toBe('won');
    expect(lie.reasons['a0']).toBe('outbid');
    expect(taskAssignment.traits).toMatchObject({
      dominantStrategyTruthful: false,
      individuallyRational: false,
    });
  });
});

describe('an outcome', () => {
  it.each<[string, (result: TaskAssignmentResult) => object]>([
    ['a total', () => ({ total: 3 })],
    ['a dearer assignment', () => ({ assigned: ['a1', 'a0'], total: 11 })],
    ['a task that nobody does', () => ({ assigned: ['a0', null], total: 1 })],
    ['two tasks of one agent', () => ({ assigned: ['a1', 'a1'], total: 5 })],
    ['costs', (result) => ({ offers: result.offers.map((each) => ({ ...each, costs: [1, 9] })) })],
  ])('with %s that is not so is found out', async (_what, change) => {
    const { status, result, certificate } = await held([
      [1, 9],
      [2, 3],
    ]);
    if (result === undefined || certificate === undefined) throw new Error('there is no result');
    const claim = { status, roster: [], certificate };
    const spec = { tasks: result.tasks };
    expect(taskAssignment.verify?.(spec, { ...claim, result })).toEqual([]);
    const { total, offers, ...others }: Partial<Record<string, unknown>> = change(result);
    const forged = {
      ...result,
      ...others,
      ...(total === undefined ? {} : { total: BigInt(Number(total)) }),
      ...(offers === undefined
        ? {}
        : {
            offers: [
              { agent: 'a0', costs: [5n, 9n] },
              { agent: 'a1', costs: [2n, 3n] },
            ],
          }),
    };
    expect(taskAssignment.verify?.(spec, { ...claim, result: forged })).not.toEqual([]);
  });

  it('with prices above costs, or without any, is found out', async () => {
    const { status, result } = await held([
      [1, 9],
      [2, 3],
    ]);
    if (result === undefined) throw new Error('there is no result');
    const problems = (data?: object): unknown =>
      taskAssignment.verify?.(
        { tasks: result.tasks },
        {
          status,
          roster: [],
          result,
          certificate: { kind: 'optimality', bound: 4, gap: 0, ...(data && { data: { ...data } }) },
        },
      );
    expect(problems()).toEqual(['there are no prices for a proof']);
    expect(problems({ agentPrices: [2, 3], taskPrices: [0, 0] })).toHaveLength(1);
    expect(problems({ agentPrices: [1, 3], taskPrices: [1, 0] })).toEqual(['a price is above 0']);
    expect(problems({ agentPrices: [0, 0], taskPrices: [0, 0] })).toHaveLength(1);
  });

  it('that is over capacity is found out', async () => {
    const { status, result, certificate } = await held(
      [
        [1, 1],
        [5, 5],
      ],
      {
        rule: 'capacity',
        capacities: [1, 1],
      },
    );
    if (result === undefined || certificate === undefined) throw new Error('there is no result');
    const spec = { tasks: result.tasks, rule: 'capacity' } as const;
    const forged = { ...result, assigned: ['a0', 'a0'], total: 2n };
    const claim = { status, roster: [], certificate, result: forged };
    expect(taskAssignment.verify?.(spec, claim)).toEqual(['a0 does 2, and has room for 1']);
  });
});

describe('the spec of an assignment of tasks', () => {
  it.each<[string, unknown, string]>([
    ['nothing', 1, 'expected { tasks, … }, got 1'],
    ['no tasks', { tasks: [] }, 'tasks: expected 1 to 1000 names, got an array of 0'],
    [
      'a rule',
      { tasks: ['a'], rule: 'x' },
      'rule: expected one of one_each, capacity, makespan, got "x"',
    ],
    ['a method', { tasks: ['a'], method: 'x' }, 'method: expected hungarian or auction, got "x"'],
    [
      'steps',
      { tasks: ['a'], maxSteps: 0 },
      'maxSteps: expected a whole number from 1 to 1000000, got 0',
    ],
    ['a misspelt field', { tasks: ['a'], rules: 1 }, 'unknown field "rules", did you mean "rule"?'],
  ])('is refused for %s', (_what, spec, reason) => {
    expect(taskAssignment.parseSpec(spec)).toEqual({ ok: false, reason });
  });

  it('is accepted again as it was read', () => {
    const read = taskAssignment.parseSpec({ tasks: ['a'] });
    expect(read.ok && taskAssignment.parseSpec(read.value)).toEqual(read);
    expect(builtInProtocols).toContain(taskAssignment);
  });

  it.each([
    [{ costs: ['1000000001'] }],
    [{ costs: [-1] }],
    [{ costs: ['1'], loads: [null] }],
    [{ costs: 1 }],
    [{ costs: [], more: 1 }],
  ])('takes no answer such as %j', (body) => {
    expect(taskAssignment.parseReply('get_costs', body)).toMatchObject({ ok: false });
  });
});
