import { FoundationError, isFoundationError, type FoundationErrorCode } from '@foundation/core';
import {
  dialGoesOn,
  type Identity,
  type Lane,
  type Link,
  type LinkDownReason,
  type ProbeSource,
  type Transport,
  type TransportCounters,
  type TransportHandlers,
} from '@foundation/core/internal';

import type { SimHost } from './sim-host.ts';
import { SimLink } from './sim-link.ts';
import type { Listener, SimNetwork } from './sim-network.ts';
import type { Greeting, SimSocket } from './sim-socket.ts';

interface Running {
  readonly self: Identity;
  readonly address: string;
  readonly handlers: TransportHandlers;
}

/** Milliseconds after which a dial that gets no answer is given up. */
const dialTimeoutMs = 5_000;

/** A host's door to a {@link SimNetwork}; greets as the mesh does, without keys. */
export class SimTransport implements Transport, Listener {
  readonly name = 'sim';
  readonly host: SimHost;
  readonly #network: SimNetwork;
  readonly #links = new Map<string, SimLink>();
  readonly #dials = new Map<string, Promise<Link>>();
  /** Dials of others that were welcomed and not confirmed yet: session to node. */
  readonly #greeted = new Map<string, string>();
  readonly #strangers = new Set<SimSocket>();
  readonly #traffic = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  readonly #refused: Record<string, number> = {};
  #running: Running | undefined;

  constructor(network: SimNetwork, host: SimHost) {
    this.#network = network;
    this.host = host;
  }

  async start(self: Identity, handlers: TransportHandlers): Promise<string> {
    const address = this.#network.listen(this);
    this.#running = { self, address, handlers };
    return address;
  }

