/** Probes whose thread crashes the first time that a channel is open, and works from then on. */
import type { ProbeChannel, ProbeHost } from '../src/cluster/detector/probe-channel.ts';
import {
  openProbes as open,
  type UdpProbesSettings,
} from '../src/cluster/transports/udp-probes.ts';

export async function openProbes(
  host: ProbeHost,
  settings: UdpProbesSettings,
): Promise<ProbeChannel> {
  const channel = await open(host, settings);
  // The numbers outlive the thread: the second one does not begin with 1.
  if (host.nextSequence() === 1) {
    setImmediate(() => {
      throw new RangeError('the thread of the probes crashes');
    });
  }
  return channel;
}
