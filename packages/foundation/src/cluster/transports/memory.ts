import { FoundationError } from '../../errors.ts';
import type { ProbeChannel, ProbeHost, ProbeSource } from '../detector/probe-channel.ts';
import type {
  Identity,
  Lane,
  Link,
  LinkDownReason,
  Transport,
  TransportCounters,
  TransportHandlers,
} from '../transport.ts';
import { dialGoesOn } from './duplicate-state.ts';
import { MemoryLink, type MemoryEnd, type MemoryWire } from './memory-link.ts';

/**
 * A network inside one program. What is sent arrives with the next turn of the event loop; across a cut
 * it waits, as it does in TCP, and arrives when the cut heals.
 */
export class MemoryNetwork {
  readonly #listeners = new Map<string, MemoryTransport>();
  readonly #probes = new Map<string, ProbeHost>();
  readonly #cuts = new Set<string>();
  readonly #waiting = new Set<() => void>();
  readonly #schedule: (turn: () => void) => void;
  #ports = 0;
  #sessions = 0;

  /** @param schedule - Runs the next turn; a simulator brings its own. */
  constructor(schedule: (turn: () => void) => void = setImmediate) {
    this.#schedule = schedule;
  }

  /** Nothing passes between two nodes, by name, until `heal`; neither is told. */
  cut(a: string, b: string): void {
    this.#cuts.add(`${a} ${b}`).add(`${b} ${a}`);
  }

