import type { Duplex } from 'node:stream';

import type { Clock } from '../../clock.ts';
import type { FoundationError } from '../../errors.ts';
import { encodeFrame, FrameReader, type Arrival } from '../../wire/frame.ts';
import type { Piece } from '../../wire/lane-queue.ts';
import { release } from '../../wire/release.ts';

/** Bytes that passed, for all sockets of a transport. */
export interface Traffic {
  bytesIn: number;
  bytesOut: number;
}

/** What carries bytes in order between two ends: TLS, or what is as good. */
export interface ByteStream extends Duplex {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  setNoDelay?(isOn: boolean): unknown;
}

/** Frames over a connection. Its end is told once, after every frame that came before it. */
export class FrameSocket {
  readonly peerHost: string;
  onFrame: (kind: number, payload: Buffer) => void = () => {};
  /** With an error when the peer broke the framing. */
  onEnd: (failure?: FoundationError) => void = () => {};
  onDrain: () => void = () => {};
  /** Settles when nothing is left of the connection. */
  readonly closed: Promise<void>;
  readonly #socket: ByteStream;
  readonly #traffic: Traffic;
  readonly #reader: FrameReader;
  #receivedBytes = 0;
  readonly #deliver = (kind: number, payload: Buffer): void => {
    if (this.#reading) this.onFrame(kind, payload);
  };
  #reading = true;

  constructor(socket: ByteStream, traffic: Traffic, frameBytesMax: number) {
    this.#socket = socket;
    this.#traffic = traffic;
    this.#reader = new FrameReader(frameBytesMax);
    this.peerHost = `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
    this.closed = new Promise((resolve) => {
      socket.once('close', () => resolve());
    });
    socket.setNoDelay?.(true);
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('drain', () => this.onDrain());
    for (const event of ['end', 'error', 'close']) socket.on(event, () => this.#finish());
  }

  /** Largest payload accepted from now on, in bytes. */
  set frameBytesMax(bytes: number) {
    this.#reader.frameBytesMax = bytes;
  }

  /** How far the frames have come: complete ones, and bytes of the next. */
  get arrival(): Arrival {
    return this.#reader.arrival;
  }

  /** Bytes that have come in so far. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Bytes that wait inside the socket. */
  get waitingBytes(): number {
    return this.#socket.writableLength;
  }

  /** @returns false when the socket wants no more until `onDrain`. */
  write({ bytes, onWritten }: Piece): boolean {
    this.#traffic.bytesOut += bytes.length;
    return this.#socket.write(bytes, onWritten);
  }

  writeFrame(kind: number, payload: Uint8Array): void {
    this.write({ bytes: encodeFrame(kind, payload) });
  }

  /** Hears no more, says what was written, and hangs up; at once when that takes longer than `graceMs`. */
  end(clock: Clock, graceMs: number): void {
    this.#reading = false;
    this.#socket.end();
    const timer = clock.after(graceMs, () => this.#socket.destroy(), 'background');
    this.#socket.once('close', () => timer.cancel());
  }

  /** Hangs up at once; what waits is lost. */
  destroy(): void {
    this.#reading = false;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#traffic.bytesIn += chunk.length;
    this.#receivedBytes += chunk.length;
    if (!this.#reading) return;
    try {
      this.#reader.push(chunk, this.#deliver);
    } catch (error) {
      if (error !== this.#reader.failure) throw error;
      this.#finish(this.#reader.failure);
    }
    // What is left of it was copied; of TLS each chunk comes in a buffer of its own.
    release(chunk);
  }

  #finish(failure?: FoundationError): void {
    if (!this.#reading) return;
    this.#reading = false;
    this.onEnd(failure);
    if (failure === undefined) this.#socket.destroy();
  }
}
