import assert from 'node:assert/strict';
import type { AddressInfo, Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { createServer, type Server, type TLSSocket } from 'node:tls';

import { FoundationError, isFoundationError, messageOf } from '../../errors.ts';
import { moduleBeside } from '../../module-beside.ts';
import { addressCharsMax, parseAddress, type Address } from '../address.ts';
import type { ProbeSource } from '../detector/probe-channel.ts';
import type {
  Identity,
  Link,
  Transport,
  TransportCounters,
  TransportHandlers,
} from '../transport.ts';
import { FrameSocket } from './frame-socket.ts';
import { checkGreeting, LinkTable, strangerBytesMax, transportStopped } from './link-table.ts';
import { advertisedAddress } from './mesh-address.ts';
import { certificateKeys } from './mesh-certificates.ts';
import { connectTls } from './mesh-connect.ts';
import { acceptPeer, introduce, type HandshakeHost, type Stranger } from './mesh-handshake.ts';
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
import type { UdpProbesSettings } from './udp-probes.ts';

/** From start to stop. */
interface Running {
  readonly server: Server;
  readonly bound: Address;
  readonly keys: MeshKeys;
  readonly handshake: HandshakeHost;
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
  readonly #links: LinkTable;
  readonly #sockets = new Set<Socket>();
  #running: Running | undefined;

  /** @throws FoundationError `SECRET_INVALID` when a secret is too short to be one, or `INVALID_OPTION`. */
  constructor(options: MeshOptions) {
    checkCredentials(options);
    this.#credentials = options;
    this.#options = meshSettings(options);
    this.#links = new LinkTable(this.#options);
  }

  /**
   * @throws FoundationError `ADDRESS_IN_USE`; `INVALID_OPTION` when it cannot listen there, or `self.meta` is too large;
   * `CERTIFICATE_INVALID`
   */
  async start(self: Identity, handlers: TransportHandlers): Promise<string> {
    const { clock, handshakeTimeoutMs, advertise } = this.#options;
    checkGreeting('mesh', self, addressCharsMax);
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
      isAddress: (text) => parseAddress(text) !== undefined,
      admit: (peer, at) => handlers.admit(peer, at),
      heldSessions: () => this.#links.sessions(),
    };
    const watches = new DisposableStack();
    watches.use(this.#links.open(self, handlers));
    const onProblem = (error: FoundationError): void => this.#links.refuse(error);
    watches.use(keys.keepFresh(server, { clock, onProblem }));
    this.#running = { server, bound, keys, handshake, watches };
    this.#serve(this.#running);
    return address;
  }

  async dial(address: string): Promise<Link> {
    const running = this.#running;
    if (running === undefined) throw transportStopped();
    return this.#links.dial(address, () => this.#dial(address, running));
  }

  /** UDP on the same port, where that is free. */
  probes(): ProbeSource {
    if (this.#running === undefined) throw transportStopped();
    const { bound, handshake } = this.#running;
    const told = parseAddress(handshake.address)?.port ?? bound.port;
    const settings: UdpProbesSettings = { cluster: handshake.self.cluster, ...bound, told };
    const { href: module } = moduleBeside(import.meta.url, 'udp-probes');
    return { kind: 'thread', module, settings };
  }

  async stop(graceMs = 1_000): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    this.#running = undefined;
    running.watches.dispose();
    const unbound = new Promise((resolve) => {
      running.server.close(resolve);
    });
    await this.#links.end(graceMs);
    for (const socket of this.#sockets) socket.destroy();
    await unbound;
  }

  counters(): TransportCounters {
    return this.#links.counters();
  }

  async #keys(self: Identity): Promise<MeshKeys> {
    const { renewEveryMs, clock } = this.#options;
    const { certificates } = this.#credentials;
    if (certificates === undefined) return secretKeys(secretsOf(this.#credentials), self.cluster);
    return certificateKeys(certificates, { self, renewEveryMs, wallNow: () => clock.wallNow() });
  }

  #serve(running: Running): void {
    const { server, handshake } = running;
    const links = this.#links;
    const { connectionsMax, strangersMax } = this.#options;
    const strangers = new Strangers(strangersMax);
    // Cheaper than below, and counts what was accepted only.
    server.maxConnections = connectionsMax;
    server.on('drop', () => links.refuse(tooMany({ connectionsMax })));
    server.on('connection', (socket: Socket) => {
      if (this.#sockets.size >= connectionsMax) {
        links.refuse(tooMany({ connectionsMax }));
        socket.destroy();
        return;
      }
      this.#track(socket);
      if (!strangers.meet(socket)) links.refuse(tooMany({ strangersMax }));
    });
    server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
      links.refuse(tlsFailure(error, `handshake with ${socket.remoteAddress ?? 'a stranger'}`));
      socket.destroy();
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      const stranger = this.#meet(socket, running.keys);
      acceptPeer(stranger, handshake, (outcome) => {
        strangers.introduced(socket);
        links.accepted(stranger, outcome);
      });
    });
  }

  #dial(address: string, running: Running): Promise<Link> {
    const { handshake, keys } = running;
    const { connectTimeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const socket = connectTls(address, { ...handshake, connectTimeoutMs, keys }, (connected) => {
        if (isFoundationError(connected)) {
          this.#links.refuse(connected);
          return reject(connected);
        }
        if (this.#running !== running) return reject(transportStopped());
        const stranger = this.#meet(connected, keys);
        introduce(stranger, handshake, (outcome) => {
          if (this.#running !== running) return reject(transportStopped());
          const link = this.#links.dialled(stranger, outcome);
          if (isFoundationError(link)) reject(link);
          else resolve(link);
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
    const framed = new FrameSocket(socket, this.#links.traffic, strangerBytesMax);
    return { socket: framed, binding, proven: provenNode(socket, keys) };
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
    server.once('error', (cause) => reject(cannotListen({ host, port }, cause)));
    server.listen({ host, port }, () => resolve(boundTo(server.address())));
  });
}

function cannotListen({ host, port }: Address, cause: Error): FoundationError {
  const what = `cannot listen on ${host}:${port}: ${messageOf(cause)}`;
  const details = { host, port };
  switch ('code' in cause ? cause.code : undefined) {
    case 'EADDRINUSE': {
      const hint = `Another program listens there, perhaps another node: \`ss -ltnp sport = :${port}\` tells which. Stop it, or set another \`listen.port\`; 0 takes a free one.`;
      return new FoundationError('ADDRESS_IN_USE', what, { hint, details, cause });
    }
    case 'EADDRNOTAVAIL': {
      const hint = 'Set `listen.host` to an address of this machine, or `0.0.0.0` for all of them.';
      return new FoundationError('INVALID_OPTION', what, { hint, details, cause });
    }
    default: {
      const hint = 'Set `listen.host` and `listen.port` to what this user may listen on.';
      return new FoundationError('INVALID_OPTION', what, { hint, details, cause });
    }
  }
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

function tooMany(limit: Readonly<Record<string, number>>): FoundationError {
  const [[name, max] = []] = Object.entries(limit);
  return new FoundationError('OVERLOADED', `${max} connections (${name}): one was dropped`, {
    details: limit,
  });
}
