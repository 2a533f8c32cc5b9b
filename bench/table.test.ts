import { describe, expect, it } from 'vitest';

import type { Row } from './row.ts';
import { summarize } from './statistics.ts';
import type { Measure, Suite } from './suite.ts';
import { detailTable, goalTable, medianTable } from './table.ts';

const rate = { unit: 'calls/s', better: 'higher', spinner: false, timed: true } as const;
const time: Measure = { name: 'restart', ...rate, unit: 'µs', better: 'lower' };
const suite: Suite = {
  name: 'sample',
  measures: [{ name: 'call', ...rate }, time, { name: 'metered-call', ...rate }],
  subjects: ['foundation', 'raw', 'metered'].map((name) => ({
    name,
    file: `${name}.ts`,
    measures: [],
  })),
  goals: [],
};

function row(measure: string, subject: string, median: number): Row {
  const rounds = [median];
  return {
    measure,
    subject,
    unit: '',
    ...summarize(rounds),
    cpuUsPerOp: null,
    rounds,
    besides: {},
  };
}

describe('the tables of the bench', () => {
  it('say how many times as good foundation is, whether the measure is a rate or a time', () => {
    const rows = [
      row('call', 'foundation', 400),
      row('call', 'raw', 800),
      row('restart', 'foundation', 10),
      row('restart', 'raw', 20),
    ];
    expect(medianTable(suite, rows).split('\n')).toEqual([
      'median          foundation  raw',
      'call (calls/s)  400         800 ×0.50',
      'restart (µs)    10.0        20.0 ×2.0',
    ]);
  });

  it('begin anew with a measure that has other peers, not with one that has none', () => {
    const rows = [
      row('call', 'foundation', 400),
      row('call', 'raw', 800),
      row('restart', 'foundation', 10),
      row('metered-call', 'foundation', 400),
      row('metered-call', 'metered', 400),
    ];
    expect(medianTable(suite, rows).split('\n')).toEqual([
      'median          foundation  raw',
      'call (calls/s)  400         800 ×0.50',
      'restart (µs)    10.0        –',
      '',
      'median                  foundation  metered',
      'metered-call (calls/s)  400         400 ×1.0',
    ]);
  });

  it('show what explains a value', () => {
    const besides = { processes: 1_000_000, 'rss bytes': 440 };
    const table = detailTable([{ ...row('call', 'raw', 1), besides }]);
    expect(table).toContain('processes 1.00 M, rss bytes 440');
  });

  it('say which goals were reached', () => {
    const outcome = { measure: 'call', goal: '≥ 2.00 × raw', limit: 2 };
    const reached = { ...outcome, value: 3, ok: true };
    const missing = { ...outcome, value: null, ok: false };
    expect(goalTable([reached, missing]).split('\n')).toEqual([
      'measure  goal          measured      reached',
      'call     ≥ 2.00 × raw  3.00          yes',
      'call     ≥ 2.00 × raw  not measured  no',
    ]);
  });
});
