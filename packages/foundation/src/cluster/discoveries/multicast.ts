import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

import { ownNetworks, type OwnNetwork } from './own-networks.ts';

/** Where multicast DNS is spoken (RFC 6762). */
const group = '224.0.0.251';
const port = 5353;
/** Never leaves the link; receivers may check that. */
const hops = 255;

/** What is heard. */
export interface MulticastHandlers {
  /** @param from - the sender's address, as the packet claims */
  onPacket(packet: Uint8Array, from: string): void;
  onError(error: Error): void;
}

/** A place in the group of one interface. */
export interface Multicast {
  /** Joins the group again, in case that the interface was away. */
  rejoin(): void;
  send(packet: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** What multicast DNS needs of a machine. */
export interface MulticastNetwork {
  /** This machine's addresses in private networks. */
  own(): readonly OwnNetwork[];
  /** @param address - of the interface */
  open(address: string, handlers: MulticastHandlers): Promise<Multicast>;
}

/** The machine that this program runs on. Other programs may have the port, too. */
export const systemMulticast: MulticastNetwork = {
  own: ownNetworks,
  async open(address, handlers) {
    const socket = createSocket({ type: 'udp4', reuseAddr: true });
    try {
      socket.bind(port);
      await once(socket, 'listening');
      socket.addMembership(group, address);
      socket.setMulticastInterface(address);
      socket.setMulticastTTL(hops);
      socket.setMulticastLoopback(true);
    } catch (error) {
      socket.close();
      throw error;
    }
    socket.on('error', (error) => handlers.onError(error));
    socket.on('message', (packet, from) => {
      // An answer from another port does not come from a responder (RFC 6762, 6).
      if (from.port === port) handlers.onPacket(packet, from.address);
    });
    return new GroupMember(socket, address);
  },
};

class GroupMember implements Multicast {
  readonly #socket: Socket;
  readonly #address: string;

  constructor(socket: Socket, address: string) {
    this.#socket = socket;
    this.#address = address;
  }

  rejoin(): void {
    try {
      this.#socket.addMembership(group, this.#address);
    } catch {
      // It is a member still, or the interface is away: then sending tells.
    }
  }

  send(packet: Uint8Array): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#socket.send(packet, port, group, (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
  }

  async close(): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }
}
