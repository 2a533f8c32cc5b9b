// The other program of crossing.test.ts: `crossing-node.ts <options of startNode as JSON>`
import { startNode, type NodeOptions } from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

import { echo, threadEcho } from './crossing-processes.ts';
import { openTelemetry } from './open-telemetry.ts';

openTelemetry();
const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode(options);

const commands = {
  view: () => node.cluster.members(),
  members: () => node.cluster.members().map((each) => each.node),
  start: async (name: string) => {
    await node.processes.start(echo, { name });
    await node.processes.start(threadEcho, { name: `${name} in a thread` });
  },
  groupSize: (group: string) => node.group(echo, group).members().length,
  /** Holds the whole program for a while. */
  freeze: (ms: number) => {
    setTimeout(() => {
      const end = performance.now() + ms;
      while (performance.now() < end);
    }, 5);
  },
};
export type CrossingNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
