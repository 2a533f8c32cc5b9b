import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually, spawnNode, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { present } from './alone.ts';
import type { ElectionNode } from './election-node.ts';

const program = new URL('election-node.ts', import.meta.url);

type Program = TestProcess<ElectionNode>;

/** Three programs of one machine, whose nodes know each other by the store only. The last test ends one. */
const directory = mkdtempSync(join(tmpdir(), 'foundation-election-'));
const ttlMs = 500;
let nodes: readonly [Program, Program, Program];

beforeAll(async () => {
  const start = (name: string): Promise<Program> =>
    spawnNode(program, { args: [name, join(directory, 'cluster.db')], readyMs: 60_000 });
  nodes = await Promise.all([start('a'), start('b'), start('c')]);
}, 90_000);

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill()));
  rmSync(directory, { recursive: true });
});

/** Who leads, as another one sees it, with an epoch above `epoch`. */
async function leaderAfter(epoch: number, askers: readonly Program[]): Promise<[Program, number]> {
  const leader = await eventually('somebody new leads', async () => {
    const found = await present(askers[0]).ask('leader');
    return found !== undefined && found.epoch > epoch && found;
  });
  return [present(nodes['abc'.indexOf(leader.node)]), leader.epoch];
}

describe('programs that each want to be the leader or to work alone', () => {
  it('do work alone under a mutex: no addition is lost', async () => {
    await Promise.all(nodes.map((node) => node.ask('add', 5)));
    expect(await nodes[0].ask('count')).toBe(30);
  });

  it('have one leader an epoch, and take nothing from one that stood still or was killed', async () => {
    await Promise.all(nodes.map((node) => node.ask('campaign', ttlMs)));
    let epoch = 0;
    for (const fault of ['freeze', 'freeze', 'kill'] as const) {
      const [leader, elected] = await leaderAfter(epoch, nodes);
      epoch = elected;
      await eventually('it writes', async () => (await leader.ask('log')).at(-1) === elected);
      const others = nodes.filter((node) => node !== leader);
      const since = performance.now();
      if (fault === 'kill') await leader.kill();
      else leader.freeze();
      const [, next] = await leaderAfter(elected, others);
      expect(next).toBeGreaterThan(elected);
      // Two lease times, and what a busy machine takes.
      expect(performance.now() - since).toBeLessThan(2 * ttlMs + 2_000);
      if (fault === 'kill') break;
      await eventually('the new one writes', async () => {
        return ((await present(others[0]).ask('log')).at(-1) ?? 0) > elected;
      });
      leader.thaw();
      await eventually('it has noticed', async () => {
        return (await leader.ask('progress')).lost.includes(elected);
      });
    }
    const alive = nodes.filter((node) => node.isRunning);
    const told = await Promise.all(alive.map((node) => node.ask('seen')));
    const names = new Map<number, string>();
    for (const leaders of told) {
      const epochs = leaders.map((each) => each.epoch);
      expect(epochs).toEqual([...new Set(epochs)].toSorted((x, y) => x - y));
      for (const each of leaders) {
        expect(names.get(each.epoch) ?? each.node).toBe(each.node);
        names.set(each.epoch, each.node);
      }
    }
    const progress = await Promise.all(alive.map((node) => node.ask('progress')));
    const epochs = progress.flatMap((each) => each.epochs);
    expect(new Set(epochs).size).toBe(epochs.length);
    const log = await present(alive[0]).ask('log');
    expect(log).toEqual(log.toSorted((x, y) => x - y));
    // They stood still in the middle of a write.
    expect(Math.max(...progress.map(({ refused }) => refused))).toBeGreaterThan(0);
  });
});
