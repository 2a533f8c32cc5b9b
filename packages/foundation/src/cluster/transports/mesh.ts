import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { createServer, type SecureContext, type Server, type TLSSocket } from 'node:tls';

import { systemClock, type Clock } from '../../clock.ts';
import { FoundationError, isFoundationError, messageOf } from '../../errors.ts';
import { frameBytesMaxDefault } from '../../wire/frame.ts';
import { formatAddress } from '../address.ts';
import type {
  Identity,
  Link,
  Transport,
  TransportCounters,
  TransportHandlers,
} from '../transport.ts';
import { FrameSocket } from './frame-socket.ts';
import { connectTls } from './mesh-connect.ts';
import {
  acceptPeer,
  introduce,
  sessionOf,
  type HandshakeHost,
  type Stranger,
} from './mesh-handshake.ts';
import { encodeHello, type Hello } from './mesh-hello.ts';
import { MeshLink, type LinkHost } from './mesh-link.ts';
import { channelBinding, meshKeys, meshSecureContext, meshTls, tlsFailure } from './mesh-tls.ts';

/** The secret of a mesh, where it listens, and its limits. */
export interface MeshOptions {
  /** The cluster's secret, 16 bytes or more. Whoever has it is a member. */
  readonly secret: Uint8Array;
  /** Address to listen on. @defaultValue '127.0.0.1' */
  readonly host?: string;
  /** Port to listen on; 0 takes a free one. @defaultValue 0 */
  readonly port?: number;
  /** Longest that TLS, and then the introduction, may take, in milliseconds. @defaultValue 5_000 */
  readonly handshakeTimeoutMs?: number;
  /** Connections accepted at a time; more are dropped and counted as `OVERLOADED`. @defaultValue 512 */
  readonly connectionsMax?: number;
  /** Largest frame in either direction, in bytes. @defaultValue 16 MiB */
  readonly frameBytesMax?: number;
  /** Bytes that the normal and the bulk lane may each hold back for a slow peer. @defaultValue 4 MiB */
  readonly queuedBytesMax?: number;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
}

/** What a mesh does unless told otherwise. */
export const meshDefaults: Required<Omit<MeshOptions, 'secret'>> = {
  host: '127.0.0.1',
  port: 0,
  handshakeTimeoutMs: 5_000,
  connectionsMax: 512,
  frameBytesMax: frameBytesMaxDefault,
  queuedBytesMax: 4 * 2 ** 20,
  clock: systemClock,
};

/** What a stranger may send before it is known, in bytes a frame. */
const strangerBytesMax = 4_096;
/** Room that sessions may take in a greeting. */
const sessionsBytesMax = 1_024;
const secretBytesMin = 16;

/** From start to stop. */
interface Running {
  readonly server: Server;
  readonly handshake: HandshakeHost;
  readonly link: LinkHost;
}

/**
 * One TLS 1.3 connection a pair of nodes, by a key that is derived from the cluster's secret.
 *
 * The secret proves membership, not which member: with it, a node can take any name. A greeting is bound
 * to its connection, so that it cannot be replayed on another. Frames of a turn of the event loop leave
 * together; see `FrameWriter` for lanes and bounds.
 */
export class MeshTransport implements Transport {
  readonly name = 'mesh';
  readonly #options: Required<MeshOptions>;
  readonly #secureContext: SecureContext = meshSecureContext();
  readonly #traffic = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  readonly #refused: Record<string, number> = {};
  readonly #links = new Map<string, MeshLink>();
  readonly #dials = new Map<string, Promise<Link>>();
  readonly #sockets = new Set<Socket>();
  #running: Running | undefined;

  /** @throws FoundationError `SECRET_INVALID` when the secret is too short to be one. */
  constructor(options: MeshOptions) {
    this.#options = { ...meshDefaults, ...options };
    const { length } = options.secret;
    if (length >= secretBytesMin) return;
    throw new FoundationError('SECRET_INVALID', `a cluster secret of ${length} bytes`, {
      hint: `Use ${secretBytesMin} random bytes or more.`,
    });
  }

