import {
  createHash,
  createHmac,
  createSecretKey,
  randomBytes,
  timingSafeEqual,
  type KeyObject,
} from 'node:crypto';

import type { ProbeRefusal } from '../detector/detector-board.ts';
import { probeBytesMax, type Life } from '../detector/swim-message.ts';
import { isNodeName } from '../names.ts';
import { ReplayState } from './replay-state.ts';

/** Version of sealed packets. Part of the wire format. */
const version = 1;
const tagBytes = 8;
const macBytes = 16;
/** Version, tag of the cluster, length of the name; behind the name: incarnation and sequence number. */
const headBytes = 1 + tagBytes + 1;
const numbersBytes = 16;

/** What seals are made with. */
export interface SealParts {
  readonly self: Life;
  readonly cluster: string;
  nextSequence(): number;
}

/** What came in a packet, or why it is refused. */
export type Unsealed = { readonly from: Life; readonly bytes: Uint8Array } | ProbeRefusal;

/**
 * Makes of bytes a packet that only one life of one node can have made, and only for this one, each once: cluster,
 * sender, life and sequence number go with it under an HMAC-SHA256 of 16 bytes. The key for what another node
 * sends here is made of a secret that only this seal has, and is given to that node over their link: where nodes
 * are told apart by certificates, so are their probes. What is inside can be read by anybody on the way.
 */
export class ProbeSeal {
  readonly #parts: SealParts;
  readonly #secret: KeyObject = createSecretKey(randomBytes(32));
  readonly #head: Buffer;
  readonly #tag: Buffer;
  readonly #replays = new ReplayState();

  constructor(parts: SealParts) {
    this.#parts = parts;
    this.#tag = createHash('sha256').update(parts.cluster).digest().subarray(0, tagBytes);
    const name = Buffer.from(parts.self.node, 'latin1');
    this.#head = Buffer.concat([
      Buffer.from([version]),
      this.#tag,
      Buffer.from([name.length]),
      name,
    ]);
  }

  /** The key with which a life of another node seals what it sends here. */
  keyFor({ node, incarnation }: Life): Buffer {
    return createHmac('sha256', this.#secret).update(`${incarnation} ${node}`).digest();
  }

  /** @param key - What the receiver's seal has given out for this node. */
  seal(bytes: Uint8Array, key: Uint8Array): Buffer {
    const numbersAt = this.#head.length;
    const bodyAt = numbersAt + numbersBytes;
    const packet = Buffer.allocUnsafe(bodyAt + bytes.length + macBytes);
    packet.set(this.#head);
    packet.writeDoubleBE(this.#parts.self.incarnation, numbersAt);
    packet.writeDoubleBE(this.#parts.nextSequence(), numbersAt + 8);
    packet.set(bytes, bodyAt);
    const macAt = packet.length - macBytes;
    packet.set(macOf(packet.subarray(0, macAt), key), macAt);
    return packet;
  }

  unseal(packet: Buffer): Unsealed {
    if (packet.length > probeBytesMax || packet.length < headBytes) return 'MALFORMED';
    if (packet[0] !== version) return 'PROTOCOL_VERSION';
    if (!packet.subarray(1, 1 + tagBytes).equals(this.#tag)) return 'WRONG_CLUSTER';
    const numbersAt = headBytes + (packet[headBytes - 1] ?? 0);
    const bodyAt = numbersAt + numbersBytes;
    const macAt = packet.length - macBytes;
    if (bodyAt > macAt) return 'MALFORMED';
    const node = packet.toString('latin1', headBytes, numbersAt);
    const incarnation = packet.readDoubleBE(numbersAt);
    const sequence = packet.readDoubleBE(numbersAt + 8);
    const areNumbers = Number.isSafeInteger(incarnation) && Number.isSafeInteger(sequence);
    if (!isNodeName(node) || !areNumbers) return 'MALFORMED';
    const from = { node, incarnation };
    const expected = macOf(packet.subarray(0, macAt), this.keyFor(from));
    if (!timingSafeEqual(expected, packet.subarray(macAt))) return 'AUTHENTICATION_FAILED';
    switch (this.#replays.note(from, sequence)) {
      case 'new':
        return { from, bytes: packet.subarray(bodyAt, macAt) };
      case 'replayed':
        return 'AUTHENTICATION_FAILED';
      case 'stale':
        return 'STALE_INCARNATION';
    }
  }
}

function macOf(bytes: Uint8Array, key: Uint8Array): Buffer {
  return createHmac('sha256', key).update(bytes).digest().subarray(0, macBytes);
}