  /** Ends all cuts. */
  heal(): void {
    this.#cuts.clear();
    for (const turn of this.#waiting) this.#schedule(turn);
    this.#waiting.clear();
  }

  /** The node at `address` dies without a word; its peers find their links reset. */
  crash(address: string): void {
    this.#listeners.get(address)?.crash();
    this.#listeners.delete(address);
    this.#probes.delete(address);
  }

  /** @internal */
  listen(transport: MemoryTransport): string {
    const address = `memory:${++this.#ports}`;
    this.#listeners.set(address, transport);
    return address;
  }

  /** @internal Datagrams arrive with the next turn; across a cut they are lost. */
  openProbes(address: string, host: ProbeHost): ProbeChannel {
    const { self } = host;
    this.#probes.set(address, host);
    return {
      addressFor: () => address,
      send: (to, bytes) => {
        const copy = bytes.slice();
        const isLost = this.#isCut(self.node, to.node) || !this.#probes.has(address);
        if (!isLost)
          this.#schedule(() => this.#probes.get(to.probeAddress)?.onDatagram(self, copy));
      },
      close: async () => void this.#probes.delete(address),
    };
  }

  /** @internal */
  unlisten(address: string): void {
    this.#listeners.delete(address);
  }

  /** @internal */
  at(address: string, from: string): MemoryTransport {
    const found = this.#listeners.get(address);
    if (found !== undefined && !this.#isCut(from, found.self.node)) return found;
    throw new FoundationError('NODE_UNREACHABLE', `nobody answers at ${address}`, {
      details: { address, isRefused: found === undefined },
    });
  }

  #pass(from: string, to: string, action: () => void): void {
    const turn = (): void => {
      if (this.#isCut(from, to)) this.#waiting.add(turn);
      else action();
    };
    this.#schedule(turn);
  }

  /** @internal */
  nextTurn(): Promise<void> {
    return new Promise((resolve) => {
      this.#schedule(resolve);
    });
  }

  /** @internal */
  newWire(): MemoryWire {
    const session = String(++this.#sessions);
    return { session, pass: (from, to, action) => this.#pass(from, to, action) };
  }

  #isCut(a: string, b: string): boolean {
    return this.#cuts.has(`${a} ${b}`);
  }
}

/** A node's door to a {@link MemoryNetwork}: the whole contract, without sockets or secrets. */
export class MemoryTransport implements Transport, MemoryEnd {
  readonly name = 'memory';
  readonly #network: MemoryNetwork;
  readonly #links = new Map<string, MemoryLink>();
  readonly #dialling = new Map<string, Promise<Link>>();
  readonly #counts = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  readonly #refused: Record<string, number> = {};
  #running: { self: Identity; handlers: TransportHandlers; address: string } | undefined;

  constructor(network: MemoryNetwork) {
    this.#network = network;
  }

  /** @internal */
  get self(): Identity {
    return this.#runs().self;
  }

  /** @internal */
  get address(): string {
    return this.#runs().address;
  }

  async start(self: Identity, handlers: TransportHandlers): Promise<string> {
    const address = this.#network.listen(this);
    this.#running = { self, handlers, address };
    return address;
  }

  async dial(address: string): Promise<Link> {
    this.#runs();
    const existing = [...this.#links.values()].find((link) => link.peerAddress === address);
    if (existing !== undefined) return existing;
    const dialling = this.#dialling.get(address) ?? this.#dial(address);
    this.#dialling.set(address, dialling);
    try {
      return await dialling;
    } finally {
      this.#dialling.delete(address);
    }
  }

  probes(): ProbeSource {
    const { address } = this;
    return { kind: 'here', open: async (host) => this.#network.openProbes(address, host) };
  }

  async stop(): Promise<void> {
    if (this.#running === undefined) return;
    this.#network.unlisten(this.#running.address);
    for (const link of this.#links.values()) link.close('stop');
    this.#running = undefined;
    await this.#network.nextTurn();
  }

  counters(): TransportCounters {
    return { ...this.#counts, refused: { ...this.#refused } };
  }

  /** @internal */
  crash(): void {
    this.#running = undefined;
    for (const link of this.#links.values()) link.vanish();
    this.#links.clear();
  }

  /** @internal */
  received(link: MemoryLink, lane: Lane, frame: Uint8Array): void {
    this.#counts.framesIn++;
    this.#counts.bytesIn += frame.length;
    this.#running?.handlers.onFrame(link, lane, frame);
  }

  /** @internal */
  sent(frame: Uint8Array): void {
    this.#counts.framesOut++;
    this.#counts.bytesOut += frame.length;
  }

  /** @internal */
  down(link: MemoryLink, reason: LinkDownReason): void {
    if (this.#links.get(link.peer.node) === link) this.#links.delete(link.peer.node);
    this.#running?.handlers.onDown(link, reason);
  }

  async #dial(address: string): Promise<Link> {
    await this.#network.nextTurn();
    const { self, address: own } = this.#runs();
    const target = this.#network.at(address, self.node);
    const peer = target.self;
    const held = this.#links.get(peer.node);
    const theirs = target.#links.get(self.node)?.session;
    const goesOn = dialGoesOn({
      self: self.node,
      peer: peer.node,
      theirs: theirs === undefined ? [] : [theirs],
      heldBefore: held?.session,
      held: held?.session,
      greeted: target.#dialling.has(own) ? ['crossing'] : [],
    });
    const refusal =
      this.#objection(peer) ?? target.#objection(self) ?? (goesOn ? undefined : crossed(peer));
    if (refusal === undefined) return this.#connect(target);
    this.#refuse(refusal);
    target.#refuse(refusal);
    if (held !== undefined && refusal.code === 'DUPLICATE_LINK') return held;
    throw refusal;
  }

  #objection(peer: Identity): FoundationError | undefined {
    const { self, handlers } = this.#runs();
    if (peer.cluster !== self.cluster) {
      const what = `${peer.node} belongs to cluster ${peer.cluster}, not ${self.cluster}`;
      return new FoundationError('WRONG_CLUSTER', what);
    }
    if (peer.node === self.node) return crossed(peer);
    return handlers.admit(peer);
  }

  #connect(target: MemoryTransport): Link {
    const wire = this.#network.newWire();
    const here = new MemoryLink(this, target, wire);
    const there = new MemoryLink(target, this, wire);
    here.joinTo(there);
    there.joinTo(here);
    this.#up(here);
    target.#up(there);
    return here;
  }

  #up(link: MemoryLink): void {
    this.#links.get(link.peer.node)?.end('replaced');
    this.#links.set(link.peer.node, link);
    this.#runs().handlers.onLink(link);
  }

  #refuse(error: FoundationError): void {
    this.#refused[error.code] = (this.#refused[error.code] ?? 0) + 1;
    this.#runs().handlers.onRefused(error);
  }

  #runs(): { self: Identity; handlers: TransportHandlers; address: string } {
    if (this.#running !== undefined) return this.#running;
    throw new FoundationError('NODE_STOPPED', 'the transport does not run');
  }
}

function crossed(peer: Identity): FoundationError {
  return new FoundationError('DUPLICATE_LINK', `a link with ${peer.node} exists already`, {
    details: { node: peer.node },
  });
}
