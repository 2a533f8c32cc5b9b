import type { Life, ProbeChannel, ProbeHost } from '@foundation/core/internal';

import { SimHost, type CrashKind } from './sim-host.ts';
import { connectSockets, type Medium, type SimSocket } from './sim-socket.ts';
import type { Simulation } from './simulation.ts';

/** Takes connections at an address. */
export interface Listener {
  readonly host: SimHost;
  accept(socket: SimSocket): void;
}

/** `reset`: connections break and dials fail at once. `silent`: everything waits. */
export type CutKind = 'reset' | 'silent';

/** How fast a simulated network is. */
export interface SimNetworkOptions {
  /** Shortest time a segment takes, in milliseconds. @defaultValue 0.2 */
  readonly delayMinMs?: number;
  /** Longest time a segment takes, in milliseconds; each time is drawn from the seed. @defaultValue 5 */
  readonly delayMaxMs?: number;
}

/**
 * Hosts and the network between them. Connections are like TCP: they keep order and lose nothing but with
 * themselves. Datagrams are lost, and overtake each other. Cuts, slow paths and crashes are put in by name
 * of node.
 */
export class SimNetwork implements Medium {
  readonly simulation: Simulation;
  readonly #delayMinMs: number;
  readonly #delayMaxMs: number;
  readonly #listeners = new Map<string, Listener>();
  readonly #sockets = new Set<SimSocket>();
  readonly #cuts = new Map<string, CutKind>();
  readonly #slow = new Map<string, number>();
  readonly #deafTo = new Set<string>();
  readonly #probes = new Map<string, { readonly owner: SimHost; readonly host: ProbeHost }>();
  #lostShare = 0;
  #areDatagramsBlocked = false;
  readonly #nobody: SimHost;
  #ports = 0;
  #channels = 0;
  #sessions = 0;

  constructor(simulation: Simulation, options: SimNetworkOptions = {}) {
    this.simulation = simulation;
    this.#delayMinMs = options.delayMinMs ?? 0.2;
    this.#delayMaxMs = options.delayMaxMs ?? 5;
    this.#nobody = new SimHost(simulation, '');
  }

  // ── faults ─────────────────────────────────────────────────────────────────

  /** Nothing passes between two nodes until {@link heal}. */
  cut(a: string, b: string, kind: CutKind): void {
    this.simulation.note(`cut ${a} ${b} ${kind}`);
    this.#cuts.set(pair(a, b), kind);
    if (kind === 'reset') this.#tear(a, b);
  }

  /** Nothing passes from one node to another: no datagrams, and as TCP needs both ways, no connection. */
  cutOneWay(from: string, to: string): void {
    this.simulation.note(`cut ${from} > ${to}`);
    this.#deafTo.add(`${from} ${to}`);
  }

  /** Each datagram is lost with this probability. */
  lose(share: number): void {
    this.simulation.note(`lose ${share}`);
    this.#lostShare = share;
  }

  /** No datagrams pass at all, as behind some firewalls; connections do. */
  blockDatagrams(): void {
    this.simulation.note('block datagrams');
    this.#areDatagramsBlocked = true;
  }

  /** Breaks the connections between two nodes; new ones can be made. */
  break(a: string, b: string): void {
    this.simulation.note(`break ${a} ${b}`);
    this.#tear(a, b);
  }

  /** Cuts every node of one group off from every node of the other. */
  split(left: readonly string[], right: readonly string[], kind: CutKind): void {
    for (const a of left) for (const b of right) this.cut(a, b, kind);
  }

  /** Ends all cuts and losses; what waited passes. */
  heal(): void {
    this.simulation.note('heal');
    const held = this.#open().filter(({ host, peer }) => this.holdsBack(peer.node, host.node));
    this.#cuts.clear();
    this.#deafTo.clear();
    this.#lostShare = 0;
    this.#areDatagramsBlocked = false;
    for (const socket of held) socket.release();
  }

  /** Everything between two nodes takes longer by so many milliseconds; 0 ends it. */
  slowDown(a: string, b: string, extraMs: number): void {
    this.simulation.note(`slow ${a} ${b} ${extraMs}`);
    this.#slow.set(pair(a, b), extraMs);
  }

