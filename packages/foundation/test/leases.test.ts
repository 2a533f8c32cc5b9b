import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { eventually, spawnNode, type TestProcess } from '@foundation/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { present } from './alone.ts';
import type { LeaseNode } from './lease-node.ts';

const program = new URL('lease-node.ts', import.meta.url);

type Program = TestProcess<LeaseNode>;

/** Three programs of one machine, whose nodes know each other by the store only. The last test ends some. */
const directory = mkdtempSync(join(tmpdir(), 'foundation-leases-'));
let nodes: readonly [Program, Program, Program];

beforeAll(async () => {
  const start = (name: string): Promise<Program> =>
    spawnNode(program, { args: [name, join(directory, 'cluster.db')], readyMs: 60_000 });
  nodes = await Promise.all([start('a'), start('b'), start('c')]);
});

afterAll(async () => {
  await Promise.all(nodes.map((node) => node.kill()));
  rmSync(directory, { recursive: true });
});

describe('a lease that several programs want', () => {
  it('is held by one of them at any time, and its token grows from turn to turn', async () => {
    const told = await Promise.all(nodes.map((node) => node.ask('turns', 'one', 5)));
    const turns = told.flat().toSorted((x, y) => x.from - y.from);
    expect(turns).toHaveLength(30);
    const overlaps = turns.filter(({ from }, index) => from < (turns[index - 1]?.until ?? 0));
    expect(overlaps).toEqual([]);
    const tokens = turns.map(({ token }) => token);
    expect(tokens).toEqual([...new Set(tokens)].toSorted((x, y) => x - y));
  });

  it('lets nothing in of a holder that stood still while another took over', async () => {
    await Promise.all(nodes.map((node) => node.ask('work', 500)));
    const late = new Set<number>();
    for (let trial = 0; trial < 3; trial++) {
      const token = await eventually('somebody new writes', async () => {
        const newest = (await nodes[0].ask('log')).at(-1) ?? 0;
        return !late.has(newest) && newest;
      });
      late.add(token);
      const holders = await Promise.all(nodes.map((node) => node.ask('progress')));
      const index = holders.findIndex(({ tokens }) => tokens.includes(token));
      const [holder, other] = [present(nodes[index]), present(nodes[(index + 1) % 3])];
      holder.freeze();
      await eventually('another writes', async () => {
        return ((await other.ask('log')).at(-1) ?? 0) > token;
      });
      holder.thaw();
      await eventually('it has noticed', async () => {
        return (await holder.ask('progress')).over.includes(token);
      });
      const log = await other.ask('log');
      expect(log).toEqual(log.toSorted((x, y) => x - y));
    }
    const refused = await Promise.all(
      nodes.map(async (node) => (await node.ask('progress')).refused),
    );
    // They stood still in the middle of a write.
    expect(Math.max(...refused)).toBeGreaterThan(0);
  });

  it('is handed over within milliseconds, and taken from one that was killed when its time is over', async () => {
    const [a, b, c] = nodes;
    const ttlMs = 2_000;
    const first = await a.ask('acquire', 'two', 60_000);
    const second = b.ask('acquire', 'two', ttlMs);
    await b.ask('now'); // so it has heard the question before
    const releasedAt = await a.ask('release', 'two');
    const { token, at } = await second;
    expect(token).toBeGreaterThan(first.token);
    expect(at - releasedAt).toBeLessThan(1_500);

    const third = c.ask('acquire', 'two', ttlMs);
    await c.ask('now');
    const killedAt = await b.ask('now');
    await b.kill();
    const taken = await third;
    expect(taken.token).toBeGreaterThan(token);
    // It was seen anew at most a quarter of its time before.
    expect(taken.at - killedAt).toBeGreaterThan(0.6 * ttlMs);
    expect(taken.at - killedAt).toBeLessThan(ttlMs + 2_000);
  });
});
