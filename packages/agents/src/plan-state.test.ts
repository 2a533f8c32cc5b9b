import { FoundationError } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Step } from './goal.ts';
import type { PlanEffect, PlanEvent, StartEffect } from './plan-event.ts';
import { PlanState } from './plan-state.ts';
import type { PlanStateOptions } from './plan-state.ts';
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

const options: PlanStateOptions = {
  concurrency: 64,
  deadlineMs: 1_000_000,
  onUnassignable: 'wait',
  order: 'critical-path',
};

const died = (node = 'n1'): FoundationError =>
  new FoundationError('NODE_DOWN', `node ${node} is down`);
const refused = new FoundationError('REFUSED', 'no');

/** What an attempt comes to: its duration, and an error if it fails. */
interface Attempt {
  readonly takesMs: number;
  readonly error?: FoundationError;
  readonly result?: unknown;
}

interface Run {
  readonly state: PlanState;
  readonly starts: readonly (StartEffect & { readonly at: number })[];
  readonly trace: readonly string[];
  readonly makespan: number;
}

/** Plays a plan on a virtual clock. Events of the same moment are handed in together. */
function play(
  steps: readonly Step[],
  given: Partial<PlanStateOptions> = {},
  attempt: (start: StartEffect) => Attempt = () => ({ takesMs: 1 }),
): Run {
  const state = new PlanState(planGoal({ id: 'g', description: '', steps }), {
    ...options,
    ...given,
  });
  const agenda: { readonly at: number; readonly event: PlanEvent }[] = [
    { at: 0, event: { kind: 'begin' } },
  ];
  const starts: (StartEffect & { readonly at: number })[] = [];
  const trace: string[] = [];
  let now = 0;
  const plan = (at: number, event: PlanEvent): void => {
    const behind = agenda.findIndex((entry) => entry.at > at);
    agenda.splice(behind < 0 ? agenda.length : behind, 0, { at, event });
  };
  const perform = (effect: PlanEffect): void => {
    trace.push(
      `${now} ${effect.kind}${effect.kind === 'start' ? ` ${effect.step.id}#${effect.attempt}` : ''}`,
    );
    if (effect.kind === 'timer') plan(now + effect.delayMs, effect.event);
    if (effect.kind !== 'start') return;
    starts.push({ ...effect, at: now });
    const about = { step: effect.step.id, token: effect.token };
    const { takesMs, error, result } = attempt(effect);
    plan(now, { kind: 'started', ...about, agent: `agent-${effect.token}` });
    if (error === undefined) plan(now + takesMs, { kind: 'succeeded', ...about, result });
    else plan(now + takesMs, { kind: 'failed', ...about, error });
  };
  while (agenda[0] !== undefined && state.status === 'running') {
    now = agenda[0].at;
    const behind = agenda.findIndex((entry) => entry.at > now);
    const batch = agenda.splice(0, behind < 0 ? agenda.length : behind);
    const events = batch.map(({ event }) => event);
    for (const effect of state.apply(events, now)) perform(effect);
  }
  return { state, starts, trace, makespan: now };
}

const statuses = ({ state }: Run): Record<string, string> =>
  Object.fromEntries([...state.records].map(([id, { status }]) => [id, status]));

describe('steps', () => {
  it('start when all they need is done, and get its results', () => {
    const steps = [
      step('sum', ['a', 'b'], { input: [from('a'), from('b', 'n')] }),
      step('a'),
      step('b'),
    ];
    const run = play(steps, {}, ({ step: { id } }) => ({
      takesMs: 1,
      result: id === 'a' ? 1 : { n: 2 },
    }));
    expect(run.starts.map((start) => start.step.id)).toEqual(['a', 'b', 'sum']);
    expect(run.starts[2]?.input).toEqual([1, 2]);
    expect(run.state.status).toBe('succeeded');
  });

  it('are skipped when what they are for is empty, and count as done', () => {
    const steps = [
      step('first'),
      step('vote', ['first'], { when: from('first', 'unsure') }),
      step('count', ['vote'], { when: from('vote') }),
      step('combine', ['first', 'count'], { input: [from('first', 'sure'), from('vote')] }),
    ];
    const run = play(steps, {}, () => ({ takesMs: 1, result: { sure: ['x'], unsure: [] } }));
    expect(statuses(run)).toEqual({
      first: 'succeeded',
      vote: 'skipped',
      count: 'skipped',
      combine: 'succeeded',
    });
    expect(run.starts.at(-1)?.input).toEqual([['x'], undefined]);
    expect(run.state.status).toBe('succeeded');
  });

  it('never exceed the concurrency limit', () => {
    const many = Array.from({ length: 10 }, (_, index) => step(`s${index}`));
    expect(play(many, { concurrency: 3 }).makespan).toBe(4);
  });

  it('start by longest remaining path, then by id', () => {
    const steps = [step('z'), step('b'), step('a'), step('long'), step('tail', ['long'])];
    const run = play(steps, { concurrency: 1 });
    expect(run.starts.map((start) => start.step.id)).toEqual(['long', 'a', 'b', 'tail', 'z']);
  });
});

