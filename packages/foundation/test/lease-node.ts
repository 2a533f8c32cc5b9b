// A program that wants leases: `lease-node.ts <name of the node> <file of the store>`
import { isFoundationError, sleep, startNode, systemClock, type Lease } from '@foundation/core';
import { SqliteDatabase, SqliteStore } from '@foundation/core/internal';
import { runTestProgram } from '@foundation/testing/program';

const [, , nodeName = '', path = ''] = process.argv;
const store = new SqliteStore(new SqliteDatabase({ path }));
const node = await startNode({ name: nodeName, cluster: 'off', ports: { store } });
const held = new Map<string, Lease>();
/** Tokens it has had, those it has let go of, and how often a write of it came too late. */
const progress = { tokens: [] as number[], over: [] as number[], refused: 0 };

/** What has been written, by whom: the tokens of the writers, in the order of their writes. */
const log = node.variables.strong<readonly number[]>('log', { initial: [] });
/** How many of the newest are kept. */
const logMax = 200;

/** Milliseconds of the machine's monotonic clock, which all its programs share. */
function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/** Wants the lease again and again, and writes all the time while it has it. */
async function work(ttlMs: number): Promise<never> {
  for (;;) {
    const lease = await node.leases.acquire('work', { ttlMs });
    progress.tokens.push(lease.token);
    try {
      const fenced = await log.fencedBy(lease.token);
      while (lease.isHeld) {
        await fenced.update(async (tokens) => {
          // That it is most of the time in the middle of this.
          await sleep(systemClock, 4);
          return [...tokens, lease.token].slice(-logMax);
        });
      }
    } catch (error) {
      if (isFoundationError(error) && error.code === 'FENCED') progress.refused++;
    }
    progress.over.push(lease.token);
    await lease.release();
  }
}

const commands = {
  /** Waits for a lease, and keeps it. */
  acquire: async (name: string, ttlMs: number) => {
    const lease = await node.leases.acquire(name, { ttlMs });
    held.set(name, lease);
    return { token: lease.token, at: machineMs() };
  },
  release: async (name: string) => {
    const at = machineMs();
    await held.get(name)?.release();
    return at;
  },
  now: machineMs,
  /** Begins to work. */
  work: (ttlMs: number) => void work(ttlMs),
  progress: () => progress,
  log: () => log.get(),
  /** Has a lease several times, from several places at once; tells when it had it. */
  turns: async (name: string, count: number) => {
    const turns: { token: number; from: number; until: number }[] = [];
    const turn = async (): Promise<void> => {
      await using lease = await node.leases.acquire(name, { ttlMs: 3_000 });
      const from = machineMs();
      await sleep(systemClock, 2);
      turns.push({ token: lease.token, from, until: machineMs() });
    };
    const place = async (): Promise<void> => {
      for (let done = 0; done < count; done++) await turn();
    };
    await Promise.all([place(), place()]);
    return turns;
  },
};
export type LeaseNode = typeof commands;

runTestProgram(node.name, commands, () => node.stop());
