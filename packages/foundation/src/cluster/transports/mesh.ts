import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import { FoundationError, isFoundationError, messageOf } from '../../errors.ts';
import { invalidOption } from '../../options.ts';
import { JoinBuffers } from '../../wire/part-joiner.ts';
import type { Address } from '../address.ts';
import { isClusterName, isNodeName } from '../names.ts';
import type {
  Identity,
  Link,
  Transport,
  TransportCounters,
  TransportHandlers,
} from '../transport.ts';
import { FrameSocket } from './frame-socket.ts';
import { addressCharsMax, advertisedAddress } from './mesh-address.ts';
import { certificateKeys } from './mesh-certificates.ts';
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
import {
  checkCredentials,
  meshSettings,
  secretsOf,
  type MeshCredentials,
  type MeshOptions,
  type MeshSettings,
} from './mesh-options.ts';
import { secretKeys } from './mesh-secret.ts';
import { Strangers } from './mesh-strangers.ts';
import { channelBinding, tlsFailure, type MeshKeys } from './mesh-tls.ts';

/** What a stranger may send before it is known, in bytes a frame. */
const strangerBytesMax = 4_096;
/** Room that sessions may take in a greeting. */
const sessionsBytesMax = 1_024;
/** Milliseconds between two events about connections past a limit; all are counted. */
const tellOverloadEveryMs = 1_000;
/** How often frames on their way are looked at, within the time that they have. */
const looksPerFrame = 10;

/** From start to stop. */
interface Running {
  readonly server: Server;
  readonly keys: MeshKeys;
  readonly handshake: HandshakeHost;
  readonly link: LinkHost;
  /** What goes on in the background. */
  readonly watches: DisposableStack;
}

/**
 * One TLS 1.3 connection a pair of nodes, by a key that is derived from the cluster's secret, or by mutual
 * certificates.
 *
 * The secret proves membership, not which member: with it, a node can take any name. A certificate names
 * its node. A greeting is bound to its connection, so that it cannot be replayed on another. Frames of a
 * turn of the event loop leave together; see `FrameWriter` for lanes and bounds.
 */
export class MeshTransport implements Transport {
  readonly name = 'mesh';
  readonly #credentials: MeshCredentials;
  readonly #options: MeshSettings;
  readonly #traffic = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  readonly #refused: Record<string, number> = {};
  readonly #links = new Map<string, MeshLink>();
  readonly #dials = new Map<string, Promise<Link>>();
  readonly #sockets = new Set<Socket>();
  #toldOverloadAt = -Infinity;
  #running: Running | undefined;

  /** @throws FoundationError `SECRET_INVALID` when a secret is too short to be one, or `INVALID_OPTION`. */
  constructor(options: MeshOptions) {
    checkCredentials(options);
    this.#credentials = options;
    this.#options = meshSettings(options);
  }

