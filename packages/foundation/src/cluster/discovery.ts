/**
 * Who may be out there: the contract. Adapters are in `discoveries/`.
 *
 * A discovery only hints at addresses: who really is there is proven by the transport's handshake.
 * An error keeps the last good set and is reported; it never empties the set.
 */
export interface Discovery {
  readonly name: string;
  /** Makes this node known and starts to look for others. */
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

/** What a discovery tells its node. */
export interface DiscoveryHandlers {
  /** The whole set known now, without this node. Told at start and on each change. */
  onPeers(peers: readonly Advertisement[]): void;
  onError(error: unknown): void;
}
