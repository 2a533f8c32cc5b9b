import { fnv1a } from '../random.ts';

/**
 * The node that a key belongs to: everybody who sees the same nodes chooses the same one, and when
 * a node goes only its keys move. Source: Thaler and Ravishankar 1996, highest random weight.
 */
export function chooseNode(key: string, nodes: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestWeight = -1;
  for (const node of nodes) {
    const weight = mix(fnv1a(`${node}\u0000${key}`));
    if (weight > bestWeight || (weight === bestWeight && best !== undefined && node < best)) {
      best = node;
      bestWeight = weight;
    }
  }
  return best;
}

/** Spreads small differences over all bits. Source: MurmurHash3's finalizer. */
function mix(hash: number): number {
  let bits = hash;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
