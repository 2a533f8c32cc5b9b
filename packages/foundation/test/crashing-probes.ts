/** Probes whose thread crashes soon after it first tells an address, and works from then on. */
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
  let isToCrash = host.nextSequence() === 1;
  return {
    addressFor: (peer) => {
      if (isToCrash) setTimeout(crash, 50);
      isToCrash = false;
      return channel.addressFor(peer);
    },
    send: (to, bytes) => channel.send(to, bytes),
    close: () => channel.close(),
  };
}

function crash(): never {
  throw new RangeError('the thread of the probes crashes');
}
