// A node on NATS that nats-nodes.test.ts starts: `nats-node.ts <servers> <name>`
import { defineProcess, startNode } from '@foundation/core';
import { JetStreamStore, NatsClient, NatsDiscovery, NatsTransport } from '@foundation/core/nats';
import { runTestProgram } from '@foundation/testing/program';

const [, , servers = '', name = ''] = process.argv;
const cluster = 'nats-nodes';
const secret = new Uint8Array(32).fill(7);

/** Counts, and keeps the count in the cluster's store. */
export const counter = defineProcess('counter', {
  durable: true,
  init: () => ({ count: 0 }),
  calls: { add: ({ state, node }, by: number) => `${(state.count += by)} on ${node.name}` },
});

const nats = new NatsClient({ servers, user: name, password: 'pw', inboxPrefix: `_INBOX.${name}` });
const store = new JetStreamStore({ nats, cluster, replicas: 1 });
const node = await startNode({
  name,
  clusterName: cluster,
  processes: [counter],
  ports: {
    transport: new NatsTransport({ nats, secret }),
    discovery: new NatsDiscovery({ nats, cluster, secret }),
    store,
  },
});
const problems: string[] = [];
node.events.on('refused', ({ code, message }) => {
  if (code === 'AUTHENTICATION_FAILED') problems.push(message);
});
const downs: { readonly node: string; readonly at: number }[] = [];
node.events.on('member-down', ({ node: other }) => downs.push({ node: other, at: Date.now() }));

const commands = {
  members: () => node.cluster.members().map((each) => `${each.node} ${each.status}`),
  downs: () => downs,
  problems: () => problems,
  /** The keys of the store, as a watch tells them. */
  watch: async () => {
    const keys: string[] = [];
    const handlers = { onChange: (key: string) => void keys.push(key), onError: () => {} };
    using _watch = await store.watch('', handlers);
    return keys;
  },
  /** Starts the counter, or finds it. */
  start: async (on: string) => {
    const how = { name: 'count', strategy: 'singleton', preferNode: on } as const;
    await node.processes.start(counter, how);
  },
  add: (by: number) => node.ref(counter, 'count').add(by),
};
export type NatsNodeCommands = typeof commands;
runTestProgram('ready', commands, () => node.stop());
