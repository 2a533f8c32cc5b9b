import type { Cluster, ClusterTopic } from '../cluster/cluster.ts';
import type { Link } from '../cluster/transport.ts';
import type { FoundationError } from '../errors.ts';
import { noProcess } from '../process/exit.ts';
import { threadOf, type Pid } from '../process/pid.ts';
import { invalidReply } from '../process/ref.ts';
import type { Runtime } from '../process/runtime.ts';
import { parseDelta, parseSharePart } from '../registry/registry-message.ts';
import type { Registry } from '../registry/registry.ts';
import { ShareJoiner, splitShare } from '../registry/share-parts.ts';
import type { Threads } from '../thread/threads.ts';
import { noRoomForReply, type Router, type Station } from './exchange.ts';
import { encodePacket, packetKinds, parsePacket, type Packet } from './packet.ts';

export interface SwitchboardParts {
  readonly runtime: Runtime;
  readonly threads: Threads;
  readonly registry: Registry;
  readonly cluster: () => Cluster | undefined;
}

type Topic = ClusterTopic | 'registry.share' | 'registry.delta' | 'registry.pull' | 'thread.lost';

/** Longest packet between processes that does not give way to others, in bytes. */
const normalBytesMax = 65_536;

/** Milliseconds that a start waits for what the others have registered. */
const introductionMs = 2_000;

/** Passes packets between this node's main thread, its worker threads and its links. */
export class Switchboard implements Router {
  readonly #parts: SwitchboardParts;
  /** Shares of which parts are still on their way. */
  readonly #joiner = new ShareJoiner();

  constructor(parts: SwitchboardParts) {
    this.#parts = parts;
  }

  // ── outgoing ───────────────────────────────────────────────────────────────

  send(to: Station, packet: Packet): 'sent' | 'unreachable' | 'full' {
    const { codec } = this.#parts.runtime;
    const bytes = encodePacket(codec, packet);
    const sent = this.#pass(to, packet, bytes);
    codec.release(bytes);
    return sent;
  }

