// Holds a lease when it can, and writes to a fenced variable while it does: `gray-node.ts <options of startNode as JSON>`.
import { setTimeout as pause } from 'node:timers/promises';

import { isFoundationError, startNode, type Lease, type NodeOptions } from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

/** What became of a write: the version that it got, or why it got none. */
export interface Write {
  readonly token: number;
  readonly outcome: number | string;
}

const ttlMs = 1_000;
/** Between a look at the lease and the write, in milliseconds: where a program may be stopped. */
const hesitateMs = 10;

const node = await startNode({
  ...(JSON.parse(process.argv[2] ?? '{}') as NodeOptions),
  config: false,
});
const variable = node.variables.strong<string>('effects');
const writes: Write[] = [];
let working: number | undefined;

async function hold(): Promise<never> {
  for (;;) {
    await using lease = await node.leases.acquire('writer', { ttlMs });
    working = lease.token;
    await write(lease).catch((error: unknown) => {
      if (!isFoundationError(error)) throw error;
    });
    working = undefined;
  }
}

async function write({ token, signal }: Lease): Promise<void> {
  const fenced = await variable.fencedBy(token);
  while (!signal.aborted) {
    await pause(hesitateMs);
    try {
      writes.push({ token, outcome: await fenced.set(`${node.name} by ${token}`) });
    } catch (error) {
      if (!isFoundationError(error)) throw error;
      writes.push({ token, outcome: error.code });
    }
  }
}

const commands = {
  /** The token by which it writes. */
  token: () => working,
  writes: () => writes,
};
export type GrayNode = typeof commands;

void hold();
runTestProgram(node.name, commands, () => node.stop());
