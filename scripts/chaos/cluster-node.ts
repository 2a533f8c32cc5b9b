// A node of a cluster in a lab: `cluster-node.ts <options of startNode as JSON>`.
import { defineProcess, isFoundationError, startNode, type NodeOptions } from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

import { machineMs } from './machine-clock.ts';

/** What a node has said about another one. */
export interface Verdict {
  readonly by: string;
  readonly about: string;
  readonly reason: string;
  /** By the machine's clock, in milliseconds. */
  readonly at: number;
}

const callEveryMs = 20;
const callTimeoutMs = 500;

const echo = defineProcess('echo', {
  init: () => ({}),
  calls: { say: (_ctx, text: string) => text },
});

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode({ ...options, config: false, processes: [echo] });
await node.processes.start(echo, { name: `echo of ${node.name}` });

const verdicts: Verdict[] = [];
node.events.on('member-down', ({ node: about, reason }) => {
  verdicts.push({ by: node.name, about, reason, at: machineMs() });
});

/** When a call to a node has succeeded, each. */
const answered = new Map<string, number[]>();

async function call(to: string): Promise<void> {
  const name = `echo of ${to}`;
  try {
    await node.ref(echo, name).with({ timeoutMs: callTimeoutMs }).say('hello');
    answered.get(to)?.push(machineMs());
  } catch (error) {
    if (!isFoundationError(error)) throw error;
  }
}

const commands = {
  members: () => node.cluster.members().map((each) => each.node),
  view: () => node.cluster.members(),
  /** What it has said so far. */
  verdicts: () => verdicts,
  /** Calls some nodes from now on, again and again, whatever becomes of it. */
  callOn: (others: readonly string[]) => {
    for (const to of others) {
      answered.set(to, []);
      setInterval(() => void call(to), callEveryMs);
    }
  },
  /** When a call to a node has succeeded for the first time after a moment. */
  answeredAfter: (to: string, moment: number) => answered.get(to)?.find((at) => at > moment),
};
export type ClusterNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