  /** A host ends without a word of its own. */
  crash(host: SimHost, kind: CrashKind): void {
    this.simulation.note(`crash ${host.node} ${kind}`);
    host.crash(kind);
    for (const socket of this.#open()) if (socket.host === host) socket.lose();
    // To a dark machine a dial gets no answer at all, so its address stays.
    if (kind === 'power-off') return;
    for (const [address, listener] of this.#listeners) {
      if (listener.host === host) this.#listeners.delete(address);
    }
  }

  // ── connections ────────────────────────────────────────────────────────────

  /** Listens; an address may be one that a killed listener had. */
  listen(listener: Listener): string {
    for (const [address, { host }] of this.#listeners) {
      if (host.node === listener.host.node) this.#listeners.delete(address);
    }
    const drawn = `sim:${1 + this.simulation.random.int(this.#ports + 1)}`;
    const address = this.#listeners.has(drawn) ? `sim:${this.#ports + 1}` : drawn;
    this.#ports = Math.max(this.#ports, Number(address.slice('sim:'.length)));
    this.#listeners.set(address, listener);
    return address;
  }

  unlisten(address: string): void {
    this.#listeners.delete(address);
  }

  connect(from: SimHost, address: string): SimSocket {
    const to = this.#listeners.get(address)?.host ?? this.#nobody;
    const session = String(++this.#sessions);
    const [client, server] = connectSockets({ medium: this, from, to, address, session });
    this.#sockets.add(client).add(server);
    if (this.#cuts.get(pair(from.node, to.node)) === 'reset') client.tear();
    return client;
  }

  accept(server: SimSocket, address: string): boolean {
    const listener = this.#listeners.get(address);
    if (listener?.host !== server.host) return false;
    listener.accept(server);
    return true;
  }

  delayMs(from: string, to: string): number {
    const { random } = this.simulation;
    const drawn = this.#delayMinMs + random.next() * (this.#delayMaxMs - this.#delayMinMs);
    return drawn + (this.#slow.get(pair(from, to)) ?? 0);
  }

  holdsBack(from: string, to: string): boolean {
    const isOneWay = this.#deafTo.has(`${from} ${to}`) || this.#deafTo.has(`${to} ${from}`);
    return isOneWay || this.#cuts.get(pair(from, to)) === 'silent';
  }

  // ── datagrams ──────────────────────────────────────────────────────────────

  /** A host's end of the datagrams, until it crashes or closes it. */
  openProbes(owner: SimHost, host: ProbeHost): ProbeChannel {
    const address = `sim-probes:${++this.#channels}`;
    const { self } = host;
    this.#probes.set(address, { owner, host });
    return {
      addressFor: () => address,
      send: ({ node, probeAddress }, bytes) => {
        if (this.#isLost(self.node, node)) return;
        const copy = bytes.slice();
        const arrive = (): void => this.#deliver(self, probeAddress, copy);
        this.simulation.schedule(this.delayMs(self.node, node), arrive);
      },
      close: async () => void this.#probes.delete(address),
    };
  }

  #isLost(from: string, to: string): boolean {
    const isCut = this.#cuts.has(pair(from, to)) || this.#deafTo.has(`${from} ${to}`);
    return isCut || this.#areDatagramsBlocked || this.simulation.random.next() < this.#lostShare;
  }

  #deliver(from: Life, address: string, bytes: Uint8Array): void {
    const { owner, host } = this.#probes.get(address) ?? {};
    if (host === undefined || owner?.isAlive !== true) return;
    const { simulation } = this;
    if (owner.standsStillUntilMs > simulation.nowMs) {
      // It waits in the system's queue.
      const again = (): void => this.#deliver(from, address, bytes);
      simulation.scheduleAt(owner.standsStillUntilMs, again);
      return;
    }
    simulation.note(`${from.node}>${host.self.node} probe ${bytes[0]} ${bytes.length}`);
    host.onDatagram(from, bytes);
  }

  #tear(a: string, b: string): void {
    for (const socket of this.#open()) {
      if (pair(socket.host.node, socket.peer.node) === pair(a, b)) socket.tear();
    }
  }

  #open(): readonly SimSocket[] {
    for (const socket of this.#sockets) if (!socket.isOpen) this.#sockets.delete(socket);
    return [...this.#sockets];
  }
}

function pair(a: string, b: string): string {
  return a < b ? `${a} ${b}` : `${b} ${a}`;
}
