import type { Socket } from 'node:net';

/**
 * Connections whose other end has not proven who it is yet. There is room for a few: a newcomer takes the
 * place of the one that has been here longest, as a node introduces itself within milliseconds. So those
 * who connect and say nothing do not keep a node out, however many they are.
 */
export class Strangers {
  readonly #max: number;
  /** By the other end's address and port; the longest here first. */
  readonly #sockets = new Map<string, Socket>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Takes a newcomer in. Returns false when another one had to go for it. */
  meet(socket: Socket): boolean {
    const key = remoteEnd(socket);
    this.#sockets.set(key, socket);
    socket.once('close', () => this.#sockets.delete(key));
    if (this.#sockets.size <= this.#max) return true;
    const [oldest] = this.#sockets.entries();
    this.#sockets.delete(oldest?.[0] ?? key);
    oldest?.[1].destroy();
    return false;
  }

  /** Lets one go that is no stranger any more. */
  introduced(socket: Socket): void {
    this.#sockets.delete(remoteEnd(socket));
  }
}

/** The same for a TLS socket and for the one below it. */
function remoteEnd({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
