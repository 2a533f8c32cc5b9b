import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';

import { malformed } from '../cluster/transports/mesh-hello.ts';

const cipher = 'aes-256-gcm';
const tagBytes = 16;
const sequenceBytes = 6;
const nonceBytes = 12;
/** Bytes that a sealed message is longer than what is in it. */
export const sealBytes = sequenceBytes + tagBytes;

/** One end's half of a key agreement (X25519, RFC 7748), made for one session and then thrown away. */
export interface KeyShare {
  readonly privateKey: KeyObject;
  /** Base64url of its 32 bytes. */
  readonly publicKey: string;
}

export function newKeyShare(): KeyShare {
  const { privateKey, publicKey } = generateKeyPairSync('x25519');
  return { privateKey, publicKey: publicKey.export({ format: 'jwk' }).x ?? '' };
}

/** What both ends of a session have said, and this end's secret half. */
export interface Agreement {
  readonly share: KeyShare;
  readonly peerKey: string;
  /** A key that only members have: an agreement with somebody else comes to other keys. */
  readonly proofKey: Buffer;
  /** All that was said, the same at both ends. */
  readonly transcript: Uint8Array;
  readonly isDialler: boolean;
}

/** What seals the messages of one session, in both directions. */
export interface SessionKeys {
  readonly seal: Seal;
  readonly unseal: Unseal;
  /** Unique to the session, known to both ends. */
  readonly binding: Buffer;
}

/** @throws FoundationError `MALFORMED` when the peer's half is no key. */
export function agree({ share, peerKey, proofKey, transcript, isDialler }: Agreement): SessionKeys {
  const shared = sharedSecret(share, peerKey);
  const info = Buffer.concat([
    Buffer.from('foundation-nats session\n'),
    createHash('sha256').update(transcript).digest(),
  ]);
  const keys = Buffer.from(hkdfSync('sha256', shared, proofKey, info, 96));
  const [ofDialler, ofAnswerer] = [keys.subarray(0, 32), keys.subarray(32, 64)];
  return {
    seal: new Seal(isDialler ? ofDialler : ofAnswerer),
    unseal: new Unseal(isDialler ? ofAnswerer : ofDialler),
    binding: keys.subarray(64),
  };
}

function sharedSecret({ privateKey }: KeyShare, peerKey: string): Buffer {
  try {
    const key = { kty: 'OKP', crv: 'X25519', x: peerKey };
    const publicKey = createPublicKey({ key, format: 'jwk' });
    return diffieHellman({ privateKey, publicKey });
  } catch {
    throw malformed('a session key that is none');
  }
}

/** Seals messages with numbers that count up: each number, and so each nonce, is used once with a key. */
export class Seal {
  readonly #key: Buffer;
  #sequence = 0;

  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Six bytes of number, what is sealed, and the tag. */
  seal(head: Uint8Array, body: Uint8Array): Buffer {
    const number = Buffer.allocUnsafe(sequenceBytes);
    number.writeUIntBE(++this.#sequence, 0, sequenceBytes);
    const sealing = createCipheriv(cipher, this.#key, nonceOf(number));
    const parts = [number, sealing.update(head), sealing.update(body), sealing.final()];
    return Buffer.concat([...parts, sealing.getAuthTag()]);
  }
}

/** What has become of a message that came in. */
export type Unsealed =
  | { readonly kind: 'next'; readonly content: Buffer }
  /** Nobody who has the keys has made it. */
  | { readonly kind: 'forged' }
  /** It was there before. */
  | { readonly kind: 'repeated' }
  /** Some before it are missing. */
  | { readonly kind: 'gap' };

export class Unseal {
  readonly #key: Buffer;
  #sequence = 0;

  constructor(key: Buffer) {
    this.#key = key;
  }

  unseal(message: Buffer): Unsealed {
    if (message.length < sealBytes) return { kind: 'forged' };
    const content = this.#open(message);
    if (content === undefined) return { kind: 'forged' };
    const sequence = message.readUIntBE(0, sequenceBytes);
    if (sequence <= this.#sequence) return { kind: 'repeated' };
    if (sequence !== this.#sequence + 1) return { kind: 'gap' };
    this.#sequence = sequence;
    return { kind: 'next', content };
  }

  #open(message: Buffer): Buffer | undefined {
    const opening = createDecipheriv(cipher, this.#key, nonceOf(message));
    opening.setAuthTag(message.subarray(-tagBytes));
    const content = opening.update(message.subarray(sequenceBytes, -tagBytes));
    try {
      opening.final();
      return content;
    } catch {
      return undefined;
    }
  }
}

function nonceOf(message: Buffer): Buffer {
  const nonce = Buffer.alloc(nonceBytes);
  message.copy(nonce, nonceBytes - sequenceBytes, 0, sequenceBytes);
  return nonce;
}
