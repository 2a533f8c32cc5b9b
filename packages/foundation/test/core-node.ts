// A node that coordinates variables of the cluster: `core-node.ts <options of startNode as JSON>`
import { defineProcess, startNode, type NodeOptions } from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
interface Share {
  allocation: bigint;
}
const worker = defineProcess('worker', {
  init: (share: Share) => share,
  calls: {
    allocation: ({ state }) => state.allocation,
    configure({ state }, share: Share) {
      state.allocation = share.allocation;
    },
  },
});
const node = await startNode({ ...options, processes: [worker] });
const { agents, core } = node.mabeam;

let isOpen = true;
let isWaiting = false;
core.registerFunction('fair', async ({ agents: all, context }: never) => {
  isWaiting = !isOpen;
  while (!isOpen) await new Promise((resolve) => setTimeout(resolve, 20));
  const ids: readonly string[] = all;
  return Object.fromEntries(ids.map((id) => [id, BigInt(String(context))]));
});

const commands = {
  members: () => node.cluster.members(),
  view: () => ({ agents: agents.find(), members: node.cluster.members() }),
  knows: () => agents.find().map(({ id }) => id),
  async register(id: string) {
    await agents.register(id, {
      process: worker,
      init: { allocation: 0n },
      capabilities: ['work'],
    });
  },
  variable: (ids: readonly string[]) =>
    core.registerVariable({
      id: 'shares',
      type: 'resource_allocation',
      scope: 'cluster',
      agents: ids,
      initial: {},
      coordinate: 'fair',
      deadlineMs: 30_000,
      constraints: { total: 100n },
    }),
  setOpen(open: boolean) {
    isOpen = open;
  },
  isWaiting: () => isWaiting,
  /** Does not wait for what comes of it. */
  begin(units: number) {
    void core.coordinate('shares', units);
  },
  coordinate: (units: number) => core.coordinate('shares', units),
  get: () => core.get('shares'),
  history: () => core.history('shares'),
  allocation: (id: string) => node.processes.named(worker, id).allocation(),
};
export type CoreNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
