import { lanes } from '../../wire/frame-writer.ts';
import { frameBytesMaxDefault, frameTooLarge } from '../../wire/frame.ts';
import type { Identity, Lane, Link, LinkDownReason } from '../transport.ts';
import { LaneOrder } from './lane-order.ts';

/** Bytes that a lane may hold back, as over the mesh. */
const queuedBytesMax: Readonly<Record<Lane, number>> = {
  control: 2 ** 20,
  normal: 4 * 2 ** 20,
  bulk: frameBytesMaxDefault,
};

/** A transport as one of its links sees it. */
export interface MemoryEnd {
  readonly self: Identity;
  readonly address: string;
  sent(frame: Uint8Array): void;
  received(link: MemoryLink, lane: Lane, frame: Uint8Array): void;
  down(link: MemoryLink, reason: LinkDownReason): void;
}

/** Where the frames of a link pass. */
export interface MemoryWire {
  readonly session: string;
  /** Runs `action` with the next turn in which nothing is cut between two nodes. */
  pass(from: string, to: string, action: () => void): void;
}

/** One side of a connection inside a program. */
export class MemoryLink implements Link {
  readonly peer: Identity;
  readonly peerAddress: string;
  readonly session: string;
  readonly #own: MemoryEnd;
  readonly #wire: MemoryWire;
  readonly #self: string;
  readonly #queues: Record<Lane, Uint8Array[]> = { control: [], normal: [], bulk: [] };
  receivedBytes = 0;
  readonly #bytes: Record<Lane, number> = { control: 0, normal: 0, bulk: 0 };
  readonly #order = new LaneOrder();
  #other: MemoryLink | undefined;
  #isOpen = true;
  #isScheduled = false;

  constructor(own: MemoryEnd, target: MemoryEnd, wire: MemoryWire) {
    this.#own = own;
    this.#wire = wire;
    this.#self = own.self.node;
    this.peer = target.self;
    this.peerAddress = target.address;
    this.session = wire.session;
  }

  get queuedBytes(): number {
    return this.#bytes.control + this.#bytes.normal + this.#bytes.bulk;
  }

  joinTo(other: MemoryLink): void {
    this.#other = other;
  }

  send(wanted: Lane, frame: Uint8Array, to?: number): boolean {
    if (frame.length > frameBytesMaxDefault)
      throw frameTooLarge(frame.length, frameBytesMaxDefault);
    const lane = this.#order.laneOf(wanted, to);
    const queued = this.#bytes[lane];
    const isFull = queued > 0 && queued + frame.length > queuedBytesMax[lane];
    if (!this.#isOpen || isFull) return false;
    this.#queues[lane].push(frame.slice());
    this.#bytes[lane] += frame.length;
    this.#own.sent(frame);
    if (!this.#isScheduled) this.#wire.pass(this.#self, this.peer.node, () => this.#deliver());
    this.#isScheduled = true;
    return true;
  }

  close(_reason: string): void {
    if (!this.#isOpen) return;
    this.#wire.pass(this.#self, this.peer.node, () => this.#other?.end('closed'));
    this.end('local');
  }

  end(reason: LinkDownReason): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#own.down(this, reason);
  }

  /** This side is no more; the other finds out. */
  vanish(): void {
    this.#isOpen = false;
    this.#wire.pass(this.#self, this.peer.node, () => this.#other?.end('reset'));
  }

  #deliver(): void {
    this.#isScheduled = false;
    this.#order.clear();
    for (const lane of lanes) {
      this.#bytes[lane] = 0;
      for (const frame of this.#queues[lane].splice(0)) this.#other?.receive(lane, frame);
    }
  }

  receive(lane: Lane, frame: Uint8Array): void {
    if (!this.#isOpen) return;
    this.receivedBytes += frame.length;
    this.#own.received(this, lane, frame);
  }
}