  async dial(address: string): Promise<Link> {
    const running = this.#runs();
    const existing = [...this.#links.values()].find((link) => link.peerAddress === address);
    if (existing !== undefined) return existing;
    const dialling = this.#dials.get(address) ?? this.#dial(address, running);
    this.#dials.set(address, dialling);
    try {
      return await dialling;
    } finally {
      if (this.#dials.get(address) === dialling) this.#dials.delete(address);
    }
  }

  probes(): ProbeSource {
    return { kind: 'here', open: async (host) => this.#network.openProbes(this.host, host) };
  }

  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    this.#network.unlisten(this.#running.address);
    for (const link of this.#links.values()) link.close('stop');
    this.#running = undefined;
    for (const socket of this.#strangers) socket.end({ kind: 'reset' });
    for (const socket of this.#strangers) socket.onSegment({ kind: 'reset' });
    await new Promise<void>((resolve) => {
      this.#network.simulation.schedule(1, resolve, this.host);
    });
  }

  counters(): TransportCounters {
    return { ...this.#traffic, refused: { ...this.#refused } };
  }

  // ── the dialling side: hello, welcome → ready ──────────────────────────────

  #dial(address: string, running: Running): Promise<Link> {
    const { promise, resolve, reject } = Promise.withResolvers<Link>();
    const socket = this.#network.connect(this.host, address);
    const heldBefore = new Map([...this.#links].map(([node, { session }]) => [node, session]));
    const settle = (outcome: Link | FoundationError): void => {
      timer.cancel();
      this.#strangers.delete(socket);
      if (isFoundationError(outcome)) reject(outcome);
      else resolve(outcome);
    };
    const timer = this.#network.simulation.schedule(
      dialTimeoutMs,
      () => {
        socket.end({ kind: 'reset' });
        settle(unreachable(address, false));
      },
      this.host,
    );
    this.#strangers.add(socket);
    socket.onSegment = (segment) => {
      if (segment.kind === 'refused') settle(this.#refusedBy(segment, running));
      else if (segment.kind !== 'welcome') settle(unreachable(address, segment.kind === 'reset'));
      else settle(this.#confirm(socket, segment.greeting, heldBefore));
    };
    socket.write({ kind: 'hello', greeting: this.#greeting(running, '') });
    return promise;
  }

  #confirm(
    socket: SimSocket,
    greeting: Greeting,
    heldBefore: ReadonlyMap<string, string>,
  ): Link | FoundationError {
    const running = this.#runs();
    const { identity } = greeting;
    const refusal = this.#objection(identity, running);
    if (refusal !== undefined) return this.#refuse(socket, refusal, running);
    const held = this.#links.get(identity.node);
    const goesOn = dialGoesOn({
      self: running.self.node,
      peer: identity.node,
      theirs: greeting.sessions,
      heldBefore: heldBefore.get(identity.node),
      held: held?.session,
      greeted: this.#greetedOf(identity.node),
    });
    if (!goesOn) {
      const crossed = this.#refuse(socket, duplicate(identity), running);
      return held ?? crossed;
    }
    socket.write({ kind: 'ready' });
    return this.#up(socket, greeting, running);
  }

  // ── the answering side: hello → welcome, ready ─────────────────────────────

  accept(socket: SimSocket): void {
    this.#strangers.add(socket);
    socket.onSegment = (segment) => {
      const running = this.#running;
      if (running === undefined || segment.kind !== 'hello') this.#forget(socket);
      else this.#welcome(socket, segment.greeting, running);
    };
  }

  #welcome(socket: SimSocket, greeting: Greeting, running: Running): void {
    const { node } = greeting.identity;
    const refusal = this.#objection(greeting.identity, running);
    if (refusal !== undefined) {
      this.#forget(socket);
      this.#refuse(socket, refusal, running);
      return;
    }
    socket.write({ kind: 'welcome', greeting: this.#greeting(running, node) });
    this.#greeted.set(socket.session, node);
    socket.onSegment = (segment) => {
      this.#forget(socket);
      if (segment.kind === 'refused') this.#refusedBy(segment, running);
      else if (segment.kind === 'ready') this.#up(socket, greeting, running);
    };
  }

  #forget(socket: SimSocket): void {
    this.#strangers.delete(socket);
    this.#greeted.delete(socket.session);
  }

  // ── both ───────────────────────────────────────────────────────────────────

  #up(socket: SimSocket, greeting: Greeting, { handlers }: Running): SimLink {
    const { node } = greeting.identity;
    this.#links.get(node)?.replace();
    const link = new SimLink(greeting, socket, {
      simulation: this.#network.simulation,
      onFrame: (from, lane, bytes) => this.#received({ from, lane, bytes }, handlers),
      onDown: (lost, reason) => this.#down(lost, reason, handlers),
    });
    this.#links.set(node, link);
    handlers.onLink(link);
    return link;
  }

  #received(
    { from, lane, bytes }: { from: Link; lane: Lane; bytes: Uint8Array },
    handlers: TransportHandlers,
  ): void {
    this.#traffic.framesIn++;
    this.#traffic.bytesIn += bytes.length;
    handlers.onFrame(from, lane, bytes);
  }

  #down(link: SimLink, reason: LinkDownReason, handlers: TransportHandlers): void {
    if (this.#links.get(link.peer.node) === link) this.#links.delete(link.peer.node);
    handlers.onDown(link, reason);
  }

  #greeting({ self, address }: Running, peer: string): Greeting {
    const held = this.#links.get(peer)?.session;
    const greeted = this.#greetedOf(peer);
    return { identity: self, address, sessions: held === undefined ? greeted : [held, ...greeted] };
  }

  #greetedOf(node: string): readonly string[] {
    return [...this.#greeted].filter(([, of]) => of === node).map(([session]) => session);
  }

  #objection(peer: Identity, { self, handlers }: Running): FoundationError | undefined {
    if (peer.cluster !== self.cluster) {
      const what = `${peer.node} belongs to cluster ${peer.cluster}, not ${self.cluster}`;
      return new FoundationError('WRONG_CLUSTER', what);
    }
    return peer.node === self.node ? duplicate(peer) : handlers.admit(peer);
  }

  #refuse(socket: SimSocket, error: FoundationError, { handlers }: Running): FoundationError {
    const { code, message } = error;
    socket.end({ kind: 'refused', code, message });
    return this.#count(error, handlers);
  }

  #refusedBy(
    { code, message }: { readonly code: string; readonly message: string },
    { handlers }: Running,
  ): FoundationError {
    return this.#count(new FoundationError(code as FoundationErrorCode, message), handlers);
  }

  #count(error: FoundationError, handlers: TransportHandlers): FoundationError {
    this.#refused[error.code] = (this.#refused[error.code] ?? 0) + 1;
    handlers.onRefused(error);
    return error;
  }

  #runs(): Running {
    if (this.#running !== undefined) return this.#running;
    throw new FoundationError('NODE_STOPPED', 'the transport does not run');
  }
}

function unreachable(address: string, isRefused: boolean): FoundationError {
  return new FoundationError('NODE_UNREACHABLE', `nobody answers at ${address}`, {
    details: { isRefused },
  });
}

function duplicate({ node }: Identity): FoundationError {
  return new FoundationError('DUPLICATE_LINK', `a link with ${node} exists already`, {
    details: { node },
  });
}
