import { randomBytes } from 'node:crypto';

import type { Clock } from '../clock.ts';
import { decodeRefusal } from '../cluster/transports/mesh-hello.ts';
import { FoundationError, isFoundationError } from '../errors.ts';
import { decodeAnswer, encodeKnock } from './knock.ts';
import { doorSubject, formatNatsAddress, type NodeAddress } from './node-address.ts';
import { agree, newKeyShare, type SessionKeys } from './session-keys.ts';

/** `nobody`: what was sent to the other end has reached nobody. `connection`: this end has no connection any more. */
export type Loss = 'nobody' | 'connection';

/** Whatever is at this end of a session. */
export interface SessionEnd {
  receive(payload: Buffer): void;
  lose(loss: Loss): void;
  /** Time has passed. */
  tick(): void;
}

/** First byte of what answers a knock. */
export const answerKinds = { answer: 1, refused: 2 } as const;

const sessionBytes = 12;

export interface KnockingOptions {
  readonly self: NodeAddress;
  readonly target: NodeAddress;
  readonly proofKey: Buffer;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Somebody who is no member has answered. */
  onForged(): void;
}

/** A knock that waits for its answer. */
export class Knocking implements SessionEnd {
  readonly session = randomBytes(sessionBytes).toString('base64url');
  readonly message: Buffer;
  /** The keys of the session. Rejects with `NODE_UNREACHABLE`, or with what the other end refuses by. */
  readonly answered: Promise<SessionKeys>;
  readonly #options: KnockingOptions;
  readonly #share = newKeyShare();
  readonly #outcome = Promise.withResolvers<SessionKeys>();

  constructor(options: KnockingOptions) {
    const { self, target, proofKey, timeoutMs, clock } = options;
    const { session } = this;
    const knock = { from: self, session, key: this.#share.publicKey };
    this.#options = options;
    this.message = encodeKnock(knock, proofKey, doorSubject(target));
    const late = (): void => this.#fail(`did not answer within ${timeoutMs} ms`);
    const timer = clock.after(timeoutMs, late, 'background');
    this.answered = this.#outcome.promise.finally(() => timer.cancel());
    this.answered.catch(() => {});
  }

  receive(payload: Buffer): void {
    const { target, proofKey } = this.#options;
    const said = payload.subarray(1);
    if (payload[0] === answerKinds.refused) {
      this.#outcome.reject(decodeRefusal(said, formatNatsAddress(target)));
      return;
    }
    const peerKey = decodeAnswer(said, this.message, proofKey);
    if (peerKey === undefined) this.#options.onForged();
    else this.#agree(peerKey);
  }

  lose(loss: Loss): void {
    this.#fail('is not there', loss === 'nobody');
  }

  tick(): void {}

  #agree(peerKey: string): void {
    const { proofKey } = this.#options;
    const transcript = Buffer.concat([this.message, Buffer.from(peerKey)]);
    try {
      const said = { share: this.#share, peerKey, proofKey, transcript, isDialler: true };
      this.#outcome.resolve(agree(said));
    } catch (error) {
      if (!isFoundationError(error)) throw error;
      this.#outcome.reject(error);
    }
  }

  #fail(why: string, isRefused = false): void {
    const address = formatNatsAddress(this.#options.target);
    const what = `${address} ${why}`;
    const details = { address, isRefused };
    this.#outcome.reject(new FoundationError('NODE_UNREACHABLE', what, { details }));
  }
}
