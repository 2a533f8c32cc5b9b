import { existsSync } from 'node:fs';

import {
  FoundationError,
  startNode,
  systemClock,
  type ClusterView,
  type Node,
} from '@foundation/core';
import { clusterHome, type ClusterHome } from '@foundation/core/internal';

export interface ObserveOptions {
  /** Name of the cluster. @defaultValue the name of the nearest package.json */
  readonly cluster?: string;
  /** Where clusters keep their files. @defaultValue FOUNDATION_HOME, or the user's state directory */
  readonly directory?: string;
  /** Longest time to look for nodes, in milliseconds. */
  readonly waitMs: number;
}

/** Milliseconds without a new node after which all are taken to be linked. */
const quietMs = 300;

/**
 * Joins a cluster of this machine as an observer, which hosts nothing and is not counted, gives the
 * node to `look` when it is linked to the others, and leaves.
 *
 * @returns the name of the cluster, with what `look` returned.
 * @throws FoundationError `NODE_UNREACHABLE` when nobody is there, or what `startNode` throws.
 */
export async function observe<T>(
  { cluster, directory, waitMs }: ObserveOptions,
  look: (node: Node) => Promise<T>,
): Promise<T & { readonly cluster: string }> {
  const home = clusterHome({ cluster, directory, env: process.env, cwd: process.cwd() });
  // Joining would make the cluster's files.
  if (!existsSync(home.databasePath)) throw notRunning(home);
  await using node = await startNode({
    role: 'observer',
    clusterName: home.name,
    ...(directory === undefined ? {} : { directory }),
  });
  await settled(node.cluster, waitMs);
  if (node.cluster.members().length === 0) {
    throw notRunning(home);
  }
  return { cluster: home.name, ...(await look(node)) };
}

function notRunning({ name, directory }: ClusterHome): FoundationError {
  return new FoundationError('NODE_UNREACHABLE', `no cluster "${name}" is running`, {
    hint: `Looked in ${directory}; \`--cluster\` and \`--directory\` lead to another one.`,
  });
}

/** Resolves when somebody is linked and nothing has changed for a while; at the latest after `waitMs`. */
async function settled(cluster: ClusterView, waitMs: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const deadline = systemClock.after(waitMs, resolve);
  let quiet = systemClock.after(waitMs, resolve);
  const begin = (): void => {
    if (cluster.all().length === 1) return;
    quiet.cancel();
    quiet = systemClock.after(quietMs, resolve);
  };
  using _watch = cluster.onChange(begin);
  begin();
  await promise;
  deadline.cancel();
  quiet.cancel();
}