const attemptsAfter = (error: FoundationError): number =>
  play([step('pay', [], { effects: 'once' })], {}, () => ({ takesMs: 1, error })).starts.length;

const codingFailed = (token: number): PlanEvent => ({
  kind: 'failed',
  step: 'coding',
  token,
  error: died(),
});

describe('a goal of coding, then review', () => {
  const steps = [step('coding'), step('review', ['coding'])];

  it('never reviews when the coding fails', () => {
    const run = play(steps, {}, () => ({ takesMs: 1, error: refused }));
    expect(run.starts.map((start) => start.step.id)).toEqual(['coding']);
    expect(statuses(run)).toEqual({ coding: 'failed', review: 'cancelled' });
    expect(run.state.status).toBe('failed');
  });

  it('takes three attempts for one result when two agents die', () => {
    const run = play(steps, {}, ({ attempt, step: { id } }) =>
      id === 'coding' && attempt < 3 ? { takesMs: 1, error: died() } : { takesMs: 1, result: id },
    );
    expect(run.starts.map((start) => `${start.step.id}#${start.attempt}`)).toEqual([
      'coding#1',
      'coding#2',
      'coding#3',
      'review#1',
    ]);
    expect(run.starts.map((start) => start.avoid)).toEqual([
      [],
      ['agent-1'],
      ['agent-1', 'agent-2'],
      [],
    ]);
    // 1 ms of work, 20 and 40 ms of waiting between them
    expect(run.starts.map((start) => start.at)).toEqual([0, 21, 62, 63]);
    expect(run.state.results.get('coding')).toBe('coding');
  });

  it('does not shorten a wait when an earlier timer rings again', () => {
    const state = new PlanState(planGoal({ id: 'g', description: '', steps }), options);
    const ring: PlanEvent = { kind: 'retry-due', step: 'coding', token: 1 };
    state.apply([{ kind: 'begin' }, codingFailed(1)], 0);
    state.apply([codingFailed(1)], 0);
    expect(state.apply([ring], 20)).toMatchObject([{ kind: 'start', attempt: 2, token: 2 }]);
    expect(state.apply([codingFailed(2)], 21)).toMatchObject([{ kind: 'timer', delayMs: 40 }]);
    expect(state.apply([ring], 22)).toEqual([]);
  });

  it('gives up after the last attempt with the last error', () => {
    const run = play([step('coding', [], { retry: { max: 1 } })], {}, () => ({
      takesMs: 1,
      error: died(),
    }));
    expect(run.starts).toHaveLength(2);
    expect(run.state.records.get('coding')?.error?.code).toBe('NODE_DOWN');
  });

  it('never repeats a step with effects once unless it certainly had none', () => {
    expect(attemptsAfter(died())).toBe(1);
    expect(attemptsAfter(new FoundationError('OVERLOADED', 'full'))).toBe(3);
  });
});

const failing = (onFail: NonNullable<Step['onFail']>): Run =>
  play(
    [
      step('a', [], { onFail }),
      step('b', ['a']),
      step('c', ['b', 'x']),
      step('x'),
      step('y', ['x']),
    ],
    {},
    ({ step: { id } }) => (id === 'a' ? { takesMs: 1, error: refused } : { takesMs: 2 }),
  );

