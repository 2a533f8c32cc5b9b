import { Duplex } from 'node:stream';

import type { Clock } from '../clock.ts';
import type { SessionEnd } from './knocking.ts';
import type { SessionKeys } from './session-keys.ts';

/** What a session needs of its transport. */
export interface SessionHost {
  readonly clock: Clock;
  /** Age from which a message is not taken any more, in milliseconds. */
  readonly lateMs: number;
  /** Largest message, in bytes. */
  readonly messageBytesMax: number;
  /** Sends to the peer, or throws. */
  publish(message: Uint8Array): void;
  /** A message came that the peer has not made, or not just now. */
  onForged(): void;
  onEnd(): void;
}

/** Moments are milliseconds since the session began, of the clock of the end that they are about. */
const momentBytes = 6;
const headBytes = 2 * momentBytes + 1;
const isLastFlag = 1;
/** Bytes that may be on their way to a peer from which nothing has come since; then no more are sent. */
const unheardBytesMax = 4 * 2 ** 20;

/**
 * Bytes in order between two nodes over NATS, as TCP would carry them: what is missing, or later than it may be, breaks
 * it. NATS itself promises none of that: it loses what is sent while it reconnects, and delivers what a frozen server
 * or a healed route had kept back, half a minute later.
 *
 * Each message is sealed, numbered, and says when it was sent and which moment of the peer's it has heard of last. So
 * the peer knows, without comparing clocks, that it is no older than that moment.
 */
export class NatsSession extends Duplex implements SessionEnd {
  readonly remoteAddress: string;
  readonly #keys: SessionKeys;
  readonly #host: SessionHost;
  readonly #startedAt: number;
  /** The last moment of the peer's that was heard of, and of this end's that the peer has heard of. */
  #peerMoment = 0;
  #ownMoment = 0;
  /** Sent since something came from the peer. */
  #unheardBytes = 0;
  #waiting: (() => void) | undefined = undefined;
  #hasSent = false;
  #hasEnded = false;

  constructor(peer: string, keys: SessionKeys, host: SessionHost) {
    super({ writableHighWaterMark: host.messageBytesMax });
    this.remoteAddress = peer;
    this.#keys = keys;
    this.#host = host;
    this.#startedAt = host.clock.now();
    // A stream that was asked once delivers what comes in at once, so that nothing is left when it breaks.
    this.read(0);
  }

  /** Takes a message that came in. */
  receive(message: Buffer): void {
    if (this.destroyed) return;
    const unsealed = this.#keys.unseal.unseal(message);
    switch (unsealed.kind) {
      case 'next':
        return this.#take(unsealed.content);
      case 'gap':
        this.destroy();
        return;
      case 'forged':
      case 'repeated':
        return this.#host.onForged();
    }
  }

  lose(): void {
    this.#hasEnded = true;
    this.destroy();
  }

  /** Time has passed: says that this end is there, and gives up a peer that has been silent for too long. */
  tick(): void {
    if (this.#now() - this.#ownMoment > this.#host.lateMs) this.destroy();
    else if (!this.#hasSent) this.#send(nothing);
    this.#hasSent = false;
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error | null) => void): void {
    const pieceBytesMax = this.#host.messageBytesMax;
    for (let at = 0; at < chunk.length; at += pieceBytesMax) {
      this.#send(chunk.subarray(at, at + pieceBytesMax));
    }
    if (this.#unheardBytes < unheardBytesMax) done();
    else this.#waiting = done;
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#sendLast();
    done();
    this.destroy();
  }

  override _read(): void {}

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#sendLast();
    this.#host.onEnd();
    done(error);
  }

  #take(content: Buffer): void {
    const moment = content.length < headBytes ? 0 : content.readUIntBE(momentBytes, momentBytes);
    const isLate = this.#now() - moment > this.#host.lateMs;
    if (isLate || content.length < headBytes) {
      this.destroy();
      return;
    }
    this.#goOn();
    this.#ownMoment = moment;
    this.#peerMoment = content.readUIntBE(0, momentBytes);
    if (content.length > headBytes) this.push(content.subarray(headBytes));
    if (content[headBytes - 1] === isLastFlag) {
      this.#hasEnded = true;
      this.push(null);
    }
  }

  /** The peer is there, and takes what it is sent. */
  #goOn(): void {
    this.#unheardBytes = 0;
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.();
  }

  #sendLast(): void {
    if (this.#hasEnded) return;
    this.#send(nothing, isLastFlag);
    this.#hasEnded = true;
  }

  #send(body: Uint8Array, flags = 0): void {
    if (this.#hasEnded) return;
    this.#hasSent = true;
    this.#unheardBytes += body.length;
    const head = Buffer.allocUnsafe(headBytes);
    head.writeUIntBE(this.#now(), 0, momentBytes);
    head.writeUIntBE(this.#peerMoment, momentBytes, momentBytes);
    head[headBytes - 1] = flags;
    try {
      this.#host.publish(this.#keys.seal.seal(head, body));
    } catch {
      // There is no connection any more: nothing of this session gets through.
      this.lose();
    }
  }

  #now(): number {
    return Math.floor(this.#host.clock.now() - this.#startedAt);
  }
}

const nothing = new Uint8Array(0);
