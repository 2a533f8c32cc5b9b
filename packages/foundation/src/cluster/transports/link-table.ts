import type { Clock } from '../../clock.ts';
import { FoundationError, isFoundationError } from '../../errors.ts';
import { invalidOption } from '../../options.ts';
import { isClusterName, isNodeName } from '../names.ts';
import type { Identity, Link, TransportCounters, TransportHandlers } from '../transport.ts';
import { sessionOf, type Stranger } from './mesh-handshake.ts';
import { encodeHello, type Hello } from './mesh-hello.ts';
import { MeshLink, type LinkHost } from './mesh-link.ts';

/** What the links of a transport are bound by. */
export interface LinkLimits {
  readonly clock: Clock;
  readonly frameBytesMax: number;
  readonly frameTimeoutMs: number;
  readonly queuedBytesMax: number;
}

/** What a stranger may send before it is known, in bytes a frame. */
export const strangerBytesMax = 4_096;
/** Room that sessions may take in a greeting. */
const sessionsBytesMax = 1_024;
/** Milliseconds between two events about what may be very much; all of it is counted. */
const tellFloodEveryMs = 1_000;
/** How often frames on their way are looked at, within the time that they have. */
const looksPerFrame = 10;

/** The links of a transport, at most one a node, and what has passed and was refused, whatever the bytes go over. */
export class LinkTable {
  readonly traffic = { framesIn: 0, framesOut: 0, bytesIn: 0, bytesOut: 0 };
  readonly #limits: LinkLimits;
  readonly #links = new Map<string, MeshLink>();
  readonly #dials = new Map<string, Promise<Link>>();
  readonly #refused: Record<string, number> = {};
  #self: string | undefined;
  #host: LinkHost | undefined;
  #toldFloodAt = -Infinity;

  constructor(limits: LinkLimits) {
    this.#limits = limits;
  }

  /** Takes links from now on, until disposed: then there are no new ones, and those that are go on. */
  open({ node }: Identity, handlers: TransportHandlers): Disposable {
    const { clock, frameTimeoutMs } = this.#limits;
    const host: LinkHost = {
      ...this.#limits,
      handlers,
      traffic: this.traffic,
      refused: (error) => this.#refuse(error, handlers, error.code === 'OVERLOADED'),
      onDown: (link, reason) => {
        if (this.#links.get(link.peer.node) === link) this.#links.delete(link.peer.node);
        handlers.onDown(link, reason);
      },
    };
    this.#self = node;
    this.#host = host;
    const everyMs = frameTimeoutMs / looksPerFrame;
    const timer = clock.every(everyMs, () => {
      for (const link of this.#links.values()) link.checkProgress(everyMs);
    });
    return {
      [Symbol.dispose]: () => {
        timer.cancel();
        if (this.#host === host) this.#host = undefined;
      },
    };
  }

  counters(): TransportCounters {
    return { ...this.traffic, refused: { ...this.#refused } };
  }

  /** Sessions of all links, by node. */
  sessions(): ReadonlyMap<string, string> {
    return new Map([...this.#links].map(([node, { session }]) => [node, session]));
  }

  /** The link to an address, or what the one dial there comes to that everybody who asks for it waits for. */
  async dial(address: string, connect: () => Promise<Link>): Promise<Link> {
    const existing = [...this.#links.values()].find((link) => link.peerAddress === address);
    if (existing !== undefined) return existing;
    const dialling = this.#dials.get(address) ?? connect();
    this.#dials.set(address, dialling);
    try {
      return await dialling;
    } finally {
      this.#dials.delete(address);
    }
  }

  /** Takes in what has come of a stranger who has dialled. */
  accepted(stranger: Stranger, outcome: Hello | FoundationError): void {
    if (isFoundationError(outcome)) this.refuse(outcome);
    else if (this.#host === undefined) stranger.socket.destroy();
    else this.#up(stranger, outcome, this.#host);
  }

  /** Takes in what has come of a stranger whom this node has dialled: a link, or why there is none. */
  dialled(stranger: Stranger, outcome: Hello | FoundationError): Link | FoundationError {
    const host = this.#host;
    if (host === undefined) return transportStopped();
    if (!isFoundationError(outcome)) return this.#up(stranger, outcome, host);
    this.refuse(outcome);
    const existing = this.#links.get(String(outcome.details['node']));
    return (outcome.code === 'DUPLICATE_LINK' ? existing : undefined) ?? outcome;
  }

  /** Counts and tells a connection that was refused, in either direction. */
  refuse(error: FoundationError): void {
    this.#host?.refused(error);
  }

  /** As `refuse`; whoever floods a node with it must not flood its log. */
  refuseFlood(error: FoundationError): void {
    if (this.#host !== undefined) this.#refuse(error, this.#host.handlers, true);
  }

  /** Closes every link after what was sent is flushed, at most `graceMs`. */
  async end(graceMs: number): Promise<void> {
    const links = [...this.#links.values()];
    for (const link of links) link.end('stop', graceMs);
    await Promise.all(links.map((link) => link.closed));
  }

  #up(stranger: Stranger, hello: Hello, host: LinkHost): MeshLink {
    const { node } = hello.identity;
    this.#links.get(node)?.replace();
    const link = new MeshLink({ ...hello, session: sessionOf(stranger) }, stranger.socket, host);
    this.#links.set(node, link);
    host.handlers.onLink(link);
    return link;
  }

  #refuse(error: FoundationError, handlers: TransportHandlers, isFlood: boolean): void {
    if (error.code === 'NODE_UNREACHABLE' || this.#isAboutSelf(error)) return;
    this.#refused[error.code] = (this.#refused[error.code] ?? 0) + 1;
    if (!isFlood || this.#mayTellFlood()) handlers.onRefused(error);
  }

  #mayTellFlood(): boolean {
    const now = this.#limits.clock.now();
    if (now - this.#toldFloodAt < tellFloodEveryMs) return false;
    this.#toldFloodAt = now;
    return true;
  }

  /** A node that was given its own address has dialled itself: nothing to tell. */
  #isAboutSelf({ code, details }: FoundationError): boolean {
    return code === 'DUPLICATE_LINK' && details['node'] === this.#self;
  }
}

/**
 * Whatever other nodes would refuse is refused here.
 *
 * @throws FoundationError `INVALID_OPTION`
 */
export function checkGreeting(who: string, self: Identity, addressCharsMax: number): void {
  const { node, cluster } = self;
  if (!isNodeName(node)) throw invalidOption(who, { node }, 'the name of a node');
  if (!isClusterName(cluster)) throw invalidOption(who, { cluster }, 'the name of a cluster');
  const longest = { identity: self, address: 'x'.repeat(addressCharsMax), sessions: [] };
  const { length } = encodeHello(longest, () => Buffer.alloc(32));
  const bytesMax = strangerBytesMax - sessionsBytesMax;
  if (length <= bytesMax) return;
  throw new FoundationError(
    'INVALID_OPTION',
    `the introduction of ${self.node} takes ${length} bytes, where ${bytesMax} are allowed`,
    { hint: 'Keep `meta` small.', details: { length, bytesMax } },
  );
}

export function transportStopped(): FoundationError {
  return new FoundationError('NODE_STOPPED', 'the transport does not run');
}
