import type { ClusterMember, Node } from '@foundation/core';

import { table } from './table.ts';

export interface NodesView {
  /** Members and observers, but not the one who asks. */
  readonly nodes: readonly ClusterMember[];
}

export async function viewNodes(node: Node): Promise<NodesView> {
  return { nodes: node.cluster.all().filter(({ isSelf }) => !isSelf) };
}

export function printNodes({ nodes }: NodesView): string {
  return table(nodes, {
    node: (row) => row.node,
    role: (row) => row.role,
    status: (row) => row.status,
    incarnation: (row) => row.incarnation,
    address: (row) => row.address,
    'os pid': (row) => row.osPid,
  });
}
