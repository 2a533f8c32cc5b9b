// A node on a host of a lab, which finds the others by multicast DNS: `address port name [ttlMs refreshMs]`.
import { startNode } from '@foundation/core';
import { MeshTransport, type Discovery } from '@foundation/core/internal';
import { MdnsDiscovery } from '@foundation/core/mdns';
import { runTestProgram } from '@foundation/testing/program';

const [host = '', port = '0', name = '', ttlMs = '30000', refreshMs = '10000'] =
  process.argv.slice(2);
const secret = new Uint8Array(32).fill(7);

const told: (readonly string[])[] = [];
const errors: string[] = [];
let dials = 0;

const transport = new MeshTransport({ secret, host, port: Number(port) });
const dial = transport.dial.bind(transport);
transport.dial = (address) => {
  dials++;
  return dial(address);
};

const mdns = new MdnsDiscovery({
  secret,
  cluster: 'mdns',
  ttlMs: Number(ttlMs),
  refreshMs: Number(refreshMs),
});
/** Remembers what was told. */
const discovery: Discovery = {
  name: 'mdns',
  start: (self, handlers) =>
    mdns.start(self, {
      onPeers(hints) {
        told.push(hints.map(({ address }) => address));
        handlers.onPeers(hints);
      },
      onError(error) {
        errors.push(String(error));
        handlers.onError(error);
      },
    }),
  refresh: () => mdns.refresh(),
  stop: () => mdns.stop(),
};

const node = await startNode({ name, clusterName: 'mdns', ports: { transport, discovery } });

const commands = {
  members: () => node.cluster.members().map((member) => member.node),
  hints: () => told.at(-1) ?? [],
  told: () => told,
  errors: () => errors,
  dials: () => dials,
  /** Bytes that are held, after everything else has been let go. */
  heap: () => {
    globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  },
  refresh: () => mdns.refresh(),
};
export type MdnsNode = typeof commands;
runTestProgram(node.name, commands, () => node.stop());
