import { clusterNames, findConfigFile, readConfigFile } from './config/config-file.ts';
import { FoundationError } from './errors.ts';
import type { Node } from './node-api.ts';
import { nodeOptionNames, type NodeOptions } from './node-options.ts';
import { startNode } from './node.ts';
import { refuseUnknown } from './options.ts';

/** One program's nodes in several clusters. */
export interface Nodes extends AsyncDisposable {
  /** Names of the clusters, in the order of the file. */
  readonly clusters: readonly string[];
  /** The node in a cluster. @throws FoundationError `INVALID_OPTION` when there is no such cluster */
  in(cluster: string): Node;
  /** Stops all of them. */
  stop(): Promise<void>;
}

/**
 * Starts a node in each cluster that `foundation.config.ts` has under `clusters`.
 *
 * @param options - for all of them
 * @throws FoundationError `INVALID_OPTION` when no file has clusters, or what {@link startNode} throws; then none
 * stays open.
 */
export async function startNodes(options: Omit<NodeOptions, 'clusterName'> = {}): Promise<Nodes> {
  const clusters = await namesOf(options);
  const started = await Promise.allSettled(
    clusters.map((clusterName) => startNode({ ...options, clusterName })),
  );
  const nodes = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(nodes.map((node) => node.stop()));
  };
  const failed = started.find((each) => each.status === 'rejected');
  if (failed !== undefined) {
    await stop();
    throw failed.reason;
  }
  const byCluster = new Map(clusters.map((cluster, index) => [cluster, nodes[index]]));
  return {
    clusters,
    in: (cluster) => byCluster.get(cluster) ?? unknownCluster(cluster, clusters),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

async function namesOf(options: NodeOptions): Promise<readonly string[]> {
  refuseUnknown('startNodes', options, nodeOptionNames);
  const { config } = options;
  const path = config === false ? undefined : (config ?? findConfigFile(process.cwd()));
  const names = path === undefined ? [] : clusterNames(await readConfigFile(path));
  if (names.length > 0) return names;
  throw new FoundationError('INVALID_OPTION', 'no file of settings has `clusters`', {
    hint: 'Put `clusters: { web: { … }, jobs: { … } }` into foundation.config.ts, or use `startNode`.',
    ...(path === undefined ? {} : { details: { path } }),
  });
}

function unknownCluster(cluster: string, clusters: readonly string[]): never {
  throw new FoundationError('INVALID_OPTION', `this program is in no cluster "${cluster}"`, {
    hint: `It is in: ${clusters.join(', ')}.`,
    details: { cluster, clusters },
  });
}
