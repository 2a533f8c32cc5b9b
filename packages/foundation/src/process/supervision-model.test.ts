import {
  child,
  defineProcess,
  defineSupervisor,
  type OnExceeded,
  type Restart,
  type Strategy,
} from '@foundation/core';
import { testNode, type TestNode } from '@foundation/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { failure } from '../../test/alone.ts';

// A supervisor against a model of it that is written for reading only: lists, no promises, no processes.

const backoff = { minMs: 100, maxMs: 400, factor: 2, jitter: 0 };
const windowMs = 1_000;

interface Setup {
  readonly strategy: Strategy;
  readonly onExceeded: OnExceeded;
  readonly restartsMax: number;
  readonly waits: boolean;
  readonly restarts: readonly Restart[];
}

interface ModelChild {
  readonly id: string;
  readonly restart: Restart;
  status: 'running' | 'waiting' | 'quarantined' | 'stopped';
  restarts: number;
  inARow: number;
  startedAt: number;
  times: number[];
  due: number | undefined;
}

class Model {
  readonly setup: Setup;
  now = 0;
  isAlive = true;
  children: ModelChild[];
  #times: number[] = [];

  constructor(setup: Setup) {
    this.setup = setup;
    this.children = setup.restarts.map((restart, index) => ({
      id: `c${index}`,
      restart,
      status: 'running',
      restarts: 0,
      inARow: 0,
      startedAt: 0,
      times: [],
      due: undefined,
    }));
  }

  end(id: string, isCrash: boolean): void {
    const failed = this.children.find((each) => each.id === id);
    if (!this.isAlive || failed?.status !== 'running') return;
    failed.status = 'stopped';
    const isAgain = failed.restart === 'permanent' || (failed.restart === 'transient' && isCrash);
    if (isAgain) this.#recover(failed);
    else if (failed.restart === 'temporary') this.#forget(failed);
  }

  #recover(failed: ModelChild): void {
    const { onExceeded, restartsMax, waits } = this.setup;
    const all = onExceeded === 'quarantine' ? failed.times : this.#times;
    const recent = all.filter((time) => this.now - time <= windowMs);
    const isExceeded = recent.length >= restartsMax;
    if (isExceeded && onExceeded === 'stop') {
      this.isAlive = false;
      return;
    }
    if (isExceeded) failed.status = 'quarantined';
    else {
      if (onExceeded === 'quarantine') failed.times = [...recent, this.now];
      else this.#times = [...recent, this.now];
      failed.inARow = this.now - failed.startedAt > windowMs ? 1 : failed.inARow + 1;
      failed.status = 'waiting';
    }
    for (const each of this.#fate(failed)) {
      if (each === failed || (each.status !== 'running' && each.status !== 'waiting')) continue;
      each.due = undefined;
      each.status = 'waiting';
      if (each.restart === 'temporary') this.#forget(each);
    }
    const delay =
      isExceeded || !waits || failed.inARow === 1
        ? 0
        : Math.min(backoff.maxMs, backoff.minMs * backoff.factor ** (failed.inARow - 2));
    if (delay === 0) this.#startWaiting(failed);
    else failed.due = this.now + delay;
  }

  #fate(failed: ModelChild): readonly ModelChild[] {
    const at = this.children.indexOf(failed);
    const { strategy } = this.setup;
    if (strategy === 'one-for-one') return [failed];
    return strategy === 'one-for-all' ? [...this.children] : this.children.slice(at);
  }

  #startWaiting(failed: ModelChild): void {
    for (const each of this.#fate(failed)) if (each.status === 'waiting') this.#begin(each);
  }

  #begin(started: ModelChild): void {
    started.status = 'running';
    started.restarts++;
    started.startedAt = this.now;
    started.due = undefined;
  }

  #forget(gone: ModelChild): void {
    this.children = this.children.filter((each) => each !== gone);
  }

  restartByHand(id: string): void {
    const found = this.children.find((each) => each.id === id);
    if (!this.isAlive || found === undefined) return;
    Object.assign(found, { inARow: 0, times: [] });
    this.#begin(found);
    this.#startWaiting(found);
  }

  stopByHand(id: string): void {
    const found = this.children.find((each) => each.id === id);
    if (!this.isAlive || found === undefined) return;
    const wasAwaited = found.due !== undefined;
    Object.assign(found, { status: 'stopped', due: undefined });
    if (wasAwaited) this.#startWaiting(found);
  }

  pass(ms: number): void {
    const until = this.now + ms;
    while (this.isAlive) {
      const due = this.children
        .filter((each) => each.due !== undefined && each.due <= until)
        .toSorted((a, b) => (a.due ?? 0) - (b.due ?? 0))[0];
      if (due === undefined) break;
      this.now = due.due ?? this.now;
      due.due = undefined;
      this.#startWaiting(due);
    }
    this.now = until;
  }

  get view(): unknown {
    if (!this.isAlive) return 'ended';
    return this.children.map(({ id, status, restarts }) => ({ id, status, restarts }));
  }
}

