/**
 * Who may be out there: the contract. Adapters are in `discoveries/`.
 *
 * A discovery only hints at addresses: who really is there is proven by the transport's handshake.
 * An error, or an empty answer where there was one, keeps the last good set and is reported; it never
 * empties the set.
 */
export interface Discovery {
  readonly name: string;
  /** Makes this node known, where the discovery can, and starts to look for others. */
  start(self: Advertisement, handlers: DiscoveryHandlers): Promise<void>;
  /** Looks again now. */
  refresh(): Promise<void>;
  /** Withdraws this node. */
  stop(): Promise<void>;
}

/** What a node makes known of itself. */
export interface Advertisement {
  readonly node: string;
  readonly incarnation: number;
  readonly address: string;
}

/**
 * Where a node may be. Some discoveries know who it should be, others have addresses only; those may
 * hint at this very node, too: it finds out by itself.
 */
export interface Hint {
  /** `host:port`, as the transport dials it. */
  readonly address: string;
  readonly node?: string;
  readonly incarnation?: number;
}

/** What a discovery tells its node. */
export interface DiscoveryHandlers {
  /** The whole set known now. Told at start and on each change. */
  onPeers(peers: readonly Hint[]): void;
  onError(error: unknown): void;
}
