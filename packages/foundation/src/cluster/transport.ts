import type { FoundationError } from '../errors.ts';
import type { ProbeSource } from './detector/probe-channel.ts';

/**
 * How bytes reach a node: the contract. Adapters are in `transports/`; all pass the conformance suite
 * of `@foundation/testing`.
 *
 * A transport keeps at most one {@link Link} a peer. A link is ordered per lane and at most once:
 * bytes are lost only when the link dies, and nothing is delivered twice. The peer's name and
 * incarnation are proven by the handshake before `onLink` is told. Everything received before a link
 * broke is delivered before `onDown`.
 */
export interface Transport {
  readonly name: string;
  /** Starts to listen. Resolves with the address that peers can dial. */
  start(self: Identity, handlers: TransportHandlers): Promise<string>;
  /**
   * Connects to a node, unless a link to it exists. Success is told by `onLink`, too.
   *
   * @throws FoundationError `NODE_UNREACHABLE`, `AUTHENTICATION_FAILED`, `PROTOCOL_VERSION`,
   * `WRONG_CLUSTER`, `STALE_INCARNATION` or `DUPLICATE_LINK` (the other side's own dial wins).
   * `NODE_UNREACHABLE` has `isRefused: true` in its details when the other machine says that nobody
   * listens at the address: no node, then, and not the network, is what is missing.
   */
  dial(address: string): Promise<Link>;
  /** Where probes come from that take the same ways as the links. Asked for after each start. */
  probes(): ProbeSource;
  /** Closes every link after what was sent is flushed (at most `graceMs`), and stops listening. */
  stop(graceMs?: number): Promise<void>;
  /** Counters since start; names as in `docs/reference/telemetry.md`. */
  counters(): TransportCounters;
}

/** Who a node is on the wire. */
export interface Identity {
  /** Name of the cluster; nodes of another cluster are refused. */
  readonly cluster: string;
  readonly node: string;
  readonly incarnation: number;
  /** Facts that peers learn in the handshake, JSON-safe and small. */
  readonly meta: Readonly<Record<string, unknown>>;
}

/** A connection to one life of a node. */
export interface Link {
  readonly peer: Identity;
  /** Address at which the peer listens. */
  readonly peerAddress: string;
  /**
   * Queues a frame; it leaves with the current turn of the event loop, or when there is room for it. The
   * bytes are copied before `send` returns.
   *
   * @param to - Number of the receiver. Frames to one receiver arrive in the order sent, whether normal or
   * bulk: a normal one that would overtake goes on the bulk lane.
   * @returns false when the link is closed or its queue is full: the frame was not taken.
   */
  send(lane: Lane, frame: Uint8Array, to?: number): boolean;
  /** Bytes queued and not yet handed to the system. */
  readonly queuedBytes: number;
  /** Bytes received so far, those of frames that are not complete among them. */
  readonly receivedBytes: number;
  close(reason: string): void;
}

/**
 * `control` overtakes `normal`, which overtakes `bulk`. Order holds within a lane, and of frames to the same
 * receiver on the last two.
 */
export type Lane = 'control' | 'normal' | 'bulk';

/** What a transport tells its node. */
export interface TransportHandlers {
  onLink(link: Link): void;
  /** The bytes are valid only during the call. */
  onFrame(link: Link, lane: Lane, frame: Uint8Array): void;
  onDown(link: Link, reason: LinkDownReason): void;
  /** A connection that was refused, in either direction. */
  onRefused(error: FoundationError): void;
  /**
   * May refuse a peer whose proof is right, for instance a stale incarnation.
   *
   * @param address - where it listens, if all lives of a node have the same address
   */
  admit(peer: Identity, address?: string): FoundationError | undefined;
}

/** `closed`: said goodbye. `reset`: broke. `replaced`: the peer dialled anew. `garbage`: broke the protocol. */
export type LinkDownReason = 'closed' | 'reset' | 'replaced' | 'garbage' | 'local';

/** What passed a transport since its start. */
export interface TransportCounters {
  readonly framesIn: number;
  readonly framesOut: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Refused connections and broken protocols, by error code. */
  readonly refused: Readonly<Record<string, number>>;
}
