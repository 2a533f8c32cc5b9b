// A node of a test's cluster: `cluster-node.ts <options of startNode as JSON>`
import { subscribe } from 'node:diagnostics_channel';

import {
  startNode,
  type Definition,
  type NodeEvents,
  type NodeOptions,
  type StartOptions,
} from '@foundation/core';
import { runTestProgram } from '@foundation/testing/program';

import { chatterbox, counter, nursery, parrot, thinker, witness } from './cluster-processes.ts';

const options = JSON.parse(process.argv[2] ?? '{}') as NodeOptions;
const events: string[] = [];
// Channels, unlike `node.events`, can be listened to before there is a node.
listen('member-up', ({ node: other }) => `up ${other}`);
listen('member-down', ({ node: other, reason }) => `down ${other} ${reason}`);
listen('failover', ({ name, from }) => `failover ${name} from ${from}`);
listen('exit', ({ who, reason }) => `exit ${who} ${reason}`);
listen('refused', ({ code }) => `refused ${code}`);
listen('problem', ({ what, error }) => `problem ${what} ${String(error)}`);
const node = await startNode({ processes: [counter], ...options });
const definitions: Record<string, Definition<void, unknown>> = {
  chatterbox,
  counter,
  nursery: nursery(() => node.processes.start(parrot)),
  parrot,
  thinker,
  witness,
};

function listen<Name extends keyof NodeEvents>(
  name: Name,
  text: (event: NodeEvents[Name]) => string,
): void {
  subscribe(`foundation:${name}`, (event) => void events.push(text(event as NodeEvents[Name])));
}

/** What tests may ask of a node, each from its own point of view. */
const commands = {
  view: () => ({ members: node.cluster.members(), events, counters: node.counters() }),
  members: () => node.cluster.members().map((each) => `${each.node} ${each.incarnation}`),
  events: () => events,
  counters: () => node.counters(),
  /** Starts a process; tells its pid. */
  start: async (process: string, how: StartOptions = {}) => {
    const definition = definitions[process];
    if (definition === undefined) throw new Error(`no process ${process}`);
    return String((await node.processes.start(definition, how)).pid);
  },
  /** Address of a named process, as this node knows it. */
  lookup: (name: string) => node.registry.lookup(name)?.toString(),
  /** Names of the processes with a capability, as this node knows them. */
  capable: (capability: string) => node.registry.withCapability(capability).map(({ name }) => name),
  processes: async () => (await node.processes.list()).map((each) => each.process),
};
export type ClusterNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
