import { describe, expect, it } from 'vitest';

import { parseArguments } from './arguments.ts';
import { basics } from './suites/basics.ts';
import { processes } from './suites/processes.ts';

const parse = (...words: string[]): ReturnType<typeof parseArguments> =>
  parseArguments(words, [basics]);

describe('the command line of the bench', () => {
  it('runs every suite with five rounds of one second when nothing is said', () => {
    expect(parse()).toEqual({
      suites: [basics],
      rounds: 5,
      seconds: 1,
      subjects: undefined,
      measures: undefined,
      json: false,
    });
  });

  it('takes a suite, lists and numbers', () => {
    const words = ['basics', '--rounds', '3', '--seconds=0.5', '--subjects', 'raw,beam', '--json'];
    expect(parse(...words, '--measures', 'kill-seen')).toEqual({
      suites: [basics],
      rounds: 3,
      seconds: 0.5,
      subjects: ['raw', 'beam'],
      measures: ['kill-seen'],
      json: true,
    });
  });

  it('prints one suite as JSON, which must be named', () => {
    const both = [basics, processes];
    expect(parseArguments(['processes', '--json'], both)?.suites).toEqual([processes]);
    expect(() => parseArguments(['--json'], both)).toThrow('prints one suite: name it');
  });

  it('asks back with the nearest known word', () => {
    expect(() => parse('basic')).toThrow('unknown suite `basic`, did you mean `basics`?');
    expect(() => parse('--round', '3')).toThrow(
      'unknown option `--round`, did you mean `--rounds`?',
    );
    expect(() => parse('--subjects', 'molecular')).toThrow('did you mean `moleculer`?');
    expect(() => parse('--measures', 'kill-sene')).toThrow('did you mean `kill-seen`?');
  });

  it('lists what is known when nothing is near', () => {
    expect(() => parse('--subjects', 'zookeeper')).toThrow('one of: foundation, raw, beam');
  });

  it('refuses numbers that are none and options without a value', () => {
    expect(() => parse('--rounds', '2.5')).toThrow("positive number, got: '2.5'");
    expect(() => parse('--seconds', '-1')).toThrow("positive number, got: '-1'");
    expect(() => parse('--seconds')).toThrow('needs a value');
  });

  it('answers a request for help with nothing to run', () => {
    expect(parse('--help')).toBeUndefined();
  });
});
