import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Which way bytes go. */
export type Direction = 'to-server' | 'to-client';

/** Stands between clients and a server of this machine, and does to their connections what networks do. */
export interface TcpProxy extends AsyncDisposable {
  /** Of loopback, in place of the server's. */
  readonly port: number;
  /** Keeps back what is sent, in both directions or in one; nobody is told. */
  hold(direction?: Direction): void;
  /** Lets everything go on, what was kept back first. */
  release(): void;
  /** Breaks all connections; what was kept back is lost. New ones are taken. */
  cut(): void;
}

/** Starts one for a port of loopback. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const proxy = new Proxy(target);
  await proxy.listen();
  return proxy;
}

class Proxy implements TcpProxy {
  readonly #target: number;
  readonly #pairs = new Set<Record<Direction, Socket>>();
  readonly #held = new Set<Direction>();
  readonly #server = createServer((client) => this.#join(client));

  constructor(target: number) {
    this.#target = target;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async listen(): Promise<void> {
    await once(this.#server.listen(0, '127.0.0.1'), 'listening');
  }

  hold(direction?: Direction): void {
    const held: readonly Direction[] =
      direction === undefined ? ['to-server', 'to-client'] : [direction];
    for (const way of held) this.#held.add(way);
    this.#apply();
  }

  release(): void {
    this.#held.clear();
    this.#apply();
  }

  cut(): void {
    for (const { 'to-server': client, 'to-client': server } of this.#pairs) {
      client.destroy();
      server.destroy();
    }
    this.#pairs.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(client: Socket): void {
    const server = connect(this.#target, '127.0.0.1');
    const pair = { 'to-server': client, 'to-client': server };
    this.#pairs.add(pair);
    for (const [from, to] of [
      [client, server],
      [server, client],
    ] as const) {
      from.setNoDelay(true);
      from.on('data', (bytes: Buffer) => to.write(bytes));
      from.on('error', () => {});
      from.on('close', () => {
        this.#pairs.delete(pair);
        to.destroy();
      });
    }
    this.#apply();
  }

  /** A socket that is not read holds what comes in, and in the end its sender. */
  #apply(): void {
    for (const pair of this.#pairs) {
      for (const direction of ['to-server', 'to-client'] as const) {
        if (this.#held.has(direction)) pair[direction].pause();
        else pair[direction].resume();
      }
    }
  }
}
