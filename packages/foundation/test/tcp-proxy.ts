import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** Stands between a client and a server, and misbehaves on demand. */
export interface TcpProxy extends AsyncDisposable {
  readonly port: number;
  /**
   * `pass`: it does its work. `lose-answers`: requests arrive, and the connection breaks at the answer. `stall`: it
   * keeps connections, accepts more, and passes nothing on.
   */
  mode: 'pass' | 'lose-answers' | 'stall';
  /** What clients have sent, of what was passed on. */
  passedOn(): string;
  /** How many connections clients have made, and how many of them there are. */
  connections(): { readonly made: number; readonly open: number };
  /** Breaks all connections. */
  cut(): void;
  /** From now on passes nothing on, in either direction, over connections by which this was sent. */
  deafen(sent: string): void;
}

/** A connection of a client, and its other half. */
interface Pair {
  readonly sockets: readonly Socket[];
  sent: string;
  isDeaf: boolean;
}

/** Connections to a port of loopback, by another one. */
export async function tcpProxy(to: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let passedOn = '';
  let made = 0;
  const server = createServer((client) => {
    const upstream = connect(to, '127.0.0.1');
    const pair: Pair = { sockets: [client, upstream], sent: '', isDeaf: false };
    const end = (): void => {
      pairs.delete(pair);
      for (const socket of pair.sockets) socket.destroy();
    };
    pairs.add(pair);
    made++;
    for (const socket of pair.sockets) socket.on('error', end).on('close', end);
    client.on('data', (bytes) => {
      if (pair.isDeaf || proxy.mode === 'stall') return;
      const text = bytes.toString('latin1');
      pair.sent += text;
      passedOn += text;
      upstream.write(bytes);
    });
    upstream.on('data', (bytes) => {
      if (pair.isDeaf || proxy.mode === 'stall') return;
      if (proxy.mode === 'lose-answers') end();
      else client.write(bytes);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const proxy: TcpProxy = {
    port: (server.address() as AddressInfo).port,
    mode: 'pass',
    passedOn: () => passedOn,
    connections: () => ({ made, open: pairs.size }),
    cut: () => {
      for (const { sockets } of pairs) for (const socket of sockets) socket.destroy();
    },
    deafen: (sent) => {
      for (const pair of pairs) pair.isDeaf ||= pair.sent.includes(sent);
    },
    async [Symbol.asyncDispose]() {
      const closed = once(server.close(), 'close');
      proxy.cut();
      await closed;
    },
  };
  return proxy;
}
