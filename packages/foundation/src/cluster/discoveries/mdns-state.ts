/** A node that was announced, until when it is believed. */
export interface AnnouncedPeer {
  readonly address: string;
  /** By the clock's `now`. */
  readonly expiresMs: number;
}

/** By instance: one life of a node. */
export type AnnouncedPeers = ReadonlyMap<string, AnnouncedPeer>;

/** Longest that an announcement is believed, whatever it says, in milliseconds. */
const believedMsMax = 120_000;

/** A node says where it is, for how long. Undefined when it is new and there is no room. */
export function withPeer(
  peers: AnnouncedPeers,
  peer: { readonly instance: string; readonly address: string; readonly ttlMs: number },
  { nowMs, peersMax }: { readonly nowMs: number; readonly peersMax: number },
): AnnouncedPeers | undefined {
  const { instance, address, ttlMs } = peer;
  if (!peers.has(instance) && peers.size >= peersMax) return undefined;
  const expiresMs = nowMs + Math.min(ttlMs, believedMsMax);
  return new Map(peers).set(instance, { address, expiresMs });
}

/** A node has said goodbye. */
export function withoutPeer(peers: AnnouncedPeers, instance: string): AnnouncedPeers {
  return new Map([...peers].filter(([each]) => each !== instance));
}

/** Who has not been heard of in time is not believed any more. */
export function unexpired(peers: AnnouncedPeers, nowMs: number): AnnouncedPeers {
  return new Map([...peers].filter(([, { expiresMs }]) => expiresMs > nowMs));
}
