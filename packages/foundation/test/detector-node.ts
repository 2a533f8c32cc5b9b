// A node whose probes can be made to get lost, or one on NATS: `detector-node.ts <options of startNode, and NATS servers, as JSON>`
import { existsSync } from 'node:fs';

import { startNode, type NodeOptions } from '@foundation/core';
import {
  clusterHome,
  MemoryStore,
  MeshTransport,
  readOrCreateSecrets,
  type ProbeSource,
} from '@foundation/core/internal';
import { NatsClient, NatsDiscovery, NatsTransport } from '@foundation/core/nats';
import { runTestProgram } from '@foundation/testing/program';

/** A mesh whose probes come in or do not. */
class LossyMesh extends MeshTransport {
  readonly lost = new SharedArrayBuffer(2 * Float64Array.BYTES_PER_ELEMENT);

  override probes(): ProbeSource {
    const source = super.probes();
    if (source.kind === 'here') return source;
    const settings = { ...Object(source.settings), lost: this.lost };
    return { ...source, module: new URL('lossy-probes.ts', import.meta.url).href, settings };
  }
}

const { servers, ...options } = JSON.parse(process.argv[2] ?? '{}') as NodeOptions & {
  readonly servers?: string;
};
const { secretPath } = clusterHome({
  cluster: options.clusterName,
  directory: options.directory,
  env: {},
  cwd: '/',
});
const secret = await readOrCreateSecrets(secretPath);
const transport = new LossyMesh({ secret });
const events: string[] = [];
const node = await startNode({
  ...options,
  ports: servers === undefined ? { transport } : onNats(servers),
});

/** Ports through NATS servers. */
function onNats(urls: string): NonNullable<NodeOptions['ports']> {
  const [nats, cluster] = [new NatsClient({ servers: urls }), 'detector'];
  return {
    transport: new NatsTransport({ nats, secret }),
    discovery: new NatsDiscovery({ nats, cluster, secret }),
    store: new MemoryStore(),
  };
}
node.events.on('member-down', ({ node: other, reason }) => events.push(`down ${other} ${reason}`));
node.events.on('member-changed', ({ node: other, status }) => events.push(`${status} ${other}`));
node.events.on('problem', ({ what }) => events.push(`problem ${what}`));

function standStill(forMs: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, forMs);
}

const commands = {
  view: () => ({ members: node.cluster.members(), events }),
  members: () => node.cluster.members(),
  events: () => events,
  /** The others whose probes were answered on the way that no event loop can block. */
  probed: async () => {
    const { links } = await node.cluster.health();
    return links.filter(({ probeMs }) => probeMs !== undefined).map((link) => link.node);
  },
  /** A share of the probes from others is not received from now on. */
  lose: (share: number) => new Float64Array(transport.lost).set([share, 0]),
  /** How many were lost since then. */
  lost: () => new Float64Array(transport.lost)[1],
  /** The event loop stands still. */
  stall: (forMs: number) => {
    setTimeout(() => standStill(forMs), 10);
  },
  /** The event loop stands still until there is such a file, 30 s at most. */
  stallUntil: (path: string) => {
    setTimeout(() => {
      const endMs = performance.now() + 30_000;
      while (!existsSync(path) && performance.now() < endMs) standStill(20);
    }, 10);
  },
};
export type DetectorNode = typeof commands;

runTestProgram(node.incarnation, commands, () => node.stop());
