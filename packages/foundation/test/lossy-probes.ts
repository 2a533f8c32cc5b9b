/** Probes by UDP of which a share, set in shared memory, never comes in. */
import type { ProbeChannel, ProbeHost } from '../src/cluster/detector/probe-channel.ts';
import {
  openProbes as open,
  type UdpProbesSettings,
} from '../src/cluster/transports/udp-probes.ts';

export interface LossySettings extends UdpProbesSettings {
  /** Two numbers: the share, and how many were lost so far. */
  readonly lost: SharedArrayBuffer;
}

export function openProbes(host: ProbeHost, settings: LossySettings): Promise<ProbeChannel> {
  const lost = new Float64Array(settings.lost);
  return open(
    {
      self: host.self,
      nextSequence: () => host.nextSequence(),
      refused: (code) => host.refused(code),
      onDatagram: (from, bytes) => {
        const [share = 0, count = 0] = lost;
        if (Math.random() < share) lost[1] = count + 1;
        else host.onDatagram(from, bytes);
      },
    },
    settings,
  );
}