  #pass(to: Station, packet: Packet, bytes: Uint8Array): 'sent' | 'unreachable' | 'full' {
    const { runtime, threads } = this.#parts;
    if (to.node === runtime.name) {
      if (!runtime.isOwnLife(to)) return 'unreachable';
      const from = { node: runtime.name, incarnation: runtime.incarnation };
      return threads.post(threadOf(packet[1]), from, bytes) ? 'sent' : 'unreachable';
    }
    const link = this.#parts.cluster()?.link(to.node, to.incarnation);
    if (link === undefined) return 'unreachable';
    const lane = bytes.length > normalBytesMax ? 'bulk' : 'normal';
    if (link.send(lane, bytes, packet[1])) return 'sent';
    if (mustArrive(packet)) giveUp(link);
    return 'full';
  }

  /** Says something of the system's own over a link. The registry keeps its order with replies. */
  tell(link: Link, topic: Topic, body: unknown): void {
    const lane = topic.startsWith('cluster.') ? 'control' : 'normal';
    const bytes = this.#parts.runtime.codec.encode([packetKinds.system, 0, topic, body]);
    if (!link.send(lane, bytes)) giveUp(link);
  }

  broadcast(topic: Topic, body: unknown): void {
    for (const link of this.#parts.cluster()?.links() ?? []) this.tell(link, topic, body);
  }

  /** Gives a new member everything that this node has registered. */
  introduce(link: Link): void {
    for (const part of splitShare(this.#parts.registry.ownShare())) {
      this.tell(link, 'registry.share', part);
    }
  }

  /** Resolves when all that are linked have told what they have registered: names are known then. */
  async introduced(): Promise<void> {
    const { runtime, registry, cluster } = this.#parts;
    const isKnown = (): boolean => {
      const nodes = new Set(registry.nodes());
      return [...(cluster()?.links() ?? [])].every(({ peer }) => nodes.has(peer.node));
    };
    if (isKnown()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    using _watch = registry.onChange(() => {
      if (isKnown()) resolve();
    });
    const timer = runtime.clock.after(introductionMs, resolve);
    await promise;
    timer.cancel();
  }

  // ── incoming ───────────────────────────────────────────────────────────────

  fromLink(link: Link, frame: Uint8Array): void {
    const packet = this.#decode(frame);
    if (packet === undefined) return this.#refuse(link);
    const thread = threadOf(packet[1]);
    if (packet[0] === packetKinds.system) this.#system(link, packet[2], packet[3]);
    else if (thread === 0) this.#parts.runtime.exchange.receive(link.peer, packet);
    else if (!this.#parts.threads.post(thread, link.peer, frame))
      this.#bounce(link.peer, packet, noProcess(`${this.#parts.runtime.name}#${packet[1]}`));
  }

  #refuse(link: Link): void {
    const { counters, events } = this.#parts.runtime;
    const message = `${link.peer.node} sent bytes that are no packet: its link is closed`;
    counters.malformed++;
    events.emit('refused', { code: 'MALFORMED', message });
    link.close('malformed packet');
  }

  fromThread(to: Station, bytes: Uint8Array, packet: Packet): void {
    const { runtime } = this.#parts;
    if (runtime.isOwnLife(to) && threadOf(packet[1]) === 0) {
      runtime.exchange.receive({ node: runtime.name, incarnation: runtime.incarnation }, packet);
      return;
    }
    const sent = this.#passOn(to, packet, bytes);
    if (sent === 'sent') return;
    const self = { node: runtime.name, incarnation: runtime.incarnation };
    const who = `${to.node}#${packet[1]}`;
    this.#bounce(self, packet, runtime.exchange.notSent(sent, to, who));
  }

  /** Like {@link #pass}, for a thread, which has not seen whether the link takes a frame so large. */
  #passOn(to: Station, packet: Packet, bytes: Uint8Array): 'sent' | 'unreachable' | 'full' {
    try {
      const sent = this.#pass(to, packet, bytes);
      if (sent !== 'full' || packet[0] !== packetKinds.reply) return sent;
      return this.send(to, [packetKinds.fail, packet[1], noRoomForReply(to)]);
    } catch (error) {
      const self = { node: this.#parts.runtime.name, incarnation: this.#parts.runtime.incarnation };
      if (packet[0] === packetKinds.call) this.send(self, [packetKinds.fail, packet[2], error]);
      if (packet[0] === packetKinds.reply) {
        this.send(to, [packetKinds.fail, packet[1], invalidReply('a call', error)]);
      }
      return 'sent';
    }
  }

  #decode(frame: Uint8Array): Packet | undefined {
    try {
      return parsePacket(this.#parts.runtime.codec.decode(frame));
    } catch {
      // Whatever is wrong with the bytes, they are no packet: the caller counts and refuses them.
      return undefined;
    }
  }

  #bounce(to: Station, packet: Packet, error: FoundationError): void {
    const { runtime } = this.#parts;
    if (packet[0] === packetKinds.signal) runtime.bounce(packet[2], packet[3], 'no_process');
    else if (packet[0] === packetKinds.call) this.send(to, [packetKinds.fail, packet[2], error]);
  }

  #system(link: Link, topic: string, body: unknown): void {
    const { node } = link.peer;
    switch (topic) {
      case 'registry.share':
        return this.#takeShare(link, body);
      case 'registry.delta':
        return this.#takeDelta(link, body);
      case 'registry.pull':
        return this.introduce(link);
      case 'thread.lost':
        return this.#lost((pid) => pid.node === node && pid.thread === body, 'thread_lost');
      case 'cluster.view':
      case 'cluster.ping':
      case 'cluster.pong':
      case 'cluster.probe':
      case 'cluster.probe-address':
      case 'cluster.goodbye':
        return this.#parts.cluster()?.receive(link, topic, body);
      default:
        // A newer version's topic: ignored and counted, as unknown kinds are.
        this.#parts.runtime.counters.unknownMessages++;
        return undefined;
    }
  }

  #takeShare(link: Link, body: unknown): void {
    const part = parseSharePart(body);
    if (part?.incarnation !== link.peer.incarnation) {
      this.#parts.runtime.counters.malformed++;
      return;
    }
    const share = this.#joiner.add(link, part);
    if (share === undefined) return;
    this.#parts.registry.receive({ kind: 'share', node: link.peer.node, share });
  }

  #takeDelta(link: Link, body: unknown): void {
    const delta = parseDelta(body);
    if (delta?.incarnation !== link.peer.incarnation) {
      this.#parts.runtime.counters.malformed++;
    } else if (!this.#parts.registry.receive({ kind: 'delta', node: link.peer.node, delta })) {
      this.tell(link, 'registry.pull', null);
    }
  }

  // ── losses ─────────────────────────────────────────────────────────────────

  /** The link to a node broke: what was on its way is lost. */
  nodeLost(node: string): void {
    this.#lost((pid) => pid.node === node, 'node_down');
    this.#parts.threads.tellLost(node);
  }

  threadLost(thread: number): void {
    const { name } = this.#parts.runtime;
    this.#lost((pid) => pid.node === name && pid.thread === thread, 'thread_lost');
    this.#parts.threads.tellLost(name, thread);
    this.broadcast('thread.lost', thread);
  }

  #lost(isLost: (pid: Pid) => boolean, reason: 'node_down' | 'thread_lost'): void {
    this.#parts.runtime.exchange.lost(isLost, { reason });
  }
}

/**
 * Somebody elsewhere waits for it or counts on it. The sender of a call or cast is told instead, and the
 * caller in place of a reply.
 */
function mustArrive([kind]: Packet): boolean {
  const { fail, answer, signal } = packetKinds;
  return kind === fail || kind === answer || kind === signal;
}

/**
 * For what must not be missed: a link whose queue is full is closed. Then both sides know that
 * something is missing, and begin anew.
 */
function giveUp(link: Link): void {
  link.close('its queue is full');
}
