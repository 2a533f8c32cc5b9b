import {
  LaneOrder,
  type Identity,
  type Lane,
  type Link,
  type LinkDownReason,
} from '@foundation/core/internal';

import type { Greeting, Segment, SimSocket } from './sim-socket.ts';
import type { Simulation } from './simulation.ts';

/** What a link tells its transport. */
export interface SimLinkHandlers {
  onFrame(link: SimLink, lane: Lane, bytes: Uint8Array): void;
  onDown(link: SimLink, reason: LinkDownReason): void;
}

const lanes: readonly Lane[] = ['control', 'normal', 'bulk'];

/** A connection to a node that has said who it is. Frames of one turn leave together, control first. */
export class SimLink implements Link {
  readonly peer: Identity;
  readonly peerAddress: string;
  readonly session: string;
  receivedBytes = 0;
  readonly #socket: SimSocket;
  readonly #simulation: Simulation;
  readonly #handlers: SimLinkHandlers;
  readonly #order = new LaneOrder();
  #queued: { readonly lane: Lane; readonly bytes: Uint8Array }[] = [];
  #isOpen = true;

  constructor(
    { identity, address }: Greeting,
    socket: SimSocket,
    host: SimLinkHandlers & { readonly simulation: Simulation },
  ) {
    this.peer = identity;
    this.peerAddress = address;
    this.session = socket.session;
    this.#socket = socket;
    this.#simulation = host.simulation;
    this.#handlers = host;
    socket.onSegment = (segment) => this.#receive(segment);
  }

  get queuedBytes(): number {
    return this.#queued.reduce((sum, { bytes }) => sum + bytes.length, 0) + this.#socket.bytesGoing;
  }

  send(wanted: Lane, frame: Uint8Array, to?: number): boolean {
    if (!this.#isOpen) return false;
    const lane = this.#order.laneOf(wanted, to);
    if (this.#queued.length === 0) {
      this.#simulation.schedule(0, () => this.#flush(), this.#socket.host);
    }
    this.#queued.push({ lane, bytes: frame.slice() });
    return true;
  }

  close(_reason: string): void {
    if (!this.#isOpen) return;
    this.#flush();
    this.#socket.end({ kind: 'bye' });
    this.#down('local');
  }

  /** Makes way for a new connection to the same node. */
  replace(): void {
    if (!this.#isOpen) return;
    this.#socket.end({ kind: 'reset' });
    this.#down('replaced');
  }

  #flush(): void {
    for (const wanted of lanes) {
      for (const { lane, bytes } of this.#queued) {
        if (lane === wanted) this.#socket.write({ kind: 'frame', lane, bytes });
      }
    }
    this.#queued = [];
    this.#order.clear();
  }

  #receive(segment: Segment): void {
    if (!this.#isOpen) return;
    if (segment.kind === 'frame') {
      this.receivedBytes += segment.bytes.length;
      this.#handlers.onFrame(this, segment.lane, segment.bytes);
    } else if (segment.kind === 'bye') this.#down('closed');
    else if (segment.kind === 'reset') this.#down('reset');
  }

  #down(reason: LinkDownReason): void {
    this.#isOpen = false;
    this.#handlers.onDown(this, reason);
  }
}
