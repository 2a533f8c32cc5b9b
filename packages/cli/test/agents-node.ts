// A node with agents: `agents-node.ts <options of startNode as JSON>`
import { defineProcess, startNode, type NodeOptions } from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode(options);
const worker = defineProcess('worker', {
  init: () => ({ done: 0 }),
  calls: {
    crash: () => {
      throw new Error('out of paper');
    },
  },
  casts: { work: ({ state }) => void state.done++ },
});

const { agents } = node.mabeam;
const commands = {
  members: () => node.cluster.members(),
  view: () => node.cluster.all(),
  async agents() {
    const ref = await agents.register(`busy of ${node.name}`, {
      process: worker,
      type: 'clerk',
      capabilities: ['write'],
      protocols: ['auction.vickrey'],
      limits: { cpuShare: 0.5 },
      metadata: { team: '\u001B[31mred' },
    });
    ref.cast.work();
    const restart = { type: 'permanent', restartsMax: 0 } as const;
    const bad = await agents.register(`bad of ${node.name}`, {
      process: worker,
      capabilities: [],
      restart,
    });
    await bad.crash().catch(() => undefined);
  },
  lost: () => agents.find({ status: 'lost' }).length,
};
export type AgentsNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