type Step =
  | { readonly do: 'crash' | 'end' | 'restart' | 'stop'; readonly at: number }
  | { readonly do: 'pass'; readonly ms: number };

const worker = defineProcess('worker', {
  init: () => ({}),
  calls: {
    crash: () => {
      throw new Error('crash');
    },
    end: (ctx) => ctx.stop(),
  },
});

const setups: fc.Arbitrary<Setup> = fc.record({
  strategy: fc.constantFrom<Strategy>('one-for-one', 'one-for-all', 'rest-for-one'),
  onExceeded: fc.constantFrom<OnExceeded>('stop', 'quarantine'),
  restartsMax: fc.integer({ min: 0, max: 4 }),
  waits: fc.boolean(),
  restarts: fc.array(fc.constantFrom<Restart>('permanent', 'transient', 'temporary'), {
    minLength: 1,
    maxLength: 4,
  }),
});
const at = fc.nat(3);
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('crash' as const), at }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('end', 'restart', 'stop'), at }) },
    {
      weight: 3,
      arbitrary: fc.record({
        do: fc.constant('pass' as const),
        // Never just when something is due: which comes first then is not promised.
        ms: fc.integer({ min: 1, max: 60 }).map((tens) => tens * 20 + 7),
      }),
    },
  ),
  { maxLength: 25 },
);

async function startTop({ node }: TestNode, setup: Setup) {
  const { strategy, onExceeded, restartsMax, waits, restarts } = setup;
  return node.processes.start(
    defineSupervisor('top', {
      strategy,
      onExceeded,
      restartsMax,
      restartWindowMs: windowMs,
      backoff: waits ? backoff : 'off',
      children: restarts.map((restart, index) => child(worker, { name: `c${index}`, restart })),
    }),
  );
}

type Top = Awaited<ReturnType<typeof startTop>>;

async function act(test: TestNode, top: Top, step: Step): Promise<void> {
  if (step.do === 'pass') return test.advance(step.ms);
  const id = `c${step.at}`;
  if (step.do === 'restart') await top.try.restart(id).catch(() => {});
  else if (step.do === 'stop') await top.try.stop(id).catch(() => {});
  else await failure(test.node.ref(worker, id)[step.do]()).catch(() => {});
  return test.settled();
}

function follow(model: Model, step: Step): void {
  if (step.do === 'pass') return model.pass(step.ms);
  const id = `c${step.at}`;
  if (step.do === 'restart') return model.restartByHand(id);
  if (step.do === 'stop') return model.stopByHand(id);
  return model.end(id, step.do === 'crash');
}

async function viewOf(top: Top): Promise<unknown> {
  try {
    return (await top.children()).map(({ id, status, restarts }) => ({ id, status, restarts }));
  } catch {
    return 'ended';
  }
}

describe('a supervisor', () => {
  it('does what a model of it says, whatever ends, is stopped, started and waited for', async () => {
    await fc.assert(
      fc.asyncProperty(setups, steps, fc.nat(), async (setup, given, seed) => {
        await using test = await testNode({ seed });
        const top = await startTop(test, setup);
        const model = new Model(setup);
        for (const step of given) {
          await act(test, top, step);
          follow(model, step);
          expect(await viewOf(top), JSON.stringify(step)).toEqual(model.view);
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
