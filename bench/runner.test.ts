import { describe, expect, it } from 'vitest';

import { parseRound } from './round.ts';
import { scheduleOf } from './runner.ts';
import type { Measure } from './suite.ts';

const measure: Measure = {
  name: 'call',
  unit: 'calls/s',
  better: 'higher',
  spinner: false,
  timed: true,
};

describe('the rounds of a measure', () => {
  it('are those that were asked for', () => {
    expect(scheduleOf(measure, { rounds: 5, seconds: 1 })).toEqual({
      lives: 1,
      rounds: 5,
      seconds: 1,
    });
  });

  it('are cut into slices that take as long together, in a life of its own for each', () => {
    const sliced = { ...measure, slices: 20 };
    expect(scheduleOf(sliced, { rounds: 5, seconds: 1 })).toEqual({
      lives: 5,
      rounds: 20,
      seconds: 0.05,
    });
  });

  it('are one where one is enough', () => {
    const once = { ...measure, once: true };
    expect(scheduleOf(once, { rounds: 5, seconds: 1 })).toEqual({
      lives: 1,
      rounds: 1,
      seconds: 1,
    });
  });

  it('may come without processor time, and with what explains the value', () => {
    const told = { value: 374, ops: 1_000_000, cpuUsPerOp: null };
    expect(parseRound(told)).toEqual({ ...told, besides: {} });
    const besides = { 'rss bytes': 440 };
    expect(parseRound({ ...told, besides })).toEqual({ ...told, besides });
  });

  it('are refused when a number is missing', () => {
    expect(() => parseRound({ ops: 1, cpuUsPerOp: 1 })).toThrow('expected a number in `value`');
    const besides = { 'rss bytes': 'many' };
    expect(() => parseRound({ value: 1, ops: 1, cpuUsPerOp: 1, besides })).toThrow('`rss bytes`');
  });
});
