import { refuse, startNode } from '@foundation/core';
import type { Ref } from '@foundation/core';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { defineAgent } from './agent.ts';
import type { AgentApi, StepRequest } from './agent.ts';

const counter = defineAgent('counter', {
  capabilities: ['words', 'letters'],
  init: (opening: { asked: number }) => ({ asked: opening.asked }),
  actions: {
    words({ state }, text: string) {
      state.asked++;
      return text.split(' ').length;
    },
    letters: (ctx, text: string) => ctx.later(async () => text.length),
    asked: ({ state }) => state.asked,
    strict: (_, text: string) => (text === '' ? refuse('EMPTY') : text),
    attempt: (_, __: undefined, request) => [request.attempt, request.token],
  },
  plan: (_, outline) => [
    { id: 'only', capability: 'words', action: 'words', needs: [], input: outline.description },
  ],
});
const silent = defineAgent('silent', { capabilities: ['none'], init: () => ({}), actions: {} });

const request = (action: string, input?: unknown): StepRequest => ({
  goal: 'g',
  step: 's',
  action,
  input,
  attempt: 2,
  token: 5,
});

describe('an agent', () => {
  it('carries out the actions it has, with its state', async () => {
    await using node = await startNode({ processes: [counter], cluster: 'off' });
    const ref = await node.processes.start(counter, { init: { asked: 10 } });
    expectTypeOf(ref).toExtend<Ref<AgentApi>>();
    expect(await ref.executeStep(request('words', 'a b c'))).toBe(3);
    expect(await ref.executeStep(request('letters', 'four'))).toBe(4);
    expect(await ref.executeStep(request('asked'))).toBe(11);
    expect(await ref.executeStep(request('attempt'))).toEqual([2, 5]);
    expect(await ref.capabilities()).toEqual(['words', 'letters']);
  });

  it('refuses what it does not know, and lives on', async () => {
    await using node = await startNode({ processes: [counter], cluster: 'off' });
    const ref = await node.processes.start(counter, { init: { asked: 0 } });
    const known = ['words', 'letters', 'asked', 'strict', 'attempt'];
    for (const action of ['sing', 'constructor', '__proto__']) {
      expect(await ref.try.executeStep(request(action))).toMatchObject({
        code: 'UNKNOWN_ACTION',
        data: { action, known },
      });
    }
    // @ts-expect-error -- a request from another version, or from somebody who does not use types
    expect(await ref.try.executeStep('sing')).toMatchObject({ code: 'INVALID_REQUEST' });
    await expect(ref.executeStep(request('strict', ''))).rejects.toMatchObject({ code: 'REFUSED' });
    expect(await ref.executeStep(request('asked'))).toBe(0);
  });

  it('answers with a plan, or says that it does not plan', async () => {
    await using node = await startNode({ processes: [counter, silent], cluster: 'off' });
    const planner = await node.processes.start(counter, { init: { asked: 0 } });
    const other = await node.processes.start(silent);
    const outline = { id: 'g', description: 'count this' };
    expect(await planner.plan(outline)).toMatchObject([
      { capability: 'words', input: 'count this' },
    ]);
    expect(await other.try.plan(outline)).toMatchObject({
      code: 'NO_PLAN',
      data: { agent: 'silent' },
    });
  });

  it('says in its definition what it is good for', () => {
    expect(counter).toMatchObject({ name: 'counter', capabilities: ['words', 'letters'] });
  });

  it('needs capabilities', () => {
    const spec = { init: () => ({}), actions: {} };
    expect(() => defineAgent('vague', { ...spec, capabilities: ['a', ''] })).toThrow(
      expect.objectContaining({
        code: 'INVALID_DEFINITION',
        message: 'the agent "vague" has the capabilities ["a", ""]',
      }),
    );
  });
});
