import { describe, expect, it } from 'vitest';

import { resolveAgentRegistration } from './agent-registration.ts';

const process = { name: 'worker' };

describe('the registration of an agent', () => {
  it('is permanent, without needs and without metadata unless it says otherwise', () => {
    const agent = resolveAgentRegistration('w1', {
      process,
      init: { cost: 3 },
      capabilities: ['detect', 'detect'],
    });
    expect(agent).toEqual({
      process,
      init: { cost: 3 },
      type: 'worker',
      capabilities: ['detect'],
      protocols: [],
      restart: { type: 'permanent', restartsMax: 3, restartWindowMs: 5_000 },
      resources: {},
      metadata: {},
      limits: {},
      health: { everyMs: 10_000, timeoutMs: 2_000, checksMax: 2, onUnhealthy: 'report' },
    });
  });

  it('keeps its own restart policy', () => {
    const restart = { type: 'permanent', restartsMax: 5, restartWindowMs: 60_000 } as const;
    const agent = resolveAgentRegistration('w1', { process, capabilities: [], restart });
    expect(agent.restart).toEqual(restart);
  });

  it('is refused with everything that is wrong with it', () => {
    const bad = {
      process: 'worker',
      capabilities: ['ok', ''],
      restart: { type: 'always', restartsMax: -1, restartWindowMs: 0, restarts: 1 },
      resources: { cpu: Number.NaN },
      metadata: 7,
      memory: 5,
    };
    // @ts-expect-error -- as somebody without types would write it
    expect(() => resolveAgentRegistration('', bad)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        details: {
          id: '',
          problems: [
            'expected its id to be a name of at most 200 characters',
            'unknown field "memory"',
            'expected `process` to be a definition, got "worker"',
            'expected `capabilities` to be a list of texts of 1 to 256 characters',
            'expected `resources` to be names with numbers from 0',
            'expected `metadata` to be an object, got 7',
            'unknown field "restart.restarts"',
            'expected `restart.type` to be one of permanent, transient, temporary, got "always"',
            'expected `restart.restartsMax` to be a whole number from 0, got -1',
            'expected `restart.restartWindowMs` to be more than 0, got 0',
          ],
        },
      }),
    );
  });
});
