import { sit, type Scripted } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../../test/manual-clock.ts';
import type { Outcome } from '../outcome.ts';
import { englishAuction } from '../protocols/english-auction.ts';
import { vickreyAuction } from '../protocols/sealed-bid-auction.ts';
import { alertOn, type AlertRule, quiet } from './alert-state.ts';
import { MabeamTelemetry, telemetryLimits } from './mabeam-telemetry.ts';
import { anomaliesOf, Series, seriesStatistics } from './series.ts';
import { sessionFacts } from './session-facts.ts';
import { statisticsOf } from './statistics.ts';

const scripted = fc.oneof(
  fc.bigInt({ min: 0n, max: 20n }).map((amount): Scripted => ({ body: { amount } })),
  fc.constantFrom<Scripted>(
    'silent',
    'dead',
    'garbage',
    { decline: 'no' },
    { equivocate: { amount: 1n } },
  ),
);

function auctioned(answers: readonly Scripted[]): Promise<Outcome<unknown>> {
  const roster = answers.map((_answer, index) => `agent-${index}`);
  const answer = ({ to }: { to: string }): Scripted => answers[roster.indexOf(to)] ?? 'silent';
  return sit(vickreyAuction, { spec: { lot: 'x' }, roster, answer }).then(({ outcome }) => outcome);
}

describe('the numbers of a session', () => {
  it('are those of its outcome, agent by agent', () =>
    fc.assert(
      fc.asyncProperty(fc.array(scripted, { minLength: 1, maxLength: 6 }), async (answers) => {
        const outcome = await auctioned(answers);
        const { agents, participation, participants, rounds } = sessionFacts(outcome);
        expect({ participants, rounds }).toEqual({ participants: answers.length, rounds: 1 });
        const sum = { asked: 0, ok: 0, declined: 0, silent: 0, invalid: 0 };
        for (const facts of agents.values()) {
          for (const column of Object.keys(sum) as (keyof typeof sum)[])
            sum[column] += facts[column];
        }
        expect(sum).toEqual(participation);
      }),
    ));

  it('say how long answers took, and who won', async () => {
    const stays = { a: 3n, b: 2n };
    const { outcome } = await sit(englishAuction, {
      spec: { lot: 'x', start: 1n, increment: 1n },
      roster: ['a', 'b'],
      answer: ({ to, body }) => ({ body: { stay: Object(body).price <= stays[to as 'a'] } }),
    });
    const { agents, rounds, messages } = sessionFacts(outcome);
    expect(rounds).toBe(3);
    // The winner was told, too.
    expect(messages).toBe(13);
    expect(agents.get('a')).toMatchObject({ asked: 3, ok: 3, won: true });
    const answers = outcome.record.entries.filter(({ kind }) => kind === 'answer');
    expect(answers).toHaveLength(6);
    const { sum = 0, max = 0 } = agents.get('a')?.answerMs ?? {};
    expect(sum).toBeGreaterThan(0);
    expect(max).toBeLessThanOrEqual(50);
  });
});

describe('a request that another coordinator repeats', () => {
  it('is the same, and was asked when it was asked first', async () => {
    const outcome = await auctioned([{ body: { amount: 5n } }]);
    const { entries } = outcome.record;
    const [asked, ...rest] = entries;
    const again = { ...asked, at: rest[0]?.at ?? 0 } as (typeof entries)[number];
    const record = { ...outcome.record, entries: [...entries.slice(0, 1), again, ...rest] };
    const [once, twice] = [outcome, { ...outcome, record }].map((each) => sessionFacts(each));
    expect(once?.agents.get('agent-0')?.answerMs.sum).toBeGreaterThan(0);
    expect(twice?.agents).toEqual(once?.agents);
  });
});

