import type { ProbeChannel, ProbeHost } from '../cluster/detector/probe-channel.ts';
import { sealedProbes, type PacketCarrier } from '../cluster/transports/sealed-probes.ts';
import { NatsClient } from './nats-client.ts';
import { NatsDatagrams } from './nats-datagrams.ts';
import type { NatsOptions } from './nats-options.ts';

/** Whose probes these are, and through which servers they go. Can be cloned. */
export interface NatsProbesSettings {
  readonly cluster: string;
  readonly nats: NatsOptions;
}

/** Probes through the servers that messages go through, over a connection of their own. */
export function openProbes(host: ProbeHost, settings: NatsProbesSettings): Promise<ProbeChannel> {
  const { cluster } = settings;
  return sealedProbes(host, cluster, async (onPacket): Promise<PacketCarrier> => {
    const nats = new NatsClient(settings.nats);
    const datagrams = new NatsDatagrams({ nats, cluster, node: host.self.node });
    await datagrams.start((bytes) => onPacket(Buffer.from(bytes)));
    return {
      place: 'nats',
      send: ({ node }, packet) => void datagrams.send(node, packet),
      close: () => datagrams.stop(),
    };
  });
}
