import { type Sat, Simulation, SimClock, sit, type Sitting } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FoundationError } from '../../errors.ts';
import { createCoordination } from '../coordination.ts';
import type { AgentId, CoordinationRequest } from '../message.ts';
import type { Outcome } from '../outcome.ts';
import { participant } from '../participant.ts';
import { verify } from '../verify.ts';
import { barrier, type BarrierResult, type BarrierSpec } from './barrier.ts';

/** What a party does, in milliseconds since the start; `again` is how long it takes to each later crossing. */
interface Party {
  readonly arrivesAt?: number;
  readonly diesAt?: number;
  readonly declines?: boolean;
  readonly again?: number;
}

interface Met {
  readonly outcome: Outcome<BarrierResult>;
  readonly sent: readonly CoordinationRequest[];
  readonly endedAt: number;
}

/** Holds a barrier in simulated time among real `arrive` handlers, which answer later than they are asked. */
async function meet(
  parties: Readonly<Record<AgentId, Party>>,
  spec: Partial<BarrierSpec> = {},
): Promise<Met> {
  const clock = new SimClock(new Simulation(1));
  const after = (ms: number): Promise<void> =>
    new Promise((resolve) => void clock.after(ms, resolve));
  const sent: CoordinationRequest[] = [];
  const handler = participant<Party>({
    arrive: async ({ arrivesAt = 1e9, declines = false, again }, { generation, phase }) => {
      const isFirst = generation === 1 && phase === 'enter';
      await after(isFirst ? arrivesAt : (again ?? 1e9));
      return declines ? { decline: 'no' } : undefined;
    },
  });
  const coordination = createCoordination({
    clock,
    messenger: {
      tell: (_to, notice) => void sent.push(notice),
      ask({ id }, request) {
        sent.push(request);
        const party = parties[id] ?? {};
        const answer = Promise.resolve(handler(party, request));
        if (party.diesAt === undefined) return answer;
        const death = after(party.diesAt).then(() => {
          throw new FoundationError('PROCESS_DOWN', `${id} died`);
        });
        return Promise.race([answer, death]);
      },
    },
  });
  const session = coordination.start(barrier, { barrier: 'gate', ...spec }, Object.keys(parties), {
    deadlineMs: 10_000,
  });
  let outcome: Outcome<BarrierResult> | undefined;
  void session.outcome.then((settled) => (outcome = settled));
  await clock.runUntil(() => outcome !== undefined, 20_000);
  if (outcome === undefined) throw new Error('the session has not ended');
  return { outcome, sent, endedAt: clock.now() };
}

const notices = ({ sent }: Pick<Met, 'sent'>, type: string): CoordinationRequest[] =>
  sent.filter((request) => request.type === type);

const crowd = (parties: number, spec: Partial<BarrierSpec> = {}): Sitting => ({
  spec: { barrier: 'gate', ...spec },
  roster: Array.from({ length: parties }, (_, index) => `p${index}`),
  answer: () => ({ body: {} }),
});