  /** @throws FoundationError `INVALID_OPTION` when it cannot listen there, or `self.meta` is too large. */
  async start(self: Identity, handlers: TransportHandlers): Promise<string> {
    const { secret, clock, handshakeTimeoutMs } = this.#options;
    checkGreeting(self);
    const keys = meshKeys(secret, self.cluster);
    const server = createServer({
      ...meshTls,
      handshakeTimeout: handshakeTimeoutMs,
      pskCallback: (_, identity) => keys.pskFor(identity),
    });
    const address = await listen(server, this.#options);
    const handshake: HandshakeHost = {
      self,
      address,
      keys,
      clock,
      timeoutMs: handshakeTimeoutMs,
      greeted: new Map(),
      admit: (peer) => handlers.admit(peer),
      heldSessions: () => new Map([...this.#links].map(([node, { session }]) => [node, session])),
    };
    this.#running = { server, handshake, link: this.#linkHost(handlers) };
    this.#serve(this.#running);
    return address;
  }

  async dial(address: string): Promise<Link> {
    if (this.#running === undefined) throw stopped();
    const existing = [...this.#links.values()].find((link) => link.peerAddress === address);
    if (existing !== undefined) return existing;
    const dialling = this.#dials.get(address) ?? this.#dial(address, this.#running);
    this.#dials.set(address, dialling);
    try {
      return await dialling;
    } finally {
      this.#dials.delete(address);
    }
  }

  async stop(graceMs = 1_000): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    const unbound = new Promise((resolve) => {
      running.server.close(resolve);
    });
    const links = [...this.#links.values()];
    for (const link of links) link.end('stop', graceMs);
    await Promise.all(links.map((link) => link.closed));
    for (const socket of this.#sockets) socket.destroy();
    await unbound;
  }

  counters(): TransportCounters {
    return { ...this.#traffic, refused: { ...this.#refused } };
  }

  #linkHost(handlers: TransportHandlers): LinkHost {
    const { clock, frameBytesMax, queuedBytesMax } = this.#options;
    return {
      clock,
      handlers,
      frameBytesMax,
      queuedBytesMax,
      traffic: this.#traffic,
      refused: (error) => this.#refuse(error, handlers),
      onDown: (link, reason) => {
        if (this.#links.get(link.peer.node) === link) this.#links.delete(link.peer.node);
        handlers.onDown(link, reason);
      },
    };
  }

  #serve(running: Running): void {
    const { server, link, handshake } = running;
    server.maxConnections = this.#options.connectionsMax;
    server.on('connection', (socket: Socket) => this.#track(socket));
    server.on('drop', () => link.refused(tooMany(this.#options.connectionsMax)));
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      link.refused(tlsFailure(error, `handshake with ${socket.remoteAddress ?? 'a stranger'}`));
      socket.destroy();
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      const stranger = this.#meet(socket);
      acceptPeer(stranger, handshake, (outcome) => {
        if (isFoundationError(outcome)) link.refused(outcome);
        else if (this.#running !== running) stranger.socket.destroy();
        else this.#up(stranger, outcome, link);
      });
    });
  }

  #dial(address: string, running: Running): Promise<Link> {
    const { handshake, link } = running;
    const secureContext = this.#secureContext;
    return new Promise((resolve, reject) => {
      const fail = (error: FoundationError): void => {
        link.refused(error);
        reject(error);
      };
      const socket = connectTls(address, { ...handshake, secureContext }, (connected) => {
        if (isFoundationError(connected)) return fail(connected);
        if (this.#running !== running) return reject(stopped());
        const stranger = this.#meet(connected);
        introduce(stranger, handshake, (outcome) => {
          if (this.#running !== running) return reject(stopped());
          if (!isFoundationError(outcome)) return resolve(this.#up(stranger, outcome, link));
          const existing = this.#links.get(String(outcome.details['node']));
          if (outcome.code !== 'DUPLICATE_LINK' || existing === undefined) return fail(outcome);
          link.refused(outcome);
          resolve(existing);
        });
      });
      if (socket !== undefined) this.#track(socket);
    });
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }

  #meet(socket: TLSSocket): Stranger {
    const binding = channelBinding(socket);
    return { socket: new FrameSocket(socket, this.#traffic, strangerBytesMax), binding };
  }

  #up(stranger: Stranger, hello: Hello, host: LinkHost): MeshLink {
    const { node } = hello.identity;
    this.#links.get(node)?.replace();
    const link = new MeshLink({ ...hello, session: sessionOf(stranger) }, stranger.socket, host);
    this.#links.set(node, link);
    host.handlers.onLink(link);
    return link;
  }

  #refuse(error: FoundationError, handlers: TransportHandlers): void {
    if (error.code === 'NODE_UNREACHABLE' || this.#isAboutSelf(error)) return;
    this.#refused[error.code] = (this.#refused[error.code] ?? 0) + 1;
    handlers.onRefused(error);
  }

  /** A node that was given its own address has dialled itself: nothing to tell. */
  #isAboutSelf({ code, details }: FoundationError): boolean {
    return code === 'DUPLICATE_LINK' && details['node'] === this.#running?.handshake.self.node;
  }
}

/** Resolves with the address that peers can dial. */
function listen(server: Server, options: Required<MeshOptions>): Promise<string> {
  const { host, port } = options;
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const what = `cannot listen on ${host}:${port}: ${messageOf(cause)}`;
      reject(new FoundationError('INVALID_OPTION', what, { details: { host, port }, cause }));
    });
    server.listen({ host, port }, () => resolve(addressOf(server.address())));
  });
}

function addressOf(bound: AddressInfo | string | null): string {
  assert(typeof bound === 'object' && bound !== null, 'a server that listens has an address');
  const { address, port } = bound;
  return formatAddress({ host: address, port });
}

function checkGreeting(self: Identity): void {
  const longest = { identity: self, address: 'x'.repeat(64), sessions: [] };
  const { length } = encodeHello(longest, () => Buffer.alloc(32));
  const bytesMax = strangerBytesMax - sessionsBytesMax;
  if (length <= bytesMax) return;
  throw new FoundationError(
    'INVALID_OPTION',
    `the introduction of ${self.node} takes ${length} bytes, where ${bytesMax} are allowed`,
    { hint: 'Keep `meta` small.', details: { length, bytesMax } },
  );
}

function tooMany(connectionsMax: number): FoundationError {
  const what = `${connectionsMax} connections are open, a further one was dropped`;
  return new FoundationError('OVERLOADED', what, { details: { connectionsMax } });
}

function stopped(): FoundationError {
  return new FoundationError('NODE_STOPPED', 'the transport does not run');
}
