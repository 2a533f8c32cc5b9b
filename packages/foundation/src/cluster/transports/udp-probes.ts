import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { isPort, parseAddress } from '../address.ts';
import type { ProbeChannel, ProbeHost } from '../detector/probe-channel.ts';
import { sealedProbes, type PacketCarrier, type PacketTarget } from './sealed-probes.ts';

/** Where probes of a mesh are received. Can be cloned. */
export interface UdpProbesSettings {
  readonly cluster: string;
  readonly host: string;
  /** Taken when it is free, otherwise another one. */
  readonly port: number;
  /** What the others are told in its place. */
  readonly told: number;
}

/** Probes as UDP packets. */
export function openProbes(host: ProbeHost, settings: UdpProbesSettings): Promise<ProbeChannel> {
  return sealedProbes(host, settings.cluster, async (onPacket): Promise<PacketCarrier> => {
    const socket = await bind(settings);
    socket.on('message', onPacket);
    // A network that is down loses packets; that is all a datagram promises.
    socket.on('error', () => {});
    const { port } = socket.address();
    return {
      place: String(port === settings.port ? settings.told : port),
      send: (to, packet) => send(socket, to, packet),
      close: async () => {
        const closed = once(socket, 'close');
        socket.close();
        await closed;
      },
    };
  });
}

/** To the host where the transport listens. */
function send(socket: Socket, { address, place }: PacketTarget, packet: Buffer): void {
  const [target, port] = [parseAddress(address), Number(place)];
  if (target !== undefined && isPort(port)) socket.send(packet, port, target.host, () => {});
}

async function bind({ host, port }: UdpProbesSettings): Promise<Socket> {
  const type = host.includes(':') ? 'udp6' : 'udp4';
  try {
    return await bound(createSocket(type), host, port);
  } catch {
    return bound(createSocket(type), host, 0);
  }
}

function bound(socket: Socket, host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.bind({ address: host, port, exclusive: true }, () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
  });
}
