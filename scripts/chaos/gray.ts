import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NodeOptions } from '@foundation/core';
import { eventually, spawnNode, type TestProcess } from '@foundation/testing/lab';

import type { Goal } from '../goals/goal-program.ts';
import type { GrayNode, Write } from './gray-node.ts';

const trials = 10;
const size = 3;
const giveUpMs = 15_000;

/**
 * G6. The holder of a lease is stopped, mostly between its look at the lease and its write; it goes on when another
 * holds the lease and has written. Its write must not be taken any more. If none is even tried, nothing was tested.
 */
export const gray: Goal = async ({ report, seed, progress }) => {
  await using opened = new AsyncDisposableStack();
  const directory = opened.adopt(mkdtempSync(join(tmpdir(), 'foundation-gray-')), remove);
  const nodes: TestProcess<GrayNode>[] = [];
  for (let index = 0; index < size; index++) {
    const options: NodeOptions = { name: `g${index}`, clusterName: 'gray', directory };
    nodes.push(opened.use(await start(options)));
  }
  let tried = 0;
  for (let trial = 0; trial < trials; trial++) tried += await stopTheHolder(nodes);
  const writes = (await Promise.all(nodes.map((node) => node.ask('writes')))).flat();
  const value = staleAmong(writes);
  progress(
    `${trials} trials: ${tried} stale writes were tried, ${value} of them were taken, of ${writes.length}`,
  );
  report.tell({
    goal: 'G6 gray failure, stale writes that a fenced store took',
    value,
    limit: `0 in ${trials} trials`,
    ok: value === 0 && tried > 0,
    seed,
  });
};

function start(options: NodeOptions): Promise<TestProcess<GrayNode>> {
  return spawnNode<GrayNode>(new URL('gray-node.ts', import.meta.url), {
    args: [JSON.stringify(options)],
  });
}

/** @returns how many stale writes the one that was stopped has tried */
async function stopTheHolder(nodes: readonly TestProcess<GrayNode>[]): Promise<number> {
  const [holder, token] = await eventually('somebody writes', () => writerAmong(nodes), {
    timeoutMs: giveUpMs,
  });
  const others = nodes.filter((node) => node !== holder);
  holder.freeze();
  await eventually('another one writes', () => writerAmong(others), { timeoutMs: giveUpMs });
  holder.thaw();
  await eventually(
    'it has stopped writing by its old token',
    async () => (await holder.ask('token')) !== token,
  );
  const refused = (await holder.ask('writes')).filter(
    (write) => write.token === token && write.outcome === 'FENCED',
  );
  return refused.length;
}

/** Who writes by the lease and has succeeded, with its token. */
async function writerAmong(
  nodes: readonly TestProcess<GrayNode>[],
): Promise<readonly [TestProcess<GrayNode>, number] | undefined> {
  for (const node of nodes) {
    const token = await node.ask('token');
    if (token === undefined) continue;
    const has = await node.ask('writes');
    if (has.some((write) => write.token === token && typeof write.outcome === 'number')) {
      return [node, token];
    }
  }
  return undefined;
}

/** Writes that were taken after one by a later token: versions say in which order they were. */
function staleAmong(writes: readonly Write[]): number {
  let [highest, stale] = [0, 0];
  const taken = writes.filter(({ outcome }) => typeof outcome === 'number');
  for (const { token } of taken.toSorted((a, b) => Number(a.outcome) - Number(b.outcome))) {
    if (token < highest) stale++;
    highest = Math.max(highest, token);
  }
  return stale;
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
