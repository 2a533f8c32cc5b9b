import type { Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { Random } from '../random.ts';
import type { DetectorSettings } from './detector/detector-options.ts';
import type { FailureDetector } from './detector/failure-detector.ts';
import { openDetector } from './detector/open-detector.ts';
import type { Judgement } from './detector/peers-state.ts';
import type { Sighting } from './detector/sightings-state.ts';
import type { Life } from './detector/swim-message.ts';
import type { Contact } from './member.ts';
import type { Link, Transport } from './transport.ts';
import { WatchedLinks } from './watched-links.ts';

/** What those who watch each other say over their links. */
export type WatchTopic =
  | 'cluster.ping'
  | 'cluster.pong'
  | 'cluster.probe'
  | 'cluster.probe-address';

export interface PeerWatchHandlers {
  tell(link: Link, topic: WatchTopic, body: unknown): void;
  /** Nothing comes over the link to a node any more. */
  onSilent(node: string): void;
  /** Whether the failure detector suspects a node. */
  isSuspect(node: string): boolean;
  onJudgement(judgement: Judgement): void;
  /** A node is seen in another light. */
  onSighting(): void;
}

export interface PeerWatchParts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly detector: DetectorSettings;
  readonly handlers: PeerWatchHandlers;
}

/** Longest address of probes that is taken, in characters. */
const probeAddressCharsMax = 256;

/** The links of a node, and the failure detector beside them: what can be known of the others from here. */
export class PeerWatch {
  readonly links: WatchedLinks;
  readonly #parts: PeerWatchParts;
  readonly #sightings = new Map<string, Sighting>();
  #self: Life | undefined = undefined;
  /** That of this node's present life, as soon as there is anybody to watch. */
  #detector: FailureDetector | undefined = undefined;

  constructor(parts: PeerWatchParts) {
    this.#parts = parts;
    const { clock, handlers } = parts;
    this.links = new WatchedLinks(clock, {
      ping: (link) => handlers.tell(link, 'cluster.ping', null),
      onQuiet: (node) => this.look(node),
      onSilent: (node) => handlers.onSilent(node),
      isSuspect: (node) => handlers.isSuspect(node),
      isExcused: (node) => this.sighting(node)?.isStalled === true,
    });
  }

  /** From 0, well, to `healthMax` of the detector: how much this node has reason to doubt itself. */
  get health(): number {
    return this.#detector?.health ?? 0;
  }

  /** Refused probes by code. */
  refused(): Readonly<Record<string, number>> {
    return this.#detector?.refused() ?? {};
  }

  /** How a node was seen last. */
  sighting(node: string): Sighting | undefined {
    return this.#sightings.get(node);
  }

  /** A life of this node begins; its transport has started. */
  begin({ node, incarnation }: Life, members: Iterable<Contact>): void {
    this.#self = { node, incarnation };
    for (const member of members) this.watch(member);
  }

  #openDetector(self: Life): FailureDetector {
    const { transport, clock, random, events, detector: settings, handlers } = this.#parts;
    return openDetector(transport.probes(), {
      self,
      settings,
      clock,
      random,
      handlers: {
        onAddress: (to, probeAddress) => this.#tell(to, 'cluster.probe-address', probeAddress),
        onJudgement: (judgement) => handlers.onJudgement(judgement),
        onSighting: (about, sighting) => this.#saw(about.node, sighting),
        carry: (to, bytes) => this.#tell(to, 'cluster.probe', bytes),
        onProblem: (what, error) => events.emit('problem', { what, error }),
      },
    });
  }

  /** It is over. */
  async end(): Promise<void> {
    await this.#detector?.stop();
    this.#self = this.#detector = undefined;
    this.#sightings.clear();
  }

  /** A life is linked, newly or again. */
  watch({ node, incarnation, address }: Contact): void {
    if (this.#self === undefined) return;
    this.#detector ??= this.#openDetector(this.#self);
    this.#detector.watch({ node, incarnation, address });
  }

  forget(node: string): void {
    this.#detector?.forget(node);
    this.#sightings.delete(node);
  }

  /** A node is to be probed soon. */
  look(node: string): void {
    this.#detector?.look(node);
  }

  receive(link: Link, topic: WatchTopic, body: unknown): void {
    const { node, incarnation } = link.peer;
    switch (topic) {
      case 'cluster.ping':
        return this.#parts.handlers.tell(link, 'cluster.pong', null);
      case 'cluster.pong':
        return undefined;
      case 'cluster.probe':
        if (body instanceof Uint8Array) this.#detector?.receive({ node, incarnation }, body);
        return undefined;
      case 'cluster.probe-address':
        if (typeof body !== 'string' || body.length > probeAddressCharsMax) return undefined;
        return this.#detector?.locate({ node, incarnation }, body);
    }
  }

  #tell({ node, incarnation }: Life, topic: WatchTopic, body: unknown): void {
    const link = this.links.use(node, incarnation);
    if (link !== undefined) this.#parts.handlers.tell(link, topic, body);
  }

  #saw(node: string, sighting: Sighting): void {
    const before = this.#sightings.get(node);
    this.#sightings.set(node, sighting);
    const { isStalled, isDetoured } = sighting;
    if (before?.isStalled === isStalled && before.isDetoured === isDetoured) return;
    if (isDetoured && before?.isDetoured !== true) {
      this.#parts.events.emit('problem', { what: 'probes', error: detour(node) });
    }
    this.#parts.handlers.onSighting();
  }
}

function detour(node: string): FoundationError {
  const what = `no datagrams pass between this node and ${node}: it is probed over its connection`;
  return new FoundationError('NODE_UNREACHABLE', what, {
    hint: 'Let UDP pass to the ports at which the nodes listen: then a node is found alive, too, while its event loop stands still.',
    details: { node },
  });
}