describe('the failure of a step', () => {
  it('cancels the rest by default', () => {
    const run = failing('fail-plan');
    expect(statuses(run)).toEqual({
      a: 'failed',
      b: 'cancelled',
      c: 'cancelled',
      x: 'cancelled',
      y: 'cancelled',
    });
    expect(run.trace.filter((line) => line.endsWith('abort'))).toEqual(['1 abort']);
  });

  it('can skip only what depends on it', () => {
    const run = failing('skip-dependents');
    expect(statuses(run)).toEqual({
      a: 'failed',
      b: 'skipped',
      c: 'skipped',
      x: 'succeeded',
      y: 'succeeded',
    });
    expect(run.state.records.get('c')?.error).toMatchObject({
      code: 'AGENTS_NEED_FAILED',
      cause: refused,
    });
    expect(run.state.status).toBe('failed');
  });

  it('can be tolerated', () => {
    const run = failing('continue');
    expect(statuses(run)).toEqual({
      a: 'failed',
      b: 'succeeded',
      c: 'succeeded',
      x: 'succeeded',
      y: 'succeeded',
    });
    expect(run.state.status).toBe('succeeded');
  });
});

describe('a deadline', () => {
  it('of a step counts over all its attempts', () => {
    const run = play([step('slow', [], { deadlineMs: 50, retry: { max: 9 } })], {}, ({ attempt }) =>
      attempt === 1 ? { takesMs: 10, error: died() } : { takesMs: 100 },
    );
    expect(run.starts.map((start) => start.timeoutMs)).toEqual([50, 20]);
    expect(run.state.records.get('slow')?.error).toMatchObject({ code: 'AGENTS_STEP_TIMEOUT' });
    expect(run.makespan).toBe(50);
    expect(run.trace.at(-2)).toBe('50 abort');
  });

  it('of the plan ends it as timed out, also when the agent notices first', () => {
    const late = new FoundationError('CALL_TIMEOUT', 'late');
    for (const attempt of [{ takesMs: 200 }, { takesMs: 99, error: late }]) {
      const run = play([step('slow'), step('next', ['slow'])], { deadlineMs: 100 }, () => attempt);
      expect(run.state.status).toBe('timed-out');
      expect(statuses(run)).toEqual({ slow: 'cancelled', next: 'cancelled' });
    }
  });
});

describe('a step that finds no agent', () => {
  const lone = planGoal({ id: 'g', description: '', steps: [step('rare'), step('usual')] });

  it('leaves its place to others and starts when agents change', () => {
    const state = new PlanState(lone, { ...options, concurrency: 1 });
    const begun = state.apply([{ kind: 'begin' }], 0);
    expect(begun.at(-1)).toMatchObject({
      kind: 'start',
      token: 1,
      attempt: 1,
      step: { id: 'rare' },
    });
    const next = state.apply([{ kind: 'unassignable', step: 'rare', token: 1 }], 0);
    expect(next).toMatchObject([{ kind: 'start', step: { id: 'usual' }, token: 2 }]);
    state.apply([{ kind: 'succeeded', step: 'usual', token: 2, result: 1 }], 1);
    const offered = state.apply([{ kind: 'agents-changed' }], 2);
    expect(offered).toMatchObject([{ kind: 'start', step: { id: 'rare' }, token: 3, attempt: 1 }]);
  });

  it('fails at once when told to', () => {
    const state = new PlanState(lone, { ...options, onUnassignable: 'fail' });
    state.apply([{ kind: 'begin' }], 0);
    const effects = state.apply([{ kind: 'unassignable', step: 'rare', token: 1 }], 0);
    expect(effects).toEqual([{ kind: 'abort', token: 2 }, { kind: 'finish' }]);
    expect(state.records.get('rare')?.error?.code).toBe('AGENTS_NO_AGENT');
  });
});

