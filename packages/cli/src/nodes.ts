import {
  isFoundationError,
  type ClusterHealth,
  type ClusterMember,
  type Node,
} from '@foundation/core';
import { printable } from '@foundation/core/internal';

import { table } from './table.ts';

export interface NodesView {
  /** Members and observers, but not the one who asks. */
  readonly nodes: readonly ClusterMember[];
  /** How the cluster is, as the first member that answers sees it. */
  readonly health: (ClusterHealth & { readonly seenBy: string }) | undefined;
}

export async function viewNodes(node: Node): Promise<NodesView> {
  const nodes = node.cluster.all().filter(({ isSelf }) => !isSelf);
  return { nodes, health: await healthBy(node, nodes) };
}

async function healthBy(node: Node, nodes: readonly ClusterMember[]): Promise<NodesView['health']> {
  for (const { node: name, role } of nodes) {
    if (role !== 'member') continue;
    try {
      return { ...(await node.cluster.health(name)), seenBy: name };
    } catch (error) {
      if (!isFoundationError(error)) throw error; // else the next one may answer
    }
  }
  return undefined;
}

export function printNodes({ nodes, health }: NodesView): string {
  const links = new Map(health?.links.map((link) => [link.node, link]));
  const rows = table(nodes, {
    node: (row) => row.node,
    role: (row) => row.role,
    status: (row) => row.status,
    incarnation: (row) => row.incarnation,
    address: (row) => row.address,
    'os pid': (row) => row.osPid,
    'round trip': (row) => milliseconds(links.get(row.node)?.roundTripMs),
    queued: (row) => links.get(row.node)?.queuedBytes,
  });
  return health === undefined ? rows : `${rows}\n\n${printHealth(health)}`;
}

function printHealth(health: NonNullable<NodesView['health']>): string {
  const { status, seenBy, split, store, recommendations } = health;
  const { name, promises, readMs } = store;
  const facts = [
    `${status}, as ${seenBy} sees it`,
    `split: ${split.policy}, ${split.voters.length - split.absent.length} of ${split.voters.length} voters seen`,
    `store: ${name}, for one ${promises.scope}, outlives ${promises.outlives}, read in ${milliseconds(readMs) ?? '-'}`,
  ];
  const advice = recommendations.flatMap(({ severity, what, fix }) => [
    `${severity}: ${what}`,
    `  ${fix}`,
  ]);
  // Told by another node.
  return [...facts, ...advice].map(printable).join('\n');
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value.toFixed(1)} ms`;
}