describe('telemetry', () => {
  it('counts what anybody counts who has the outcomes', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(scripted, { minLength: 1, maxLength: 4 }), { maxLength: 5 }),
        async (all) => {
          const telemetry = new MabeamTelemetry(new ManualClock());
          const outcomes = await Promise.all(all.map(auctioned));
          for (const outcome of outcomes) telemetry.session(outcome);
          const { agents, protocols } = statisticsOf(outcomes.map(sessionFacts));
          expect(new Map(telemetry.agents())).toEqual(agents);
          expect(telemetry.protocols()).toEqual(protocols);
        },
      ),
      { numRuns: 50 },
    ));

  it('knows what an agent did, and how a protocol went', async () => {
    const telemetry = new MabeamTelemetry(new ManualClock());
    telemetry.session(await auctioned([{ body: { amount: 5n } }, 'silent']));
    telemetry.session(await auctioned([{ body: { amount: 5n } }, { body: { amount: 7n } }]));
    telemetry.session(await auctioned([{ decline: 'no' }]));
    expect(telemetry.agent('agent-0')).toMatchObject({
      sessions: 3,
      won: 1,
      asked: 3,
      ok: 2,
      declined: 1,
      answerMs: { count: 2 },
      protocols: { 'auction.vickrey': 3 },
    });
    expect(telemetry.agent('nobody')).toMatchObject({ sessions: 0 });
    expect(telemetry.protocols().get('auction.vickrey')).toMatchObject({
      sessions: 3,
      ended: { decided: 2, no_deal: 1 },
      participants: { count: 3, sum: 5, max: 2 },
      participation: { asked: 5, ok: 3, declined: 1, silent: 1 },
    });
    expect(telemetry.statistics('session.auction.vickrey.silent')).toMatchObject({ max: 0.5 });
  });

  it('counts changes of variables', () => {
    const telemetry = new MabeamTelemetry(new ManualClock());
    for (const status of ['changed', 'changed', 'refused'] as const) {
      telemetry.variable({ id: 'workers', status, cause: 'coordinated', tookMs: 4 });
    }
    expect(telemetry.variables().get('workers')).toEqual({
      changes: { changed: 2, refused: 1 },
      tookMs: { count: 3, sum: 12, max: 4 },
    });
    expect(telemetry.metrics()).toContain('variable.workers.tookMs');
  });

  it('looks at the window that is wanted', async () => {
    const clock = new ManualClock();
    const telemetry = new MabeamTelemetry(clock);
    for (const value of [1, 2, 3, 10]) {
      telemetry.record('queue', value);
      await clock.advance(1_000);
    }
    expect(telemetry.statistics('queue')).toEqual({
      count: 4,
      mean: 4,
      min: 1,
      max: 10,
      median: 2.5,
      deviation: Math.sqrt(12.5),
    });
    expect(telemetry.statistics('queue', { windowMs: 2_000 })).toMatchObject({ count: 2, min: 3 });
    expect(telemetry.statistics('nothing')).toBeUndefined();
    await clock.advance(telemetryLimits.keptMs);
    expect(telemetry.statistics('queue')).toBeUndefined();
  });

  it('tells of an alert once, and once that it is over', () => {
    const telemetry = new MabeamTelemetry(new ManualClock());
    const told: string[] = [];
    using _listening = telemetry.onAlert(({ name, kind, value }) =>
      told.push(`${name} ${kind} ${value}`),
    );
    telemetry.alert({ name: 'full', metric: 'queue', above: 10, until: 5 });
    for (const value of [3, 11, 12, 20, 8, 11, 4, 3, 12]) telemetry.record('queue', value);
    expect(told).toEqual(['full raised 11', 'full resolved 4', 'full raised 12']);
    expect(telemetry.raised()).toEqual(['full']);
    expect(telemetry.removeAlert('full')).toBe(true);
    expect(telemetry.raised()).toEqual([]);
    expect(told.at(-1)).toBe('full resolved 12');
  });

  it('tells of an alert by the clock when it has been so for long enough', async () => {
    const clock = new ManualClock();
    const telemetry = new MabeamTelemetry(clock);
    const told: string[] = [];
    using _listening = telemetry.onAlert(({ kind, value, at }) =>
      told.push(`${kind} ${value} at ${at - clock.wallNow() + clock.now()}`),
    );
    telemetry.alert({ name: 'full', metric: 'queue', above: 10, forMs: 1_000 });
    telemetry.record('queue', 11);
    await clock.advance(600);
    // It is not put off by further numbers.
    telemetry.record('queue', 12);
    await clock.advance(399);
    expect(told).toEqual([]);
    await clock.advance(1);
    expect(told).toEqual(['raised 12 at 1000']);
    expect(telemetry.raised()).toEqual(['full']);
    telemetry.record('queue', 3);
    telemetry.record('queue', 11);
    await clock.advance(999);
    telemetry.record('queue', 3);
    expect(clock.pending).toBe(0);
    await clock.advance(5_000);
    expect(told.slice(1)).toEqual(['resolved 3 at 1000']);
  });

  it('waits for no alert that was taken away, or when it has stopped', async () => {
    const clock = new ManualClock();
    const telemetry = new MabeamTelemetry(clock);
    const told: unknown[] = [];
    using _listening = telemetry.onAlert((alert) => told.push(alert));
    for (const name of ['one', 'other']) {
      telemetry.alert({ name, metric: 'queue', above: 10, forMs: 1_000 });
    }
    telemetry.record('queue', 11);
    telemetry.removeAlert('one');
    expect(clock.pending).toBe(1);
    telemetry.stop();
    expect(clock.pending).toBe(0);
    telemetry.record('queue', 12);
    expect(clock.pending).toBe(0);
    await clock.advance(5_000);
    expect(told).toEqual([]);
  });

  it.each([
    [{ name: 'a', metric: 'm' }],
    [{ name: 'a', metric: 'm', above: 1, below: 0 }],
    [{ name: 'a', metric: 'm', above: Number.NaN }],
    [{ name: 'a', metric: 'm', above: 1, forMs: -1 }],
    [{ name: 'a', metric: 'm', abov: 1 }],
    [{ name: 1, metric: 'm', above: 1 }],
  ])('refuses the alert %j', (rule) => {
    const telemetry = new MabeamTelemetry(new ManualClock());
    expect(() => telemetry.alert(rule as AlertRule)).toThrow(
      expect.objectContaining({ code: 'INVALID_OPTION' }),
    );
  });

  it('refuses what is no number', () => {
    const telemetry = new MabeamTelemetry(new ManualClock());
    expect(() => telemetry.record('queue', Number.NaN)).toThrow(/queue/);
    expect(() => telemetry.anomalies('queue', { sigmas: 0 })).toThrow(/sigmas/);
    expect(() => telemetry.statistics('queue', { windowMs: -1 })).toThrow(/windowMs/);
  });
});

