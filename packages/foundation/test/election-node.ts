// A program that stands for election: `election-node.ts <name of the node> <file of the store>`
import { isFoundationError, sleep, startNode, systemClock } from '@foundation/core';
import { SqliteDatabase, SqliteStore } from '@foundation/core/internal';
import { runTestProgram } from '@foundation/testing/program';

const [, , nodeName = '', path = ''] = process.argv;
const store = new SqliteStore(new SqliteDatabase({ path }));
const node = await startNode({ name: nodeName, cluster: 'off', ports: { store } });
/** What it has seen, and what has become of its own leaderships. */
const progress = { epochs: [] as number[], lost: [] as number[], refused: 0 };
const seen: { readonly node: string; readonly epoch: number }[] = [];

/** The epochs of those who wrote, in the order of their writes. */
const log = node.variables.strong<readonly number[]>('log', { initial: [] });
const logMax = 200;
/** Read and written in two steps: some are lost unless one at a time does that. */
const count = node.variables.strong('count', { initial: 0 });

/** Leads again and again, and writes all the time while it does. */
async function campaign(ttlMs: number): Promise<never> {
  const election = node.mabeam.election('boss', { ttlMs });
  for (;;) {
    await using leadership = await election.campaign();
    const { epoch } = leadership;
    progress.epochs.push(epoch);
    try {
      const own = await log.fencedBy(epoch);
      while (leadership.isLeader) {
        await own.update(async (epochs) => {
          // That it is most of the time in the middle of this.
          await sleep(systemClock, 4);
          return [...epochs, epoch].slice(-logMax);
        });
      }
    } catch (error) {
      if (isFoundationError(error) && error.code === 'FENCED') progress.refused++;
    }
    progress.lost.push(epoch);
  }
}

async function watch(): Promise<void> {
  for await (const leader of node.mabeam.election('boss').watch()) {
    if (leader !== undefined) seen.push(leader);
  }
}

const commands = {
  campaign: (ttlMs: number) => {
    void watch();
    void campaign(ttlMs);
  },
  progress: () => progress,
  seen: () => seen,
  leader: () => node.mabeam.election('boss').leader(),
  log: () => log.get(),
  /** Adds one, so many times, from two places at once. */
  add: async (times: number) => {
    const mutex = node.mabeam.mutex('count');
    const place = async (): Promise<void> => {
      for (let done = 0; done < times; done++) {
        await mutex.run(async () => {
          const value = await count.get();
          await sleep(systemClock, 1);
          await count.set(value + 1);
        });
      }
    };
    await Promise.all([place(), place()]);
  },
  count: () => count.get(),
};
export type ElectionNode = typeof commands;

runTestProgram(node.name, commands, () => node.stop());
