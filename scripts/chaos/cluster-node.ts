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

/** Says on which node it is. */
const host = defineProcess('host', { init: () => ({}), calls: { name: (ctx) => ctx.node.name } });

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode({ ...options, config: false, processes: [host] });
await node.processes.start(host, { name: node.name });

const verdicts: Verdict[] = [];
node.events.on('member-down', ({ node: about, reason }) => {
  verdicts.push({ by: node.name, about, reason, at: machineMs() });
});

/** Which node a call to a process was answered by, and when by the machine's clock. */
export interface Answer {
  readonly by: string;
  readonly at: number;
}

/** By the name of the process that was called. */
const answers = new Map<string, Answer[]>();

async function call(name: string): Promise<void> {
  try {
    const by = await node.ref(host, name).with({ timeoutMs: callTimeoutMs }).name();
    answers.get(name)?.push({ by, at: machineMs() });
  } catch (error) {
    if (!isFoundationError(error)) throw error;
  }
}

const commands = {
  members: () => node.cluster.members().map((each) => each.node),
  view: () => node.cluster.members(),
  /** What it has said so far. */
  verdicts: () => verdicts,
  /** Sees to it that there is one in the cluster. */
  startSingleton: async (name: string) => {
    await node.processes.start(host, { name, strategy: 'singleton' });
  },
  /** Calls some processes from now on, again and again, whatever becomes of it. Each node has one of its own name. */
  callOn: (names: readonly string[]) => {
    for (const name of names) {
      answers.set(name, []);
      setInterval(() => void call(name), callEveryMs);
    }
  },
  /** The first answer of a process to a call of this node after a moment, from another node than one. */
  answerAfter: (name: string, moment: number, butBy?: string) =>
    answers.get(name)?.find(({ by, at }) => at > moment && by !== butBy),
};
export type ClusterNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
