import { describe, expect, it } from 'vitest';

import { goalIssues } from './goal-issue.ts';
import { parseGoal } from './goal.ts';
import type { Step } from './goal.ts';
import { planGoal } from './plan.ts';
import { from } from './reference.ts';

const step = (id: string, needs: readonly string[] = [], more: Partial<Step> = {}): Step => ({
  id,
  capability: 'any',
  action: 'do',
  needs,
  input: undefined,
  ...more,
});
const goal = (...steps: readonly unknown[]): unknown => ({ id: 'g', description: '', steps });
const issuesOf = (...steps: readonly unknown[]): readonly string[] =>
  goalIssues(goal(...steps)).map(({ path, message }) => `${path}: ${message}`);

describe('a goal', () => {
  it('survives a trip to another node', () => {
    const value = goal(
      step('first'),
      step('vote', ['first'], {
        input: { texts: from('first', 'unsure') },
        when: from('first', 'unsure'),
      }),
    );
    expect(parseGoal(JSON.parse(JSON.stringify(value)))).toEqual(JSON.parse(JSON.stringify(value)));
    expect(goalIssues(value)).toEqual([]);
  });

  it('is refused with all that is wrong with it at once', () => {
    const bad = goal(
      step('a', ['ghost']),
      step('a', [], { capability: '' }),
      step('c', [], { input: from('a') }),
      step('d', [], { deadlineMs: -1, retry: { max: 1.5 } }),
    );
    expect(() => parseGoal(bad)).toThrow(
      expect.objectContaining({
        code: 'AGENTS_INVALID_GOAL',
        details: {
          issues: [
            { path: 'steps[1].capability', message: 'expected a non-empty string, got: ""' },
            {
              path: 'steps[3].deadlineMs',
              message: 'expected a number from 1 to 2147483647, got: -1',
            },
            { path: 'steps[3].retry.max', message: 'expected a whole number from 0, got: 1.5' },
            { path: 'steps[1].id', message: 'another step is called "a" too' },
            { path: 'steps[0].needs', message: 'no step is called "ghost"' },
            {
              path: 'steps[2].input',
              message: 'refers to "a", which is not among the steps it needs',
            },
          ],
        },
      }),
    );
  });

  it('names each circle in its graph, and not the steps behind it', () => {
    expect(
      issuesOf(
        step('a', ['b']),
        step('b', ['c']),
        step('c', ['a']),
        step('d', ['a']),
        step('e', ['e']),
      ),
    ).toEqual([
      'steps: steps wait for each other: "a" needs "b" needs "c" needs "a"',
      'steps: steps wait for each other: "e" needs "e"',
    ]);
  });

  it('may refer to any ancestor, however far', () => {
    const chain = [step('a'), step('b', ['a']), step('c', ['b'])];
    expect(issuesOf(...chain, step('d', ['c'], { input: [from('a'), from('b', 'x')] }))).toEqual(
      [],
    );
    expect(issuesOf(...chain, step('d', ['b'], { when: from('c') }))).toEqual([
      'steps[3].when: refers to "c", which is not among the steps it needs',
    ]);
    expect(issuesOf(step('a', [], { input: { x: from('ghost') } }))).toEqual([
      'steps[0].input.x: refers to "ghost", but no step is called so',
    ]);
  });

  it('carries only data', () => {
    const circular: Record<string, unknown> = {};
    circular['self'] = circular;
    const input = { work: () => 1, circular, typo: { $from: 'a', paht: [] } };
    expect(issuesOf(step('a', [], { input }))).toEqual([
      'steps[0].input.work: expected data that can be sent to another node, got: a function',
      'steps[0].input.circular.self: expected data without circles, got: an object inside itself',
      'steps[0].input.typo: expected a reference { $from: stepId, path?: (string | number)[] }',
    ]);
  });

  it.each([
    undefined,
    null,
    'goal',
    [],
    { id: 'x' },
    goal(),
    goal(null, 3, {}),
    goal({ needs: 3 }),
  ])('is refused when it is %o', (value) => expect(goalIssues(value)).not.toEqual([]));

  it('tells a misspelt field', () => {
    expect(issuesOf({ ...step('a'), dependsOn: [] })[0]).toMatch(
      /^steps\[0\]\.dependsOn: unknown field/,
    );
  });
});

const est = (estMs: number): Partial<Step> => ({ estMs });

it('a plan knows the longest remaining path of each step (critical path method)', () => {
  const { steps } = planGoal({
    id: 'cpm',
    description: '',
    steps: [
      step('F', ['C', 'D', 'E'], est(1)),
      step('E', ['B'], est(3)),
      step('D', ['A', 'B'], est(2)),
      step('C', ['A'], est(4)),
      step('B', [], est(2)),
      step('A', [], est(3)),
    ],
  });
  const slack = Object.fromEntries(
    [...steps].map(([id, { rank, needs }]) => {
      const start = needs.reduce((latest, need) => Math.max(latest, finish(need)), 0);
      return [id, 8 - rank - start];
    }),
  );
  function finish(id: string): number {
    const planned = steps.get(id);
    const before = (planned?.needs ?? []).map(finish).reduce((a, b) => Math.max(a, b), 0);
    return before + (planned?.step.estMs ?? 0);
  }
  expect(steps.get('A')?.rank).toBe(8);
  expect(slack).toEqual({ A: 0, B: 2, C: 0, D: 2, E: 2, F: 0 });
});
