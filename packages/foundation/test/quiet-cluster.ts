import { Cluster, type ClusterOptions } from '../src/cluster/cluster.ts';
import { detectorProfiles } from '../src/cluster/detector/detector-options.ts';
import { Events } from '../src/events.ts';
import { systemRandom } from '../src/random.ts';

type Chosen = Pick<ClusterOptions, 'transport' | 'discovery' | 'clock'> & {
  readonly node: string;
  readonly incarnation?: number;
  readonly events?: Events;
};

/** The membership of a node that does nothing else. */
export function quietCluster({
  node,
  incarnation = 1,
  events = new Events(),
  ...ports
}: Chosen): Cluster {
  return new Cluster({
    ...ports,
    identity: { cluster: 'test', node, incarnation, meta: {} },
    random: systemRandom,
    events,
    detector: detectorProfiles.lan,
    handlers: {
      onFrame: () => {},
      onUp: () => {},
      onRelinked: () => {},
      onLinkDown: () => {},
      onDown: () => {},
      tell: () => {},
      onDiscovery: () => {},
      onRejoin: async () => 2,
    },
  });
}
