import { FoundationError, refuse } from '@foundation/core';
import type { Clock } from '@foundation/core';
import { describe, expect, it } from 'vitest';

import type { AgentDirectory, AgentHandle } from './agent-directory.ts';
import type { StepRequest } from './agent.ts';
import type { Goal, Step } from './goal.ts';
import { createPlanner } from './planner.ts';
import { from } from './reference.ts';

const step = (id: string, needs: readonly string[] = [], more: Partial<Step> = {}): Step => ({
  id,
  capability: 'work',
  action: 'do',
  needs,
  input: undefined,
  ...more,
});
const goal = (...steps: readonly Step[]): Goal => ({ id: 'g', description: 'a test', steps });

type Work = (request: StepRequest, signal: AbortSignal, timeoutMs: number) => unknown;

/** An agent that really runs `work`, and remembers what it was asked. */
function agent(
  id: string,
  work: Work = () => id,
  more: { node?: string; busy?: number } = {},
): AgentHandle & {
  readonly asked: readonly StepRequest[];
} {
  const asked: StepRequest[] = [];
  return {
    id,
    node: 'n1',
    ...more,
    asked,
    async executeStep(request, { signal, timeoutMs }) {
      asked.push(request);
      return work(request, signal, timeoutMs);
    },
  };
}

const never = (): Promise<never> => new Promise(() => {});
const died = (): never => {
  throw new FoundationError('PROCESS_DOWN', 'the agent crashed');
};

