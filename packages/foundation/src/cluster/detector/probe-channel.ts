import type { ProbeRefusal } from './detector-board.ts';
import type { Life } from './swim-message.ts';

/**
 * How probes get from node to node: datagrams beside the links, which may be lost, doubled or overtake each
 * other. Each transport brings its own, as probes must fail when, and only when, the transport would.
 */
export interface ProbeChannel {
  /**
   * What another node needs, beside the address of this one's transport, to reach this one. It is told over the
   * link of the two and may have secrets in it: that is how a datagram proves whose it is.
   */
  addressFor(peer: Life): string;
  /** Never throws: what cannot be sent is lost. */
  send(to: ProbeTarget, bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** A node to which probes are sent. */
export interface ProbeTarget extends Life {
  /** Where its transport listens. */
  readonly address: string;
  /** What its own channel has given out for this node. */
  readonly probeAddress: string;
}

/** What a channel is given. */
export interface ProbeHost {
  readonly self: Life;
  /** A datagram of a node that has proven its name and its life, each at most once. */
  onDatagram(from: Life, bytes: Uint8Array): void;
  /** Counts what was refused. */
  refused(code: ProbeRefusal): void;
  /** A number that is higher each time, as long as this life lasts: also when the thread began anew. */
  nextSequence(): number;
}

/** What a module exports that opens channels in the thread of the probes. */
export interface ProbeModule {
  openProbes(host: ProbeHost, settings: unknown): Promise<ProbeChannel>;
}

/**
 * Where a channel comes from. `thread`: from the {@link ProbeModule} at a URL, imported in a thread that no
 * code of users can block, with settings that can be cloned. `here`: in this very thread, for transports
 * that are all in memory.
 */
export type ProbeSource =
  | { readonly kind: 'thread'; readonly module: string; readonly settings: unknown }
  | { readonly kind: 'here'; open(host: ProbeHost): Promise<ProbeChannel> };