  /**
   * @throws FoundationError `INVALID_OPTION` when it cannot listen there, or `self.meta` is too large;
   * `CERTIFICATE_INVALID`
   */
  async start(self: Identity, handlers: TransportHandlers): Promise<string> {
    const { clock, handshakeTimeoutMs, advertise } = this.#options;
    checkGreeting(self);
    const keys = await this.#keys(self);
    const server = createServer({ ...keys.listening, handshakeTimeout: handshakeTimeoutMs });
    const bound = await listen(server, this.#options);
    const address = orClose(server, () => advertisedAddress(bound, advertise, networkInterfaces()));
    const handshake: HandshakeHost = {
      self,
      address,
      proofKeys: keys.proofKeys,
      clock,
      timeoutMs: handshakeTimeoutMs,
      greeted: new Map(),
      admit: (peer) => handlers.admit(peer),
      heldSessions: () => new Map([...this.#links].map(([node, { session }]) => [node, session])),
    };
    const link = this.#linkHost(handlers);
    const watches = this.#watch(server, keys, link);
    this.#running = { server, keys, handshake, link, watches };
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
    running.watches.dispose();
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

  async #keys(self: Identity): Promise<MeshKeys> {
    const { renewEveryMs, clock } = this.#options;
    const { certificates } = this.#credentials;
    if (certificates === undefined) return secretKeys(secretsOf(this.#credentials), self.cluster);
    return certificateKeys(certificates, { self, renewEveryMs, wallNow: () => clock.wallNow() });
  }

  #watch(server: Server, keys: MeshKeys, link: LinkHost): DisposableStack {
    const { clock, frameTimeoutMs } = this.#options;
    const watches = new DisposableStack();
    watches.use(keys.keepFresh(server, { clock, onProblem: (error) => link.refused(error) }));
    const timer = clock.every(frameTimeoutMs / looksPerFrame, () => {
      for (const each of this.#links.values()) each.checkProgress(frameTimeoutMs / looksPerFrame);
    });
    watches.defer(() => timer.cancel());
    return watches;
  }

  #linkHost(handlers: TransportHandlers): LinkHost {
    const { clock, frameBytesMax, frameTimeoutMs, queuedBytesMax } = this.#options;
    return {
      clock,
      handlers,
      frameBytesMax,
      frameTimeoutMs,
      queuedBytesMax,
      joinBuffers: new JoinBuffers(),
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
    const { connectionsMax, strangersMax } = this.#options;
    const strangers = new Strangers(strangersMax);
    // Cheaper than below, and counts what was accepted only.
    server.maxConnections = connectionsMax;
    server.on('drop', () => link.refused(tooMany({ connectionsMax })));
    server.on('connection', (socket: Socket) => {
      if (this.#sockets.size >= connectionsMax) {
        link.refused(tooMany({ connectionsMax }));
        socket.destroy();
        return;
      }
      this.#track(socket);
      if (!strangers.meet(socket)) link.refused(tooMany({ strangersMax }));
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      link.refused(tlsFailure(error, `handshake with ${socket.remoteAddress ?? 'a stranger'}`));
      socket.destroy();
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      const stranger = this.#meet(socket, running.keys);
      acceptPeer(stranger, handshake, (outcome) => {
        strangers.introduced(socket);
        if (isFoundationError(outcome)) link.refused(outcome);
        else if (this.#running !== running) stranger.socket.destroy();
        else this.#up(stranger, outcome, link);
      });
    });
  }

  #dial(address: string, running: Running): Promise<Link> {
    const { handshake, link, keys } = running;
    return new Promise((resolve, reject) => {
      const fail = (error: FoundationError): void => {
        link.refused(error);
        reject(error);
      };
      const socket = connectTls(address, { ...handshake, keys }, (connected) => {
        if (isFoundationError(connected)) return fail(connected);
        if (this.#running !== running) return reject(stopped());
        const stranger = this.#meet(connected, keys);
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

  #meet(socket: TLSSocket, keys: MeshKeys): Stranger {
    const binding = channelBinding(socket);
    const framed = new FrameSocket(socket, this.#traffic, strangerBytesMax);
    return { socket: framed, binding, proven: provenNode(socket, keys) };
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
    if (error.code !== 'OVERLOADED' || this.#mayTellOverload()) handlers.onRefused(error);
  }

  /** Whoever floods a node must not flood its log. */
  #mayTellOverload(): boolean {
    const now = this.#options.clock.now();
    if (now - this.#toldOverloadAt < tellOverloadEveryMs) return false;
    this.#toldOverloadAt = now;
    return true;
  }

  /** A node that was given its own address has dialled itself: nothing to tell. */
  #isAboutSelf({ code, details }: FoundationError): boolean {
    return code === 'DUPLICATE_LINK' && details['node'] === this.#running?.handshake.self.node;
  }
}

function provenNode(socket: TLSSocket, keys: MeshKeys): string | FoundationError | undefined {
  try {
    return keys.provenNode(socket);
  } catch (error) {
    if (isFoundationError(error)) return error;
    throw error;
  }
}

function listen(server: Server, { host, port }: Address): Promise<Address> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => {
      const what = `cannot listen on ${host}:${port}: ${messageOf(cause)}`;
      reject(new FoundationError('INVALID_OPTION', what, { details: { host, port }, cause }));
    });
    server.listen({ host, port }, () => resolve(boundTo(server.address())));
  });
}

function boundTo(bound: AddressInfo | string | null): Address {
  assert(typeof bound === 'object' && bound !== null, 'a server that listens has an address');
  return { host: bound.address, port: bound.port };
}

function orClose<T>(server: Server, action: () => T): T {
  try {
    return action();
  } catch (error) {
    server.close();
    throw error;
  }
}

/** Whatever other nodes would refuse is refused here. */
function checkGreeting(self: Identity): void {
  const { node, cluster } = self;
  if (!isNodeName(node)) throw invalidOption('mesh', { node }, 'the name of a node');
  if (!isClusterName(cluster)) throw invalidOption('mesh', { cluster }, 'the name of a cluster');
  const longest = { identity: self, address: 'x'.repeat(addressCharsMax), sessions: [] };
  const { length } = encodeHello(longest, () => Buffer.alloc(32));
  const bytesMax = strangerBytesMax - sessionsBytesMax;
  if (length <= bytesMax) return;
  throw new FoundationError(
    'INVALID_OPTION',
    `the introduction of ${self.node} takes ${length} bytes, where ${bytesMax} are allowed`,
    { hint: 'Keep `meta` small.', details: { length, bytesMax } },
  );
}

function tooMany(limit: Readonly<Record<string, number>>): FoundationError {
  const [[name, max] = []] = Object.entries(limit);
  return new FoundationError('OVERLOADED', `${max} connections (${name}): one was dropped`, {
    details: limit,
  });
}

function stopped(): FoundationError {
  return new FoundationError('NODE_STOPPED', 'the transport does not run');
}
