import assert from 'node:assert/strict';

import type { ProbeChannel, ProbeHost } from '../detector/probe-channel.ts';
import { probeBytesMax } from '../detector/swim-message.ts';
import { ProbeSeal } from './probe-seal.ts';

/** What carries packets between nodes, and knows nothing of whose they are. */
export interface PacketCarrier {
  /** Where packets for this node are received. */
  readonly place: string;
  /** What cannot be sent is lost. */
  send(to: PacketTarget, packet: Buffer): void;
  close(): Promise<void>;
}

/** Where a packet goes. */
export interface PacketTarget {
  readonly node: string;
  /** Where its transport listens. */
  readonly address: string;
  /** Where its own carrier receives packets. */
  readonly place: string;
}

/**
 * Probes in sealed packets. What is not proven to be of a member gets no answer, and answers go where the member
 * receives, wherever a packet seems to come from: so nobody can use a node to flood another.
 *
 * @param open - Opens the carrier, which tells each packet that comes in.
 */
export async function sealedProbes(
  host: ProbeHost,
  cluster: string,
  open: (onPacket: (packet: Buffer) => void) => Promise<PacketCarrier>,
): Promise<ProbeChannel> {
  const nextSequence = (): number => host.nextSequence();
  const seal = new ProbeSeal({ self: host.self, cluster, nextSequence });
  const carrier = await open((packet) => {
    const unsealed = seal.unseal(packet);
    if (typeof unsealed === 'string') host.refused(unsealed);
    else host.onDatagram(unsealed.from, unsealed.bytes);
  });
  return {
    addressFor: (peer) => `${seal.keyFor(peer).toString('base64url')}@${carrier.place}`,
    send: ({ node, address, probeAddress }, bytes) => {
      const [, key, place] = /^([\w-]{43})@(.*)$/.exec(probeAddress) ?? [];
      if (key === undefined || place === undefined) return;
      const packet = seal.seal(bytes, Buffer.from(key, 'base64url'));
      assert(packet.length <= probeBytesMax, 'a probe fits into its limit');
      carrier.send({ node, address, place }, packet);
    },
    close: () => carrier.close(),
  };
}
