import { describe, expect, it } from 'vitest';

import {
  atLeast,
  atMost,
  cpuTimesThatOf,
  median,
  outcomes,
  timesThatInEachRound,
  timesThatOf,
  timesThatPerCoreOf,
} from './goal.ts';
import type { Row } from './row.ts';
import { summarize } from './statistics.ts';
import { cluster } from './suites/cluster.ts';
import { processes } from './suites/processes.ts';

function row(subject: string, rounds: readonly number[], cpuUsPerOp: number | null = null): Row {
  const measure = 'call-1';
  return {
    measure,
    subject,
    unit: 'calls/s',
    ...summarize(rounds),
    cpuUsPerOp,
    rounds,
    besides: {},
  };
}

describe('goals of a suite', () => {
  it('hold the median of foundation against a limit, from above or from below', () => {
    const goals = [
      atLeast('call-1', 1_800_000, median('calls/s')),
      atMost('call-1', 50, median('µs')),
    ];
    expect(outcomes(goals, [row('foundation', [1_800_000])])).toEqual([
      {
        measure: 'call-1',
        goal: '≥ 1.80 M calls/s',
        value: 1_800_000,
        limit: 1_800_000,
        ok: true,
      },
      { measure: 'call-1', goal: '≤ 50.0 µs', value: 1_800_000, limit: 50, ok: false },
    ]);
  });

  it('compare medians, and what is done in the same processor time', () => {
    const rows = [row('foundation', [300], 0.5), row('beam', [100], 4)];
    const goals = [
      atLeast('call-1', 2.5, timesThatOf('beam')),
      atLeast('call-1', 9, timesThatPerCoreOf('beam')),
      atMost('call-1', 0.2, cpuTimesThatOf('beam')),
    ];
    expect(outcomes(goals, rows)).toMatchObject([
      { goal: '≥ 2.50 × beam', value: 3, ok: true },
      { goal: '≥ 9.00 × beam per core used', value: 8, ok: false },
      { goal: '≤ 0.200 × beam in CPU', value: 0.125, ok: true },
    ]);
  });

  it('compare neighbouring rounds where the machine became slower meanwhile', () => {
    const rows = [row('foundation', [100, 50, 10]), row('metered', [98, 49, 9.8])];
    const goal = atLeast('call-1', 0.95, timesThatInEachRound('metered', 'foundation'));
    expect(outcomes([goal], rows)).toMatchObject([
      { goal: 'metered ≥ 0.950 × foundation', value: 0.98, ok: true },
    ]);
  });

  it('are not reached when a subject is missing', () => {
    const goals = [timesThatOf('beam'), timesThatInEachRound('metered', 'foundation')];
    const found = outcomes(
      goals.map((reading) => atLeast('call-1', 2, reading)),
      [row('foundation', [300])],
    );
    expect(found).toMatchObject([
      { value: null, ok: false },
      { value: null, ok: false },
    ]);
  });

  it('are left out where nothing was measured', () => {
    expect(outcomes([atLeast('cast', 1, median('casts/s'))], [row('foundation', [300])])).toEqual(
      [],
    );
  });

  it.each([processes, cluster])('are set for every measure of $name', ({ measures, goals }) => {
    const names = measures.map(({ name }) => name);
    expect(new Set(goals.map(({ measure }) => measure))).toEqual(new Set(names));
  });
});