/** A clock whose timers wait until it is turned forward. */
class TurnedClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly action: () => void }>();
  now(): number {
    return this.#now;
  }
  wallNow(): number {
    return this.#now;
  }
  after(delayMs: number, action: () => void): { cancel(): void } {
    const timer = { at: this.#now + delayMs, action };
    this.#timers.add(timer);
    return { cancel: () => this.#timers.delete(timer) };
  }
  every(): { cancel(): void } {
    throw new Error('the planner does not poll');
  }
  get waiting(): number {
    return this.#timers.size;
  }
  async turn(ms: number): Promise<void> {
    await settle();
    this.#now += ms;
    for (const timer of [...this.#timers].toSorted((a, b) => a.at - b.at)) {
      if (timer.at <= this.#now && this.#timers.delete(timer)) timer.action();
    }
    await settle();
  }
}

/** Lets every promise that can settle do so. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Agents that come and go. */
class LiveDirectory implements AgentDirectory {
  #agents: readonly AgentHandle[] = [];
  readonly listeners = new Set<() => void>();
  byCapability(): readonly AgentHandle[] {
    return this.#agents;
  }
  onChange(listener: () => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
  set(...agents: readonly AgentHandle[]): void {
    this.#agents = agents;
    for (const listener of this.listeners) listener();
  }
}

const members = (
  unsure: readonly string[],
): Record<string, (AgentHandle & { asked: readonly StepRequest[] })[]> => ({
  eld: [agent('eld', () => ({ sure: ['a'], unsure }))],
  franc: [agent('franc', ({ input }) => ({ by: 'franc', input }))],
  tinyld: [agent('tinyld', ({ input }) => ({ by: 'tinyld', input }))],
  score: [agent('score', ({ input }) => input)],
});

describe('a team goal', () => {
  const team = goal(
    step('first', [], { capability: 'eld', action: 'ask', input: { texts: ['a', 'b'] } }),
    step('vote-1', ['first'], {
      capability: 'franc',
      action: 'ask',
      input: { texts: from('first', 'unsure') },
      when: from('first', 'unsure'),
    }),
    step('vote-2', ['first'], {
      capability: 'tinyld',
      action: 'ask',
      input: { texts: from('first', 'unsure') },
      when: from('first', 'unsure'),
    }),
    step('combine', ['first', 'vote-1', 'vote-2'], {
      capability: 'score',
      input: { sure: from('first', 'sure'), votes: [from('vote-1'), from('vote-2')] },
    }),
  );
  it('asks the voters only what the first member is unsure of', async () => {
    const report = await createPlanner().executeGoal(team, members(['b']));
    expect(report.status).toBe('succeeded');
    expect(report.results['combine']).toEqual({
      sure: ['a'],
      votes: [
        { by: 'franc', input: { texts: ['b'] } },
        { by: 'tinyld', input: { texts: ['b'] } },
      ],
    });
  });

  it('does not ask them when there is nothing to ask', async () => {
    const agents = members([]);
    const report = await createPlanner().executeGoal(team, agents);
    expect(report.steps.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'first succeeded',
      'vote-1 skipped',
      'vote-2 skipped',
      'combine succeeded',
    ]);
    expect(agents['franc']?.[0]?.asked).toEqual([]);
    expect(report.results['combine']).toEqual({ sure: ['a'], votes: [undefined, undefined] });
  });
});

describe('an agent', () => {
  it('receives the request with attempt and token', async () => {
    const a = agent('a');
    await createPlanner().executeGoal(goal(step('s', [], { input: 7 })), { work: [a] });
    expect(a.asked).toEqual([
      { goal: 'g', step: 's', action: 'do', input: 7, attempt: 1, token: 1 },
    ]);
  });

  it('that dies is replaced by another one', async () => {
    const [a, b] = [agent('a', died), agent('b')];
    const report = await createPlanner().executeGoal(goal(step('s')), { work: [a, b] });
    expect(report.steps).toMatchObject([{ id: 's', status: 'succeeded', agent: 'b', attempts: 2 }]);
    expect(b.asked).toMatchObject([{ attempt: 2, token: 2 }]);
  });

  it('that dies is asked again when it is the only one', async () => {
    const a = agent('a', ({ attempt }) => (attempt < 3 ? died() : 'at last'));
    const report = await createPlanner().executeGoal(goal(step('s')), { work: [a] });
    expect(report.results).toEqual({ s: 'at last' });
  });

  it('that refuses fails the step at once', async () => {
    const thrown = agent('a', () => {
      throw new FoundationError('REFUSED', 'no');
    });
    const returned = agent('a', () => refuse('TOO_LONG', { max: 10 }));
    for (const a of [thrown, returned]) {
      const report = await createPlanner().executeGoal(goal(step('s')), { work: [a, agent('b')] });
      expect(report).toMatchObject({
        status: 'failed',
        steps: [{ attempts: 1, error: { code: 'REFUSED' } }],
      });
    }
  });

  it('that fails in an unknown way fails the step with the cause', async () => {
    const cause = new TypeError('odd');
    const a = agent('a', () => {
      throw cause;
    });
    const report = await createPlanner().executeGoal(goal(step('s')), { work: [a] });
    expect(report.steps[0]?.error).toMatchObject({ code: 'AGENTS_STEP_FAILED', cause });
  });

  it('gets steps when it is least loaded, then on the preferred node, then by id', async () => {
    const a = agent('a', never);
    const b = agent('b', never, { node: 'n2' });
    const c = agent('c', never, { busy: 1 });
    const controller = new AbortController();
    const steps = ['1', '2', '3', '4', '5'].map((id) => step(id));
    const planner = createPlanner();
    const running = planner.executeGoal(
      goal(...steps),
      { work: [c, b, a] },
      { preferNode: 'n2', signal: controller.signal },
    );
    await settle();
    controller.abort();
    const report = await running;
    expect(report.steps.map((each) => each.agent)).toEqual(['b', 'a', 'b', 'a', 'c']);
  });

  it('that is busy with one goal gets fewer steps of another', async () => {
    const planner = createPlanner();
    const gate = Promise.withResolvers<void>();
    const [a, b] = [agent('a', () => gate.promise), agent('b')];
    const first = planner.executeGoal(goal(step('s')), { work: [a, b] });
    await settle();
    const second = await planner.executeGoal(goal(step('s')), { work: [a, b] });
    gate.resolve();
    expect(second.steps[0]?.agent).toBe('b');
    expect((await first).steps[0]?.agent).toBe('a');
    expect((await planner.executeGoal(goal(step('s')), { work: [a, b] })).steps[0]?.agent).toBe(
      'a',
    );
  });
});

it('an agent that has done its steps counts as free again', async () => {
  const planner = createPlanner();
  const [a, b] = [agent('a'), agent('b')];
  await planner.executeGoal(goal(step('x'), step('y')), { work: [a] });
  const report = await planner.executeGoal(goal(step('z')), { work: [a, b] });
  expect(report.steps[0]?.agent).toBe('a');
});

describe('steps that do not need each other', () => {
  it('run at the same time', async () => {
    const gate = Promise.withResolvers<void>();
    let running = 0;
    const a = agent('a', () => {
      if (++running === 3) gate.resolve();
      return gate.promise;
    });
    const report = await createPlanner().executeGoal(goal(step('x'), step('y'), step('z')), {
      work: [a],
    });
    expect(report.status).toBe('succeeded');
  });

  it('run one by one when told so', async () => {
    let running = 0;
    const a = agent('a', async () => {
      running++;
      await settle();
      return running--;
    });
    const steps = goal(step('x'), step('y'), step('z'));
    const report = await createPlanner().executeGoal(steps, { work: [a] }, { concurrency: 1 });
    expect(Object.values(report.results)).toEqual([1, 1, 1]);
  });
});

describe('a capability that nobody offers', () => {
  it('is waited for until an agent comes', async () => {
    const directory = new LiveDirectory();
    const running = createPlanner().executeGoal(goal(step('s')), directory);
    await settle();
    directory.set(agent('late'));
    expect((await running).steps).toMatchObject([
      { status: 'succeeded', agent: 'late', attempts: 1 },
    ]);
    expect(directory.listeners.size).toBe(0);
  });

  it('is waited for no longer than the deadline', async () => {
    const clock = new TurnedClock();
    const running = createPlanner({ clock }).executeGoal(goal(step('s')), {}, { deadlineMs: 500 });
    await clock.turn(500);
    expect(await running).toMatchObject({
      status: 'timed-out',
      durationMs: 500,
      steps: [{ attempts: 0 }],
    });
  });

  it('fails the goal at once when told so', async () => {
    const report = await createPlanner().executeGoal(
      goal(step('s')),
      {},
      { onUnassignable: 'fail' },
    );
    expect(report).toMatchObject({
      status: 'failed',
      steps: [{ error: { code: 'AGENTS_NO_AGENT' } }],
    });
  });
});

describe('the deadline', () => {
  it('is passed on as the time that is left', async () => {
    const clock = new TurnedClock();
    const left: number[] = [];
    const a = agent('a', async (_, __, timeoutMs) => {
      left.push(timeoutMs);
      await clock.turn(30);
    });
    const steps = goal(step('x'), step('y', ['x'], { deadlineMs: 20 }), step('z', ['x', 'y']));
    const report = await createPlanner({ clock }).executeGoal(
      steps,
      { work: [a] },
      { deadlineMs: 100 },
    );
    expect(left).toEqual([100, 20]);
    expect(report).toMatchObject({
      status: 'failed',
      steps: [{}, { error: { code: 'AGENTS_STEP_TIMEOUT' } }, {}],
    });
  });

  it('ends the goal, tells its agents to stop and leaves no timer', async () => {
    const clock = new TurnedClock();
    const signals: AbortSignal[] = [];
    const late = Promise.withResolvers<string>();
    const a = agent('a', (_, signal) => {
      signals.push(signal);
      return late.promise;
    });
    const steps = goal(step('x', [], { deadlineMs: 900 }), step('y', ['x']));
    const running = createPlanner({ clock }).executeGoal(steps, { work: [a] }, { deadlineMs: 500 });
    await clock.turn(500);
    const report = await running;
    expect(report.status).toBe('timed-out');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
    expect(clock.waiting).toBe(0);
    late.resolve('too late');
    await settle();
    expect(report.results).toEqual({});
    expect(a.asked).toHaveLength(1);
  });
});

describe('cancelling', () => {
  it('stops what runs and starts nothing more', async () => {
    const controller = new AbortController();
    const signals: AbortSignal[] = [];
    const a = agent('a', (_, signal) => {
      signals.push(signal);
      if (signals.length === 2) controller.abort();
      return never();
    });
    const steps = goal(step('1'), step('2'), step('3'));
    const report = await createPlanner().executeGoal(
      steps,
      { work: [a] },
      { signal: controller.signal },
    );
    expect(report.status).toBe('cancelled');
    expect(report.steps.map(({ status }) => status)).toEqual([
      'cancelled',
      'cancelled',
      'cancelled',
    ]);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  it('before the start asks nobody', async () => {
    const a = agent('a');
    const report = await createPlanner().executeGoal(
      goal(step('s')),
      { work: [a] },
      { signal: AbortSignal.abort() },
    );
    expect(report.status).toBe('cancelled');
    expect(a.asked).toEqual([]);
  });
});

describe('bad input', () => {
  it('is refused before anything starts', async () => {
    const a = agent('a');
    const planner = createPlanner();
    await expect(planner.executeGoal(goal(step('s', ['s'])), { work: [a] })).rejects.toMatchObject({
      code: 'AGENTS_INVALID_GOAL',
    });
    const bad = { concurrency: 0, deadlineMs: Number.NaN, concurency: 3 };
    await expect(planner.executeGoal(goal(step('s')), { work: [a] }, bad)).rejects.toMatchObject({
      code: 'INVALID_OPTION',
      details: {
        issues: [
          'expected `concurrency` to be a whole number from 1, got: 0',
          'expected `deadlineMs` to be a number from 1 to 2147483647, got: NaN',
          'unknown option `concurency`, known are concurrency, deadlineMs, onUnassignable, order, preferNode, signal',
        ],
      },
    });
    expect(a.asked).toEqual([]);
  });

  it('a directory that throws rejects the goal and stops its steps', async () => {
    const broken: AgentDirectory = {
      byCapability: (capability) => {
        if (capability === 'bad') throw new Error('directory is broken');
        return [agent('a', (_, signal) => signals.push(signal) && never())];
      },
      onChange: () => () => {},
    };
    const signals: AbortSignal[] = [];
    const steps = goal(step('s'), step('t', [], { capability: 'bad' }));
    await expect(createPlanner().executeGoal(steps, broken)).rejects.toThrow('directory is broken');
    expect(signals.map(({ aborted }) => aborted)).toEqual([true]);
  });
});

it('carries out a goal of 10,000 steps on 64 agents', async () => {
  const steps = Array.from({ length: 10_000 }, (_, index) =>
    step(
      `s${index}`,
      [1, 7, 100].flatMap((back) => (index - back * 10 >= 0 ? [`s${index - back * 10}`] : [])),
    ),
  );
  const agents = Array.from({ length: 64 }, (_, index) => agent(`a${index}`));
  const report = await createPlanner().executeGoal(goal(...steps), { work: agents });
  expect(report.status).toBe('succeeded');
  expect(Object.keys(report.results)).toHaveLength(10_000);
});
