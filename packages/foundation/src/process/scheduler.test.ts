import { describe, expect, it } from 'vitest';

import { ManualClock, settled } from '../../test/manual-clock.ts';
import { Scheduler, systemTurns, type Runnable, type Turns } from './scheduler.ts';

/** Something with so many messages; notes each. */
class Work implements Runnable {
  nextReady: Runnable | undefined = undefined;
  readonly #scheduler: Scheduler;
  readonly #onMessage: () => void;
  waiting: number;

  constructor(scheduler: Scheduler, waiting: number, onMessage: () => void = () => {}) {
    this.#scheduler = scheduler;
    this.#onMessage = onMessage;
    this.waiting = waiting;
  }

  run(budget: number): number {
    const handled = Math.min(budget, this.waiting);
    for (let count = 0; count < handled; count++) this.#onMessage();
    this.waiting -= handled;
    if (this.waiting > 0) this.#scheduler.enqueue(this);
    return handled;
  }
}

/** Turns that come only when told to. */
class ManualTurns implements Turns {
  readonly #soon: (() => void)[] = [];
  readonly #next: (() => void)[] = [];
  soon = (action: () => void): void => void this.#soon.push(action);
  next = (action: () => void): void => void this.#next.push(action);

  /** Runs one turn of the event loop; returns whether there was anything to do. */
  turn(): boolean {
    const actions = [...this.#next.splice(0), ...this.#soon.splice(0)];
    for (const action of actions) action();
    while (this.#soon.length > 0) this.#soon.shift()?.();
    return actions.length > 0;
  }
}

function unexpected(error: unknown): never {
  throw error;
}

describe('the scheduler', () => {
  it('goes on with the others when one throws, and tells what it threw', () => {
    const turns = new ManualTurns();
    const told: unknown[] = [];
    const scheduler = new Scheduler(new ManualClock(), turns, (error) => told.push(error));
    const broken: Runnable = {
      nextReady: undefined,
      run: () => {
        throw new Error('broken');
      },
    };
    const [before, after] = [new Work(scheduler, 1), new Work(scheduler, 1)];
    scheduler.enqueue(broken);
    scheduler.enqueue(before);
    turns.turn();
    scheduler.enqueue(after);
    turns.turn();
    expect([before.waiting, after.waiting]).toEqual([0, 0]);
    expect(told).toEqual([new Error('broken')]);
  });

  it('gives each process its turn, in the order in which they became ready', () => {
    const turns = new ManualTurns();
    const scheduler = new Scheduler(new ManualClock(), turns, unexpected);
    const order: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      scheduler.enqueue(new Work(scheduler, 32, () => order.push(name)));
    }
    turns.turn();
    const batches = order.join('').match(/a+|b+|c+/g);
    expect(batches?.map((each) => `${each[0]}${each.length}`)).toEqual([
      'a16',
      'b16',
      'c16',
      'a16',
      'b16',
      'c16',
    ]);
  });

  it('lets the event loop turn after a thousand messages, however fast they are', () => {
    const turns = new ManualTurns();
    const scheduler = new Scheduler(new ManualClock(), turns, unexpected);
    const work = new Work(scheduler, 10_000);
    scheduler.enqueue(work);
    turns.turn();
    expect(10_000 - work.waiting).toBeLessThanOrEqual(1_024 + 16);
    while (turns.turn());
    expect(work.waiting).toBe(0);
  });

  it('lets the event loop turn after five milliseconds of slow handlers', () => {
    const turns = new ManualTurns();
    const clock = new ManualClock();
    const scheduler = new Scheduler(clock, turns, unexpected);
    const work = new Work(scheduler, 320, () => clock.stall(1));
    scheduler.enqueue(work);
    turns.turn();
    expect(320 - work.waiting).toBeLessThanOrEqual(48);
    while (turns.turn());
    expect(work.waiting).toBe(0);
  });

  it('lets timers run between two that always have another message for each other', async () => {
    const scheduler = new Scheduler(new ManualClock(), systemTurns, unexpected);
    let [messages, goesOn] = [0, true];
    // Each message makes the other one ready anew: the queue is empty after every one of them.
    class Ping implements Runnable {
      nextReady: Runnable | undefined = undefined;
      other: Ping | undefined = undefined;
      run(): number {
        messages++;
        if (goesOn && this.other !== undefined) {
          const { other } = this;
          void Promise.resolve().then(() => scheduler.enqueue(other));
        }
        return 1;
      }
    }
    const [ping, pong] = [new Ping(), new Ping()];
    [ping.other, pong.other] = [pong, ping];
    scheduler.enqueue(ping);
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 1);
    });
    goesOn = false;
    await settled();
    expect(messages).toBeGreaterThan(100);
  });
});
