import {
  refuseUnknown,
  seededRandom,
  startNode,
  type Node,
  type NodeOptions,
} from '@foundation/core';
import { nodeOptionNames } from '@foundation/core/internal';

import { SeededScheduler } from './seeded-scheduler.ts';
import { SimClock } from './simulation/sim-clock.ts';
import { Simulation, testingError } from './simulation/simulation.ts';

/** How a node for a test is started: as any other, with a seed in place of a clock, chance and an order. */
export interface TestNodeOptions extends Omit<NodeOptions, 'clock' | 'random' | 'scheduler'> {
  /** What chance, and the order in which processes handle their messages, are drawn from. @defaultValue 0 */
  readonly seed?: string | number;
}

/** A node of one test: alone, in virtual time, in an order of its own. */
export interface TestNode extends AsyncDisposable {
  readonly node: Node;
  readonly seed: string | number;
  /** Milliseconds that have passed for the node. */
  readonly nowMs: number;
  /** Lets time pass for the node. Timers run when they are due, and all that they set off is done first. */
  advance(durationMs: number): Promise<void>;
  /** Resolves when no process has anything to do, until time passes. */
  settled(): Promise<void>;
}

/** Turns of the event loop in which processes must come to rest. */
const turnsMax = 1_000_000;

/**
 * Starts a node for a test: it meets no others, its time stands still until it is told to pass, and which
 * of the processes that have messages is next is drawn from the seed. The same seed gives the same run.
 *
 * @throws what `startNode` throws
 */
export async function testNode(options: TestNodeOptions = {}): Promise<TestNode> {
  refuseUnknown('testNode', options, ['seed', ...nodeOptionNames]);
  const { seed = 0, ...rest } = options;
  let scheduler: SeededScheduler | undefined;
  const settled = async (): Promise<void> => {
    let turns = 0;
    do {
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
      if (++turns > turnsMax) throw endless(seed);
    } while (scheduler?.isIdle === false);
  };
  const simulation = new Simulation(seed, settled);
  const node = await startNode({
    cluster: 'off',
    profile: 'test',
    name: 'test',
    ...rest,
    clock: new SimClock(simulation),
    random: seededRandom(`${seed}/node`),
    scheduler: () => (scheduler = new SeededScheduler(seededRandom(`${seed}/order`))),
  });
  const stop = async (): Promise<void> => {
    let isStopped = false;
    const stopped = node.stop().finally(() => (isStopped = true));
    // What does not end by itself has a limit, which must pass.
    while (!isStopped) await simulation.advance(100);
    await stopped;
  };
  return {
    node,
    seed,
    get nowMs() {
      return simulation.nowMs;
    },
    advance: (durationMs) => simulation.advance(durationMs),
    settled,
    [Symbol.asyncDispose]: stop,
  };
}

function endless(seed: string | number): Error {
  return testingError('TESTING_ENDLESS', `seed ${seed}: processes do not come to rest`, {
    hint: 'Two of them send each other messages for ever, without time passing.',
  });
}
