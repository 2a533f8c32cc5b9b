import type { Clock } from '../../clock.ts';
import type { FoundationError } from '../../errors.ts';
import { creditKind, parseCredit } from '../../wire/credit.ts';
import { FrameWriter, lanes } from '../../wire/frame-writer.ts';
import { frameHeaderBytes, frameTooLarge, partBytesMax, partFlag } from '../../wire/frame.ts';
import type { Piece } from '../../wire/lane-queue.ts';
import { PartJoiner } from '../../wire/part-joiner.ts';
import type { Identity, Lane, Link, LinkDownReason, TransportHandlers } from '../transport.ts';
import type { FrameSocket } from './frame-socket.ts';
import { decodeRefusal, encodeRefusal, malformed, meshKinds, type Hello } from './mesh-hello.ts';

/** What a link needs of its transport. */
export interface LinkHost {
  readonly clock: Clock;
  readonly handlers: TransportHandlers;
  readonly frameBytesMax: number;
  readonly frameTimeoutMs: number;
  readonly queuedBytesMax: number;
  readonly traffic: { framesIn: number; framesOut: number };
  onDown(link: MeshLink, reason: LinkDownReason): void;
  /** Counts and tells a broken protocol. */
  refused(error: FoundationError): void;
}

/** How long a closed link may take to flush, in milliseconds. */
const closeGraceMs = 1_000;

/** A connection to a node that has proven who it is. */
export class MeshLink implements Link {
  readonly peer: Identity;
  readonly peerAddress: string;
  readonly session: string;
  readonly #socket: FrameSocket;
  readonly #host: LinkHost;
  readonly #writer: FrameWriter;
  readonly #joiners: Readonly<Record<Lane, PartJoiner>>;
  #isOpen = true;
  #isEnding = false;
  /** A frame that was on its way when progress was last checked, and for how long at least. */
  #unfinished: { readonly frame: number; readonly ms: number } | undefined;

  constructor(peer: Hello & { readonly session: string }, socket: FrameSocket, host: LinkHost) {
    this.peer = peer.identity;
    this.peerAddress = peer.address;
    this.session = peer.session;
    this.#socket = socket;
    this.#host = host;
    const { frameBytesMax, queuedBytesMax } = host;
    const write = (piece: Piece): boolean => socket.write(piece);
    this.#writer = new FrameWriter({ write, frameBytesMax, queuedBytesMax });
    const joiner = (): PartJoiner => new PartJoiner(frameBytesMax);
    this.#joiners = { control: joiner(), normal: joiner(), bulk: joiner() };
    socket.frameBytesMax = partBytesMax;
    socket.onFrame = (kind, payload) => this.#receive(kind, payload);
    socket.onDrain = () => this.#resume();
    socket.onEnd = (failure) =>
      failure === undefined ? this.#down('reset') : this.#garbage(failure);
  }

  get queuedBytes(): number {
    return this.#writer.queuedBytes + this.#socket.waitingBytes;
  }

  get receivedBytes(): number {
    return this.#socket.receivedBytes;
  }

  /** Settles when nothing is left of the connection. */
  get closed(): Promise<void> {
    return this.#socket.closed;
  }

  /** @throws FoundationError `FRAME_TOO_LARGE`. */
  send(lane: Lane, frame: Uint8Array, to?: number): boolean {
    if (!this.#isOpen || !this.#writer.send(lane, frame, to)) return false;
    this.#host.traffic.framesOut++;
    return true;
  }

  close(reason: string): void {
    this.end(reason, closeGraceMs);
  }

  /** Flushes for at most `graceMs`, says goodbye and hangs up. */
  end(reason: string, graceMs: number): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#isEnding = true;
    this.#writer.finish(meshKinds.bye, Buffer.from(reason));
    const timer = this.#host.clock.after(graceMs, () => this.#socket.destroy(), 'background');
    void this.closed.then(() => timer.cancel());
    this.#endWhenFlushed();
    this.#host.onDown(this, 'local');
  }

  /** Makes way for a new connection to the same node. */
  replace(): void {
    this.#down('replaced');
  }

  /**
   * Breaks with a peer whose frame has been on its way for too long. The time is counted by looks that are
   * `everyMs` apart: a node that was frozen itself does not blame its peers.
   */
  checkProgress(everyMs: number): void {
    const { frames, unfinishedBytes } = this.#socket.arrival;
    if (unfinishedBytes === 0) {
      this.#unfinished = undefined;
      return;
    }
    const isSame = this.#unfinished?.frame === frames;
    const ms = isSame ? (this.#unfinished?.ms ?? 0) + everyMs : 0;
    this.#unfinished = { frame: frames, ms };
    if (ms > this.#host.frameTimeoutMs) {
      this.#garbage(malformed(`a frame of ${this.peer.node} was not complete after ${ms} ms`));
    }
  }

  #receive(kind: number, payload: Buffer): void {
    // Of use also while this side ends: what is left of its frames may leave.
    if (kind === creditKind) return this.#takeCredit(payload);
    if (!this.#isOpen) return;
    const lane = lanes[kind & ~partFlag];
    if (lane !== undefined) {
      this.#writer.handled(lane, frameHeaderBytes + payload.length);
      this.#receivePart(lane, payload, (kind & partFlag) === 0);
    } else if (kind === meshKinds.bye) {
      this.#down('closed');
    } else if (kind === meshKinds.refused) {
      this.#host.refused(decodeRefusal(payload, this.peer.node));
      this.#down('reset');
    } else {
      this.#garbage(malformed(`frame of unknown kind ${kind} from ${this.peer.node}`));
    }
  }

  // oxlint-disable-next-line eslint/max-params -- made for each frame
  #receivePart(lane: Lane, part: Buffer, isLast: boolean): void {
    const joiner = this.#joiners[lane];
    if (isLast && joiner.isEmpty) return this.#deliver(lane, part);
    if (!joiner.add(part)) {
      const { frameBytesMax } = this.#host;
      return this.#garbage(frameTooLarge(joiner.bytes + part.length, frameBytesMax));
    }
    if (isLast) this.#finish(lane);
  }

  #finish(lane: Lane): void {
    this.#joiners[lane].finish((frame) => this.#deliver(lane, frame));
  }

  #deliver(lane: Lane, frame: Buffer): void {
    this.#host.traffic.framesIn++;
    this.#host.handlers.onFrame(this, lane, frame);
  }

  #takeCredit(payload: Buffer): void {
    const credit = parseCredit(payload);
    if (credit === undefined) {
      return this.#garbage(malformed(`credit that is none from ${this.peer.node}`));
    }
    this.#writer.grant(credit);
    if (this.#isEnding) this.#endWhenFlushed();
  }

  #garbage(error: FoundationError): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#host.refused(error);
    this.#socket.writeFrame(meshKinds.refused, encodeRefusal(error));
    this.#socket.end(this.#host.clock, closeGraceMs);
    this.#host.onDown(this, 'garbage');
  }

  #down(reason: LinkDownReason): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#socket.destroy();
    this.#host.onDown(this, reason);
  }

  #resume(): void {
    this.#writer.resume();
    if (this.#isEnding) this.#endWhenFlushed();
  }

  #endWhenFlushed(): void {
    if (this.#writer.queuedBytes === 0) this.#socket.end(this.#host.clock, closeGraceMs);
  }
}