describe('a barrier', () => {
  it('releases all when the last has come, and tells each its place (E1)', async () => {
    const met = await meet({ b: { arrivesAt: 5 }, a: { arrivesAt: 0 }, c: { arrivesAt: 9 } });
    expect(met.endedAt).toBe(9);
    expect(met.outcome.status).toBe('decided');
    expect(met.outcome.result?.releases).toEqual([
      {
        generation: 1,
        phase: 'enter',
        arrivals: [
          { agent: 'a', at: 0 },
          { agent: 'b', at: 5 },
          { agent: 'c', at: 9 },
        ],
      },
    ]);
    expect(met.outcome.reasons).toEqual({ a: 'won', b: 'won', c: 'won' });
    expect(notices(met, 'released').map(({ to, body }) => [to, body])).toEqual(
      ['a', 'b', 'c'].map((to, index) => [
        to,
        { barrier: 'gate', generation: 1, phase: 'enter', order: index + 1, parties: 3 },
      ]),
    );
  });

  it('breaks at once for the two who wait when the third dies (E2)', async () => {
    const met = await meet({ a: { arrivesAt: 0 }, b: { arrivesAt: 5 }, c: { diesAt: 6 } });
    expect(met.endedAt).toBe(6);
    expect(met.outcome.status).toBe('no_quorum');
    expect(met.outcome.result).toEqual({
      barrier: 'gate',
      releases: [],
      broken: { generation: 1, phase: 'enter', cause: 'down', by: ['c'] },
    });
    expect(notices(met, 'broken').map(({ to }) => to)).toEqual(['a', 'b']);
    expect(notices(met, 'released')).toEqual([]);
    expect(met.outcome.reasons).toEqual({ a: 'not_eligible', b: 'not_eligible', c: 'silent' });
  });

  it('breaks at its timeout, and tells the late one, too (E3)', async () => {
    const parties = { a: { arrivesAt: 0 }, b: { arrivesAt: 5 }, c: { arrivesAt: 9 } };
    const met = await meet(parties, { timeoutMs: 7 });
    expect(met.endedAt).toBe(7);
    expect(met.outcome.result?.broken).toMatchObject({ cause: 'timeout', by: ['c'] });
    expect(notices(met, 'broken').map(({ to, body }) => [to, Object(body).cause])).toEqual([
      ['a', 'timeout'],
      ['b', 'timeout'],
      ['c', 'timeout'],
    ]);
  });

  it('lets nobody of a thousand lap in a hundred generations (E4)', async () => {
    const sat = await sit(barrier, crowd(1_000, { generations: 100 }));
    expect(sat.outcome.status).toBe('decided');
    expect(sat.outcome.result?.releases).toHaveLength(100);
    expectNoLap(sat);
    expect(
      barrier.verify?.(
        { barrier: 'gate', generations: 100 },
        { ...sat.outcome, roster: crowd(1_000).roster },
      ),
    ).toEqual([]);
    // 2N messages a generation, and N notices.
    const { ok } = sat.outcome.participation;
    expect(sat.sent.length + ok).toBe(100 * 3 * 1_000);
  }, 20_000);

  it('is broken by who declines, and does not blame those who are on their way', async () => {
    const met = await meet({ a: { arrivesAt: 0 }, b: { arrivesAt: 3, declines: true }, c: {} });
    expect(met.endedAt).toBe(3);
    expect(met.outcome.result?.broken).toMatchObject({ cause: 'declined', by: ['b'] });
    expect(met.outcome.reasons).toEqual({ a: 'not_eligible', b: 'declined', c: 'not_eligible' });
    expect(notices(met, 'broken').map(({ to }) => to)).toEqual(['a', 'b', 'c']);
  });

  it('has a fast party wait for the slow one in every generation', async () => {
    const parties = { fast: { arrivesAt: 0, again: 1 }, slow: { arrivesAt: 10, again: 20 } };
    const met = await meet(parties, { generations: 3 });
    expect(met.endedAt).toBe(50);
    expect(
      met.outcome.result?.releases.map(({ arrivals }) => arrivals.map(({ at }) => at)),
    ).toEqual([
      [0, 10],
      [11, 30],
      [31, 50],
    ]);
  });

  it('keeps what was released when a later generation breaks', async () => {
    const met = await meet(
      { a: { arrivesAt: 0, again: 1 }, b: { arrivesAt: 2 } },
      { generations: 2, timeoutMs: 50 },
    );
    expect(met.outcome.result?.releases.map(({ generation }) => generation)).toEqual([1]);
    expect(met.outcome.result?.broken).toMatchObject({
      generation: 2,
      cause: 'timeout',
      by: ['b'],
    });
    expect(met.endedAt).toBe(52);
    expect(notices(met, 'released')).toHaveLength(2);
    expect(verify(barrier, met.outcome)).toEqual([]);
  });

  it('is entered and left together when it is a double one', async () => {
    const parties = { a: { arrivesAt: 0, again: 1 }, b: { arrivesAt: 2, again: 9 } };
    const met = await meet(parties, { double: true, generations: 2 });
    expect(
      met.outcome.result?.releases.map(({ generation, phase }) => `${generation} ${phase}`),
    ).toEqual(['1 enter', '1 leave', '2 enter', '2 leave']);
    expect(met.endedAt).toBe(2 + 3 * 9);
  });

  it('goes on with the next generation in another session after it was broken', async () => {
    const sat = await sit(barrier, crowd(2, { generation: 7 }));
    expect(sat.outcome.result?.releases[0]?.generation).toBe(7);
  });

  it('with nobody to wait for is open', async () => {
    expect((await sit(barrier, crowd(0, { generations: 3 }))).outcome.status).toBe('decided');
  });

  it('asks each party once a generation, with the documented body', async () => {
    const { sent } = await sit(barrier, crowd(2, { generations: 2 }));
    const asked = sent.filter(({ type }) => type === 'arrive');
    expect(asked.map(({ to, body }) => [to, body])).toEqual(
      [1, 2].flatMap((generation) =>
        ['p0', 'p1'].map((to) => [to, { barrier: 'gate', generation, phase: 'enter' }]),
      ),
    );
  });
});

