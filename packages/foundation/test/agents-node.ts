// A node with agents: `agents-node.ts <options of startNode as JSON>`
import { startNode, type NodeOptions } from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

import { hoarder, worker } from './agents-processes.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode({ ...options, processes: [worker, hoarder] });
const { agents } = node.mabeam;

const commands = {
  members: () => node.cluster.members(),
  view: () => node.cluster.all(),
  /** What this node knows of all agents, as `id node status`. */
  agents: () => agents.find().map(({ id, node: where, status }) => `${id} ${where} ${status}`),
  register: async (id: string) => {
    await agents.register(id, { process: worker, init: { rate: 1 }, capabilities: [] });
  },
  start: (id: string) => agents.start(id),
  stop: (id: string) => agents.stop(id),
  restart: (id: string) => agents.restart(id),
  update: (id: string, rate: number) => agents.update(id, { init: { rate } }),
};
export type AgentsNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
