import { describe, expect, it } from 'vitest';

import { parseChoices, parseUtils } from './dpop-questions.ts';
import { improvementQuestion, parseImprovements } from './local-search-questions.ts';

describe('the body of an answer', () => {
  it.each([
    [parseUtils, { utils: [[1, 2]] }],
    [parseChoices, { choices: [{ value: 'a', cost: 1 }] }],
    [parseImprovements, { improvements: [{ value: 'a', gain: 2, cost: 1 }] }],
  ])('is a list and nothing else: %o', (parse: (body: unknown) => unknown, body: object) => {
    expect(parse(body)).toEqual({ ok: true, value: body });
    const extra = { ok: false, reason: 'body: unknown field "more"' };
    expect(parse({ ...body, more: 1 })).toEqual(extra);
    const [field = ''] = Object.keys(body);
    expect(parse([])).toMatchObject({ ok: false, reason: expect.stringContaining(field) });
    expect(parse({ [field]: 'x' })).toMatchObject({
      ok: false,
      reason: expect.stringContaining(`body.${field}: expected `),
    });
  });

  it('has tables of whole numbers, and the first that is none is named', () => {
    expect(parseUtils({ utils: [[1], [0.5]] })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('body.utils[1]: expected whole numbers'),
    });
  });
});

describe('the question for an improvement', () => {
  const task = {
    name: 'x',
    values: ['a'],
    value: 'a',
    constraints: [],
    neighbours: [],
    draw: 0.5,
  };
  const parsedFrom = (tasks: readonly unknown[]): boolean => {
    const body = { problem: 'p', objective: 'min', tasks };
    return improvementQuestion.parse({
      kind: 'mabeam.coordination.request',
      v: 1,
      session: 's',
      protocol: 'dcop.mgm',
      protocolVersion: '1.0.0',
      type: 'get_improvement',
      to: 'a',
      round: 1,
      seq: 1,
      epoch: 1,
      nonce: 'n',
      budgetMs: 1,
      idempotencyKey: 'k',
      body,
    }).ok;
  };

  it('has all that a task needs', () => {
    expect(parsedFrom([task])).toBe(true);
    for (const field of Object.keys(task)) {
      expect(parsedFrom([{ ...task, [field]: undefined }]), field).toBe(false);
    }
  });
});
