import type { Clock, Timer } from '../clock.ts';
import type { Link } from './transport.ts';

export interface WatchedLinksHandlers {
  /** Asks the other end for a word. */
  ping(link: Link): void;
  /** Nothing was heard of a node for a while: is it there? */
  onQuiet(node: string): void;
  /** A connection must be taken for dead. */
  onSilent(node: string): void;
  /** Whether a node does not answer the failure detector. */
  isSuspect(node: string): boolean;
  /** Whether a node has a reason to say nothing over its link: its event loop stands still. */
  isExcused(node: string): boolean;
}

interface Entry {
  readonly link: Link;
  /** What it had received and what it held back at the last look. */
  receivedBytes: number;
  queuedBytes: number;
  /** Something was sent to it that makes it say something. */
  isAwaited: boolean;
  isPinged: boolean;
  /** It was suspect since it was heard last. */
  wasSuspect: boolean;
  silentMs: number;
}

/** Milliseconds between two looks at all links. Each second time the next link in turn is pinged. */
const lookEveryMs = 500;
/** Milliseconds of silence after which the failure detector is asked. */
const quietMs = 500;
/** Milliseconds of silence that end a connection to a node which the failure detector suspects, or has suspected. */
const suspectSilentMs = 2_000;
/** Milliseconds of silence that end any connection. */
const silentMs = 5_000;

/**
 * The links of a node, by the names of the others, and which of them are silent: TCP does not say for
 * minutes that a connection leads nowhere, and after a cut it stays dead long after the network is well. Links
 * that are in use are watched, and of the others one each second in turn: what that costs does not depend on
 * how many there are. Any byte that comes in or gets away is a sign of life.
 */
export class WatchedLinks {
  readonly #clock: Clock;
  readonly #handlers: WatchedLinksHandlers;
  readonly #entries = new Map<string, Entry>();
  readonly #timer: Timer;
  #turn: string[] = [];
  #looks = 0;
  #lookedMs: number;

  constructor(clock: Clock, handlers: WatchedLinksHandlers) {
    this.#clock = clock;
    this.#handlers = handlers;
    this.#lookedMs = clock.now();
    this.#timer = clock.every(lookEveryMs, () => this.#look());
  }

  stop(): void {
    this.#timer.cancel();
  }

  set(link: Link): void {
    this.#entries.set(link.peer.node, { link, ...unheard, receivedBytes: 0, queuedBytes: 0 });
  }

  /** @returns whether it was the node's newest link. */
  remove(link: Link): boolean {
    const { node } = link.peer;
    return this.#entries.get(node)?.link === link && this.#entries.delete(node);
  }

  get(node: string): Link | undefined {
    return this.#entries.get(node)?.link;
  }

  /** The link to that life of a node, to send something. */
  use(node: string, incarnation: number): Link | undefined {
    const entry = this.#entries.get(node);
    if (entry?.link.peer.incarnation !== incarnation) return undefined;
    entry.isAwaited = true;
    return entry.link;
  }

  *all(): Generator<Link> {
    for (const { link } of this.#entries.values()) yield link;
  }

  #look(): void {
    const nowMs = this.#clock.now();
    // What this node slept through says nothing about the others.
    const passedMs = Math.min(nowMs - this.#lookedMs, lookEveryMs * 1.5);
    this.#lookedMs = nowMs;
    for (const [node, entry] of this.#entries) this.#judge(node, entry, passedMs);
    if (this.#looks++ % 2 === 0) this.#pingNext();
  }

  #judge(node: string, entry: Entry, passedMs: number): void {
    const handlers = this.#handlers;
    if (hasMoved(entry) || handlers.isExcused(node)) {
      Object.assign(entry, unheard);
    } else if (entry.isAwaited) {
      entry.silentMs += passedMs;
      entry.wasSuspect ||= handlers.isSuspect(node);
      if (!entry.isPinged) this.#ping(entry);
      if (entry.silentMs >= (entry.wasSuspect ? suspectSilentMs : silentMs))
        handlers.onSilent(node);
      else if (entry.silentMs >= quietMs) handlers.onQuiet(node);
    }
  }

  #pingNext(): void {
    if (this.#turn.length === 0) this.#turn = [...this.#entries.keys()];
    const entry = this.#entries.get(this.#turn.pop() ?? '');
    if (entry !== undefined && !entry.isPinged) this.#ping(entry);
  }

  #ping(entry: Entry): void {
    entry.isAwaited = entry.isPinged = true;
    this.#handlers.ping(entry.link);
  }
}

const unheard = { isAwaited: false, isPinged: false, wasSuspect: false, silentMs: 0 };

/** Whether anything has come in or got away since the last look. */
function hasMoved(entry: Entry): boolean {
  const { receivedBytes, queuedBytes } = entry.link;
  const hasMovedNow = receivedBytes > entry.receivedBytes || queuedBytes < entry.queuedBytes;
  entry.receivedBytes = receivedBytes;
  entry.queuedBytes = queuedBytes;
  return hasMovedNow;
}
