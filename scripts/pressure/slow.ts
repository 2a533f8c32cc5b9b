import type { Goal } from '../goals/goal-program.ts';
import { PressedCluster, seesAll, type Pressed } from './pressed-cluster.ts';

const slowForMs = 15_000;
const warmUpMs = 3_000;
/** The peer stands still for most of the time, but never so long that it is taken for dead. */
const frozenMs = 900;
const thawedMs = 20;
const growthMaxMib = 24;
const refusalMaxMs = 100;
const mib = 2 ** 20;
/** Room that V8 and the C library take in advance, and do not give back, is not what the slow peer costs. */
const frugal = { NODE_OPTIONS: '--max-semi-space-size=4', MALLOC_ARENA_MAX: '2' };

/**
 * G12. A node is sent more than it takes. Those who send are told soon, and do not keep what does not leave: at most 4
 * MiB wait for a peer.
 */
export const slow: Goal = async ({ report, seed, progress }) => {
  await using cluster = await PressedCluster.open();
  const sender = await cluster.start('first', { env: frugal });
  const receiver = await cluster.start('second');
  await seesAll(sender, 2);
  // What the program needs to send at all is not what the slowness costs.
  const quick = await sender.ask('flood', 'second', warmUpMs);
  const slowness = beSlow(receiver);
  const found = await sender.ask('flood', 'second', slowForMs);
  await slowness.end();
  const isMember = (await sender.ask('members')).length === 2;
  const growthMib = Math.round((found.rssBytesMax - quick.rssBytesMax) / mib);
  progress(`quick: ${JSON.stringify(quick)}`);
  progress(`slow: ${JSON.stringify(found)}, ${isMember ? 'still' : 'no longer'} a member`);
  const hadEffect = found.castsRefused > 0 && found.callsRefused > 0 && isMember;
  report.tell({
    goal: `G12 a peer that is slow for ${slowForMs / 1_000} s, growth of memory`,
    value: growthMib,
    limit: `<= ${growthMaxMib} MiB`,
    ok: growthMib <= growthMaxMib && hadEffect,
    seed,
  });
  report.tell({
    goal: 'G12 a slow peer, slowest refusal of a call',
    value: Math.round(found.slowestRefusalMs),
    limit: `<= ${refusalMaxMs} ms`,
    ok: found.slowestRefusalMs <= refusalMaxMs && hadEffect,
    seed,
  });
};

function beSlow(node: Pressed): { end(): Promise<void> } {
  let isOver = false;
  const run = async (): Promise<void> => {
    while (!isOver) {
      node.freeze();
      await pause(frozenMs);
      node.thaw();
      await pause(thawedMs);
    }
  };
  const running = run();
  return {
    end() {
      isOver = true;
      return running;
    },
  };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
