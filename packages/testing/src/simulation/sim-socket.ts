import type { Identity, Lane } from '@foundation/core/internal';

import type { SimHost } from './sim-host.ts';
import type { Simulation } from './simulation.ts';

/** What passes between two nodes: the messages of a transport, and the signs of TCP. */
export type Segment =
  | { readonly kind: 'hello' | 'welcome'; readonly greeting: Greeting }
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string }
  | { readonly kind: 'frame'; readonly lane: Lane; readonly bytes: Uint8Array }
  | { readonly kind: 'bye' }
  | { readonly kind: 'reset' };

export interface Greeting {
  readonly identity: Identity;
  readonly address: string;
  /** Connections that the sender has with the receiver. */
  readonly sessions: readonly string[];
}

/** What a socket needs of its network. */
export interface Medium {
  readonly simulation: Simulation;
  /** How long the next segment takes, in milliseconds. */
  delayMs(from: string, to: string): number;
  /** Whether segments wait, as they do while a network is cut without a sign. */
  holdsBack(from: string, to: string): boolean;
  /** The first segment of a connection has arrived. Returns whether somebody takes it. */
  accept(server: SimSocket, address: string): boolean;
}

/** How a connection comes to be. */
export interface Endpoints {
  readonly medium: Medium;
  readonly from: SimHost;
  readonly address: string;
  /** Who listens there, or an unused host. */
  readonly to: SimHost;
  readonly session: string;
}

/** Two sockets, the dialling one first. Nothing has passed yet. */
export function connectSockets(ends: Endpoints): readonly [SimSocket, SimSocket] {
  const client = new SimSocket(ends, ends.from);
  const server = new SimSocket(ends, ends.to);
  client.pairWith(server);
  server.pairWith(client);
  return [client, server];
}

/**
 * One end of a connection. What is written arrives in order, late, at most once; what was in flight when
 * the connection breaks is lost.
 */
export class SimSocket {
  readonly session: string;
  readonly host: SimHost;
  onSegment: (segment: Segment) => void = () => {};
  readonly #ends: Endpoints;
  readonly #incoming: { readonly atMs: number; readonly segment: Segment }[] = [];
  #other: SimSocket | undefined;
  #isOpen = true;
  #isAccepted: boolean;

  constructor(ends: Endpoints, host: SimHost) {
    this.#ends = ends;
    this.session = ends.session;
    this.host = host;
    this.#isAccepted = host === ends.from;
  }

  pairWith(other: SimSocket): void {
    this.#other = other;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Bytes on their way to the other end. */
  get bytesGoing(): number {
    return this.#other?.bytesComing ?? 0;
  }

  /** The other end's host. */
  get peer(): SimHost {
    return this.host === this.#ends.from ? this.#ends.to : this.#ends.from;
  }

  /** Bytes on their way to this end. */
  get bytesComing(): number {
    let bytes = 0;
    for (const { segment } of this.#incoming) {
      if (segment.kind === 'frame') bytes += segment.bytes.length;
    }
    return bytes;
  }

  write(segment: Segment): void {
    if (this.#isOpen) this.#other?.approach(segment);
  }

  /** Closes this end; the other one is told, after everything that was written. */
  end(last: Segment): void {
    this.write(last);
    this.#isOpen = false;
    this.#incoming.length = 0;
  }

  /** The network breaks the connection: this end finds out a little later. */
  tear(): void {
    this.#incoming.length = 0;
    this.approach({ kind: 'reset' });
  }

  /** What was held back passes now. */
  release(): void {
    const { nowMs } = this.#ends.medium.simulation;
    for (const _ of this.#incoming) this.#planArrival(nowMs + this.#delayMs());
  }

  /** A segment is on its way to this end. */
  approach(segment: Segment): void {
    const { nowMs } = this.#ends.medium.simulation;
    const atMs = Math.max(nowMs + this.#delayMs(), this.#incoming.at(-1)?.atMs ?? 0);
    this.#incoming.push({ atMs, segment });
    this.#planArrival(atMs);
  }

  #delayMs(): number {
    return this.#ends.medium.delayMs(this.peer.node, this.host.node);
  }

  #planArrival(atMs: number): void {
    this.#ends.medium.simulation.scheduleAt(atMs, () => this.#arrive());
  }

  #arrive(): void {
    const { medium } = this.#ends;
    const { nowMs } = medium.simulation;
    const first = this.#incoming[0];
    if (first === undefined || first.atMs > nowMs) return;
    if (medium.holdsBack(this.peer.node, this.host.node)) return;
    if (!this.host.isAlive) return this.#bounce();
    if (this.host.standsStillUntilMs > nowMs) {
      return this.#planArrival(this.host.standsStillUntilMs);
    }
    this.#incoming.shift();
    if (this.#isOpen) this.#take(first.segment);
    else this.#bounce();
  }

  #take(segment: Segment): void {
    const { medium, address } = this.#ends;
    medium.simulation.note(
      `${this.peer.node}>${this.host.node} #${this.session} ${describe(segment)}`,
    );
    if (segment.kind === 'reset') this.#isOpen = false;
    else this.#isAccepted ||= medium.accept(this, address);
    if (this.#isAccepted) this.onSegment(segment);
    else this.#bounce();
  }

  /** Nobody is here: the system says so, unless it is off. */
  #bounce(): void {
    this.#isOpen = false;
    this.#incoming.length = 0;
    if (this.host.crashed !== 'power-off') this.#other?.reset();
  }

  /** The other end is no more; this one finds out a little later. */
  reset(): void {
    if (this.#isOpen) this.approach({ kind: 'reset' });
  }

  /** The host's end of it: a killed process's system tells the other end, a dark machine does not. */
  lose(): void {
    this.#isOpen = false;
    this.#incoming.length = 0;
    if (this.host.crashed === 'kill') this.#other?.reset();
  }
}

function describe(segment: Segment): string {
  switch (segment.kind) {
    case 'frame':
      return `${segment.lane} ${Buffer.from(segment.bytes).toString('base64')}`;
    case 'refused':
      return `refused ${segment.code}`;
    case 'hello':
    case 'welcome':
      return `${segment.kind} ${segment.greeting.identity.node}.${segment.greeting.identity.incarnation}`;
    case 'ready':
    case 'bye':
    case 'reset':
      return segment.kind;
  }
}