describe('a barrier, whatever its parties do,', () => {
  const party = fc.record({
    arrivesAt: fc.nat(60),
    diesAt: fc.option(fc.nat(60), { nil: undefined }),
    declines: fc.boolean(),
    again: fc.nat(20),
  });

  it('releases nobody before all have come, and tells each waiting party once that it broke', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(party, { minLength: 1, maxLength: 5 }),
        fc.boolean(),
        async (all, double) => {
          const parties: Record<AgentId, Party> = Object.fromEntries(
            all.map(({ diesAt, ...rest }, index) => [
              `p${index}`,
              diesAt === undefined ? rest : { ...rest, diesAt },
            ]),
          );
          const met = await meet(parties, { generations: 2, double, timeoutMs: 40 });
          expectNoLap(met);
          expect(verify(barrier, met.outcome)).toEqual([]);
          const { releases, broken } = met.outcome.result ?? {};
          expect(notices(met, 'released')).toHaveLength((releases?.length ?? 0) * all.length);
          const told = notices(met, 'broken').map(({ to }) => to);
          expect(told.length).toBe(new Set(told).size);
          const deaf =
            broken === undefined ? told : Object.keys(parties).filter((id) => !told.includes(id));
          // Only the dead hear nothing; and nobody does when nothing broke.
          expect(deaf.filter((id) => parties[id]?.diesAt === undefined)).toEqual([]);
        },
      ),
      { numRuns: 60 },
    ));
});

/** No request for a crossing is sent before every party was released from the one before. */
function expectNoLap({ sent }: Pick<Sat<BarrierResult>, 'sent'>): void {
  const parties = new Set(sent.filter(({ type }) => type === 'arrive').map(({ to }) => to)).size;
  let released = 0;
  for (const { type, round } of sent) {
    if (type === 'released') released++;
    // Counted, not asserted one by one: there are hundreds of thousands.
    if (type === 'arrive' && released !== (round - 1) * parties) {
      throw new Error(`round ${round} was asked for after ${released} releases`);
    }
  }
}

describe('the claim of a barrier', () => {
  const arrivals = [
    { agent: 'a', at: 1 },
    { agent: 'b', at: 5 },
  ];
  const first = { generation: 1, phase: 'enter', arrivals } as const;
  const problems = (
    releases: NonNullable<BarrierResult['releases']>,
    spec: Partial<BarrierSpec> = {},
  ): unknown =>
    barrier.verify?.(
      { barrier: 'gate', ...spec },
      {
        status: 'decided',
        roster: ['a', 'b'],
        result: { barrier: 'gate', releases },
      },
    );

  it.each([
    ['a missing party', [{ ...first, arrivals: arrivals.slice(1) }], 'not everybody came once'],
    [
      'a party twice',
      [{ ...first, arrivals: [...arrivals, ...arrivals] }],
      'not everybody came once',
    ],
    ['another generation', [{ ...first, generation: 2 }], 'expected 1, enter'],
    ['too few releases', [], '`decided` after 0 releases'],
  ])('with %s is refuted', (_, releases, problem) => {
    expect(problems(releases)).toEqual(expect.arrayContaining([expect.stringContaining(problem)]));
  });

  it('in which somebody has lapped is refuted', () => {
    const second = {
      ...first,
      generation: 2,
      arrivals: arrivals.map((each) => ({ ...each, at: 4 })),
    };
    expect(problems([first, second], { generations: 2 })).toEqual([
      'generation 2, enter: a came before its turn',
      'generation 2, enter: b came before its turn',
    ]);
  });
});

describe('the spec of a barrier', () => {
  it.each([
    [{}, 'barrier: expected a text of 1 to 256 characters, got undefined'],
    [{ barrier: 'x', parties: 3 }, 'unknown field "parties"'],
    [
      { barrier: 'x', generation: 0 },
      'generation: expected a whole number from 1 to 1000000000000, got 0',
    ],
    [
      { barrier: 'x', generations: 1_001 },
      'generations: expected a whole number from 1 to 1000, got 1001',
    ],
    [{ barrier: 'x', double: 'yes' }, 'double: expected true or false, got "yes"'],
    [{ barrier: 'x', timeoutMs: -1 }, 'timeoutMs: expected more than 0, below 2147483648, got -1'],
  ])('%j is refused', (spec, reason) => {
    expect(barrier.parseSpec(spec)).toEqual({ ok: false, reason });
  });
});
