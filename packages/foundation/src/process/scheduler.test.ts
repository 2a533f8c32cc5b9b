import { describe, expect, it } from 'vitest';

import { ManualClock, settled } from '../../test/manual-clock.ts';
import {
  FairScheduler,
  systemTurns,
  type Runnable,
  type Scheduler,
  type Turns,
} from './scheduler.ts';

/** Something with so many messages; notes each. */
abstract class Unbroken {
  crash(error: unknown): never {
    throw error;
  }
}

class Work extends Unbroken implements Runnable {
  nextReady: Runnable | undefined = undefined;
  readonly #scheduler: Scheduler;
  readonly #onMessage: () => void;
  waiting: number;

  constructor(scheduler: Scheduler, waiting: number, onMessage: () => void = () => {}) {
    super();
    this.#scheduler = scheduler;
    this.#onMessage = onMessage;
    this.waiting = waiting;
  }

  run(): number {
    let [handled, lookAt] = [0, 1];
    while (this.waiting > 0) {
      this.#onMessage();
      this.waiting--;
      handled++;
      if (handled < lookAt || this.waiting === 0) continue;
      lookAt = this.#scheduler.look(handled);
      if (lookAt > 0) continue;
      this.#scheduler.enqueue(this);
      break;
    }
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

describe('the scheduler', () => {
  it('goes on with the others when one throws, which ends by what it threw', () => {
    const turns = new ManualTurns();
    const told: unknown[] = [];
    const scheduler = new FairScheduler(new ManualClock(), turns);
    const broken: Runnable = {
      nextReady: undefined,
      run: () => {
        throw new Error('broken');
      },
      crash: (error) => void told.push(error),
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
    const scheduler = new FairScheduler(new ManualClock(), turns);
    const order: string[] = [];
    for (const name of ['a', 'b', 'c']) {
      scheduler.enqueue(new Work(scheduler, 32, () => order.push(name)));
    }
    turns.turn();
    const batches = order.join('').match(/a+|b+|c+/g);
    // The first look at the clock cannot tell how long the first one has run: it gives way at once.
    expect(batches?.map((each) => `${each[0]}${each.length}`)).toEqual([
      'a1',
      'b16',
      'c16',
      'a16',
      'b16',
      'c16',
      'a15',
    ]);
  });

  it('lets the event loop turn after a thousand messages, however fast they are', () => {
    const turns = new ManualTurns();
    const scheduler = new FairScheduler(new ManualClock(), turns);
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
    const scheduler = new FairScheduler(clock, turns);
    const work = new Work(scheduler, 320, () => clock.stall(1));
    scheduler.enqueue(work);
    turns.turn();
    expect(320 - work.waiting).toBeLessThanOrEqual(48);
    while (turns.turn());
    expect(work.waiting).toBe(0);
  });

  it('lets timers run between two that always have another message for each other', async () => {
    const scheduler = new FairScheduler(new ManualClock(), systemTurns);
    let [messages, goesOn] = [0, true];
    // Each message makes the other one ready anew: the queue is empty after every one of them.
    class Ping extends Unbroken implements Runnable {
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