describe('list scheduling has the anomalies that Graham found', () => {
  const durations = [3, 2, 2, 2, 4, 4, 4, 4, 9];
  const edges: readonly (readonly [number, number])[] = [
    [1, 9],
    [4, 5],
    [4, 6],
    [4, 7],
    [4, 8],
  ];
  const makespan = ({
    list = [1, 2, 3, 4, 5, 6, 7, 8, 9],
    agents = 3,
    less = 0,
    drop = 0,
  }): number => {
    const kept = edges.filter(([before, after]) => !(before === 4 && after < 5 + drop));
    const steps = list.map((task) =>
      step(
        `t${task}`,
        kept.filter(([, after]) => after === task).map(([before]) => `t${before}`),
      ),
    );
    const takes = (id: string): number => (durations[Number(id.slice(1)) - 1] ?? 0) - less;
    return play(steps, { concurrency: agents, order: 'listed' }, ({ step: { id } }) => ({
      takesMs: takes(id),
    })).makespan;
  };

  it.each([
    ['12 in list order on three agents', {}, 12],
    ['14 in another order', { list: [1, 2, 4, 5, 6, 3, 9, 7, 8] }, 14],
    ['15 on four agents', { agents: 4 }, 15],
    ['13 when each task is shorter', { less: 1 }, 13],
    ['16 with fewer dependencies', { drop: 2 }, 16],
  ])('%s', (_, given, expected) => {
    expect(makespan(given)).toBe(expected);
  });
});

// ── laws ─────────────────────────────────────────────────────────────────────

/** A random graph: each step needs some of those before it. */
const graph = fc
  .array(fc.record({ bits: fc.nat(), estMs: fc.integer({ min: 1, max: 20 }), onFail: fc.nat(5) }), {
    minLength: 1,
    maxLength: 14,
  })
  .map((rows) =>
    rows.map(({ bits, estMs, onFail }, index) => {
      const needs = rows
        .slice(0, index)
        .flatMap((_, other) => (((bits >> other) & 3) === 0 ? [`s${other}`] : []));
      const choice = (['fail-plan', 'skip-dependents', 'continue'] as const)[onFail] ?? 'continue';
      return step(`s${index}`, needs, { estMs, onFail: choice });
    }),
  );
const luck = fc.infiniteStream(fc.nat(9));
/** Some attempts lose their agent, some fail for good. */
const attempts = luck.map((stream) => (): Attempt => {
  const draw: number = stream.next().value;
  if (draw === 0) return { takesMs: 3, error: refused };
  return draw < 3 ? { takesMs: 2, error: died() } : { takesMs: draw };
});
const concurrency = fc.integer({ min: 1, max: 5 });
const runs = { numRuns: 300 };

describe('for every graph and every course of events', () => {
  it('no step starts before its needs ended, none runs twice at a time, and each ends once', () => {
    fc.assert(
      fc.property(graph, attempts, concurrency, (steps, attempt, limit) => {
        const run = play(steps, { concurrency: limit }, attempt);
        expect(run.state.status).not.toBe('running');
        for (const start of run.starts) {
          for (const need of start.step.needs) {
            const before = run.state.records.get(need);
            expect(['succeeded', 'failed', 'skipped']).toContain(before?.status);
            expect(before?.endedAt).toBeLessThanOrEqual(start.at);
          }
        }
        expect(new Set(run.starts.map(({ token }) => token)).size).toBe(run.starts.length);
        for (const [id, record] of run.state.records) {
          expect(['succeeded', 'failed', 'cancelled', 'skipped']).toContain(record.status);
          expect(record.endedAt).toBeDefined();
          expect(record.attempts).toBe(run.starts.filter((start) => start.step.id === id).length);
          expect(record.attempts).toBeLessThanOrEqual(3);
        }
      }),
      runs,
    );
  });

  it('the makespan keeps the bounds of Graham', () => {
    fc.assert(
      fc.property(graph, concurrency, (steps, limit) => {
        const { makespan, state } = play(steps, { concurrency: limit }, ({ step: { estMs } }) => ({
          takesMs: estMs ?? 1,
        }));
        const work = steps.reduce((sum, { estMs }) => sum + (estMs ?? 1), 0);
        const path = Math.max(...[...state.records.values()].map(({ planned }) => planned.rank));
        expect(makespan).toBeGreaterThanOrEqual(Math.max(path, Math.ceil(work / limit)));
        expect(makespan).toBeLessThanOrEqual(work / limit + (1 - 1 / limit) * path + 1e-9);
      }),
      runs,
    );
  });

  it('the same events give the same schedule', () => {
    fc.assert(
      fc.property(
        graph,
        concurrency,
        fc.array(fc.nat(9), { minLength: 64, maxLength: 64 }),
        (steps, limit, draws) => {
          const course = (): ((start: StartEffect) => Attempt) => {
            const left = [...draws];
            return () => {
              const draw = left.pop() ?? 5;
              return draw < 2 ? { takesMs: 2, error: died() } : { takesMs: draw };
            };
          };
          expect(play(steps, { concurrency: limit }, course()).trace).toEqual(
            play(steps, { concurrency: limit }, course()).trace,
          );
        },
      ),
      runs,
    );
  });

  it('late and repeated completions change nothing, and a cancelled plan starts nothing', () => {
    fc.assert(
      fc.property(graph, concurrency, fc.array(turn, { maxLength: 40 }), (steps, limit, turns) => {
        const unruly = new UnrulyAgents(steps, limit);
        for (const each of turns) unruly.play(each);
        const running = unruly.live.size;
        const kinds = unruly.take({ kind: 'cancel' }).map(({ kind }) => kind);
        expect(kinds.filter((kind) => kind === 'abort')).toHaveLength(running);
        expect(kinds).not.toContain('start');
        for (const event of [...unruly.past, ...unruly.due]) unruly.repeat(event);
        expect(unruly.faults).toEqual([]);
      }),
      runs,
    );
  });
});

