import { createHash, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';

import { formatAddress, type Address } from '../address.ts';

/** What an announcement says. */
export interface Announced {
  /** One life of a node, by a name that tells nothing. */
  readonly instance: string;
  readonly address: Address;
  /** When it was said, in seconds since 1970. */
  readonly atSeconds: number;
  /** For how long it is true; 0 takes everything back. */
  readonly ttlSeconds: number;
}

const tagBytes = 16;

/** The key of a cluster's announcements: HKDF-SHA256 (RFC 5869) of its secret and name. */
export function tagKey(secret: Uint8Array, cluster: string): Buffer {
  const name = createHash('sha256').update(cluster).digest('base64url');
  return Buffer.from(hkdfSync('sha256', secret, 'foundation-mdns', `tag ${name}`, 32));
}

/**
 * Proof that a member of the cluster has said this, at that time, of that address. What it says of the
 * time to live is only whether it is a goodbye: caches on the way count it down.
 */
export function tagOf(key: Buffer, said: Announced): string {
  const { instance, address, atSeconds, ttlSeconds } = said;
  const kind = ttlSeconds === 0 ? 'gone' : 'here';
  const text = ['1', kind, instance, formatAddress(address), atSeconds].join('\n');
  return createHmac('sha256', key)
    .update(text)
    .digest()
    .subarray(0, tagBytes)
    .toString('base64url');
}

export function isTagOf(key: Buffer, said: Announced, tag: string): boolean {
  const expected = Buffer.from(tagOf(key, said));
  const claimed = Buffer.from(tag);
  return claimed.length === expected.length && timingSafeEqual(claimed, expected);
}
