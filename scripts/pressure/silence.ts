import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** Connections that say nothing. */
export class Silence implements Disposable {
  readonly #sockets: Socket[] = [];
  #open = 0;
  #longestMs = 0;

  /** Resolves when all are connected, or were hung up on. */
  static async begin(port: number, count: number): Promise<Silence> {
    const silence = new Silence();
    await Promise.all(Array.from({ length: count }, () => silence.#connect(port)));
    return silence;
  }

  /** How many are open. */
  get open(): number {
    return this.#open;
  }

  /** How long the longest of those that are closed was open, in milliseconds. */
  get longestMs(): number {
    return this.#longestMs;
  }

  [Symbol.dispose](): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #connect(port: number): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port });
    this.#sockets.push(socket);
    const began = performance.now();
    this.#open++;
    socket.on('error', () => {});
    // It has to be read, or its end is not seen.
    socket.resume();
    socket.once('close', () => {
      this.#open--;
      this.#longestMs = Math.max(this.#longestMs, performance.now() - began);
    });
    await Promise.race([once(socket, 'connect'), once(socket, 'close')]);
  }
}