interface Turn {
  readonly pick: number;
  readonly what: 'succeeds' | 'refuses' | 'dies' | 'repeats' | 'retries';
}
const turn: fc.Arbitrary<Turn> = fc.record({
  pick: fc.nat(),
  what: fc.constantFrom('succeeds', 'refuses', 'dies', 'repeats', 'retries'),
});

/** Agents that answer in any order, some of them twice; notes where the plan falls for it. */
class UnrulyAgents {
  readonly live = new Map<number, string>();
  readonly past: PlanEvent[] = [];
  readonly due: PlanEvent[] = [];
  readonly faults: string[] = [];
  readonly #state: PlanState;
  readonly #limit: number;

  constructor(steps: readonly Step[], limit: number) {
    this.#limit = limit;
    const plan = planGoal({ id: 'g', description: '', steps });
    this.#state = new PlanState(plan, { ...options, concurrency: limit });
    this.take({ kind: 'begin' });
  }

  take(event: PlanEvent): readonly PlanEffect[] {
    const effects = this.#state.apply([event], 0);
    for (const effect of effects) this.#note(effect);
    if (this.live.size > this.#limit) this.faults.push(`${this.live.size} steps run at a time`);
    return effects;
  }

  repeat(event: PlanEvent): void {
    if (this.take(event).length > 0) this.faults.push(`${JSON.stringify(event)} counted twice`);
  }

  play({ pick, what }: Turn): void {
    if (what === 'repeats') {
      const old = this.past[pick % Math.max(1, this.past.length)];
      if (old !== undefined) this.repeat(old);
    } else if (what === 'retries') {
      const [timer] = this.due.splice(pick % Math.max(1, this.due.length), 1);
      if (timer === undefined) return;
      this.past.push(timer);
      this.take(timer);
    } else this.#answer(pick, what);
  }

  #answer(pick: number, what: 'succeeds' | 'refuses' | 'dies'): void {
    const [token, id] = [...this.live][pick % Math.max(1, this.live.size)] ?? [];
    if (token === undefined || id === undefined) return;
    this.live.delete(token);
    const about = { step: id, token };
    const event: PlanEvent =
      what === 'succeeds'
        ? { kind: 'succeeded', ...about, result: token }
        : { kind: 'failed', ...about, error: what === 'dies' ? died() : refused };
    this.past.push(event);
    this.take(event);
  }

  #note(effect: PlanEffect): void {
    if (effect.kind === 'timer' && effect.event.kind === 'retry-due') this.due.push(effect.event);
    if (effect.kind === 'abort' && !this.live.delete(effect.token)) {
      this.faults.push(`aborts ${effect.token}, which does not run`);
    }
    if (effect.kind !== 'start') return;
    if ([...this.live.values()].includes(effect.step.id))
      this.faults.push(`${effect.step.id} runs twice`);
    this.live.set(effect.token, effect.step.id);
  }
}
