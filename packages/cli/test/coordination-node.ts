// A node whose agents hold sessions: `coordination-node.ts <options of startNode as JSON>`
import { defineProcess, startNode, type NodeOptions } from '@foundation/core';
import { auditLog, participant, vickreyAuction } from '@foundation/core/mabeam';
import { runTestProgram } from '@foundation/testing/program';

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const node = await startNode(options);
const bidder = defineProcess('bidder', {
  init: (amount: bigint) => ({ amount }),
  coordinate: participant({ bid: ({ state }: { state: { amount: bigint } }) => state.amount }),
});
await node.processes.start(bidder, { name: `a of ${node.name}`, init: 10n });
await node.processes.start(bidder, { name: `b of ${node.name}`, init: 8n });

const { coordination } = node.mabeam;
const roster = [`a of ${node.name}`, `b of ${node.name}`];
const commands = {
  members: () => node.cluster.members(),
  view: () => node.cluster.all(),
  /** Holds an auction, and gives its id and its audit log. */
  async auction(durable: boolean) {
    const how = { deadlineMs: 5_000, seed: 'seed', durable };
    const session = coordination.start(vickreyAuction, { lot: 'cpu' }, roster, how);
    return { id: session.id, log: auditLog((await session.outcome).record) };
  },
  /** Begins one that waits for somebody who is not there: its own process never answers. */
  async begin() {
    await node.processes.start(mute, { name: 'mute' });
    return coordination.start(vickreyAuction, { lot: 'x' }, ['mute'], { deadlineMs: 60_000 }).id;
  },
};
export type CoordinationNode = typeof commands;

const mute = defineProcess('mute', {
  init: () => ({}),
  coordinate: ({ later }) => later(() => new Promise<never>(() => {})),
});

runTestProgram(node.incarnation, commands, () => node.stop());