describe('an alert', () => {
  it('is told by turns, whatever the numbers', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.boolean(), (values, isAbove) => {
        const rule = {
          name: 'a',
          metric: 'm',
          ...(isAbove ? { above: 12 } : { below: 8 }),
          until: 10,
        };
        let state = quiet;
        const told: string[] = [];
        for (const value of values) {
          const next = alertOn(state, rule, { value, nowMs: 0 });
          state = next.state;
          if (next.tell !== undefined) told.push(next.tell);
        }
        told.forEach((kind, at) => expect(kind).toBe(at % 2 === 0 ? 'raised' : 'resolved'));
      }),
    ));

  it('waits until it has been so for a while', () => {
    const rule = { name: 'a', metric: 'm', below: 1, forMs: 100 };
    let state = quiet;
    const at = (value: number, nowMs: number): string | undefined => {
      const next = alertOn(state, rule, { value, nowMs });
      state = next.state;
      return next.tell;
    };
    expect([
      at(0, 0),
      at(0, 99),
      at(2, 99),
      at(0, 100),
      at(0, 199),
      at(0, 200),
      at(1, 201),
    ]).toEqual([undefined, undefined, undefined, undefined, undefined, 'raised', 'resolved']);
  });
});

describe('a series', () => {
  it('keeps the newest', () => {
    const series = new Series({ pointsMax: 10, keptMs: 1_000 });
    for (let at = 0; at < 100; at++) series.add({ at, value: at });
    expect(series.since(-Infinity).map(({ at }) => at)).toEqual(
      Array.from({ length: 10 }, (_, at) => 90 + at),
    );
    series.add({ at: 5_000, value: 0 });
    expect(series.since(0)).toHaveLength(1);
  });

  it('has the statistics of its numbers', () =>
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -100, max: 100 }), { minLength: 1 }), (values) => {
        const points = values.map((value, at) => ({ at, value }));
        const { count, min, max, mean, median } = seriesStatistics(points) ?? {};
        const sorted = values.toSorted((left, right) => left - right);
        expect({ count, min, max }).toEqual({
          count: values.length,
          min: sorted[0],
          max: sorted.at(-1),
        });
        expect(mean).toBeCloseTo(values.reduce((sum, value) => sum + value) / values.length);
        const below = values.filter((value) => value < Number(median)).length;
        expect(below).toBeLessThanOrEqual(values.length / 2);
      }),
    ));

  it('tells what is far from all before', () => {
    const usual = [10, 11, 9, 10, 12, 10, 9, 11, 10, 10];
    const points = [...usual, 30, 10, 11].map((value, at) => ({ at, value }));
    expect(anomaliesOf(points, 3)).toEqual([{ at: 10, value: 30 }]);
    expect(anomaliesOf(points.slice(5), 3)).toEqual([]);
    const same = Array.from({ length: 12 }, (_, at) => ({ at, value: at === 11 ? 2 : 1 }));
    expect(anomaliesOf(same, 3)).toEqual([{ at: 11, value: 2 }]);
  });
});
