import type { Clock, Timer } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import { tell, type Events } from '../events.ts';
import type { Random } from '../random.ts';
import { Absences } from './absences.ts';
import { contactOf, parseContacts } from './contact-message.ts';
import type { DetectorSettings } from './detector/detector-options.ts';
import type { Sighting } from './detector/sightings-state.ts';
import { Dials } from './dials.ts';
import type { Discovery, Hint } from './discovery.ts';
import type { MissingNode } from './health.ts';
import type { Contact, DownReason, Member } from './member.ts';
import type { MembershipEffect, MembershipEvent } from './membership-event.ts';
import {
  holderOf,
  judge,
  newMembership,
  nextMembership,
  type MembershipState,
} from './membership-state.ts';
import { PeerWatch, type WatchTopic } from './peer-watch.ts';
import type {
  Identity,
  Lane,
  Link,
  LinkDownReason,
  Transport,
  TransportCounters,
} from './transport.ts';
import { whoIsAt } from './who-is-at.ts';

/** What the node does with what the cluster tells it. */
export interface ClusterHandlers {
  onFrame(link: Link, lane: Lane, frame: Uint8Array): void;
  /** A new life of a node has joined; its link is up. */
  onUp(member: Member, link: Link): void;
  /** The same life is linked again, after its link had broken. */
  onRelinked(member: Member, link: Link): void;
  onLinkDown(node: string, incarnation: number): void;
  onDown(member: Member, reason: DownReason): void;
  /** Tells a member something of the cluster's own. */
  tell(link: Link, topic: ClusterTopic, body: unknown): void;
  /** Discovery has found somebody, or failed. */
  onDiscovery(error: unknown): void;
  /** This node begins a new life; returns its number. */
  onRejoin(): Promise<number>;
}

/** What the cluster's own messages are about. */
export type ClusterTopic = WatchTopic | 'cluster.view' | 'cluster.goodbye';

/** What membership needs of its node. */
export interface ClusterOptions {
  readonly identity: Identity;
  readonly transport: Transport;
  readonly discovery: Discovery;
  readonly clock: Clock;
  readonly random: Random;
  readonly events: Events;
  readonly detector: DetectorSettings;
  readonly handlers: ClusterHandlers;
}

/** Milliseconds after which whoever is out there and not linked is dialled again. */
const lookEveryMs = 500;
/** Milliseconds that a start waits for whom it found. */
const greetMs = 2_000;
/** Milliseconds after which joining again, when it failed, is tried once more. */
const rejoinEveryMs = 1_000;

/** The thin edge around the membership state: links, dials, verdicts. */
export class Cluster {
  readonly #options: ClusterOptions;
  readonly #watch: PeerWatch;
  readonly #dials: Dials;
  readonly #absences: Absences;
  readonly #waiters = new Set<() => void>();
  /** Refusals that this node has stated; those of others are about this node. */
  readonly #stated = new WeakSet<FoundationError>();
  /** Links whose node has said goodbye. */
  readonly #leaving = new WeakSet<Link>();
  #identity: Identity;
  #state: MembershipState;
  readonly #looks: Timer;
  #address = '';
  /** Whoever was found at first and is neither linked nor found to be gone. */
  readonly #ungreeted = new Set<string>();
  #hasLooked = false;
  #onGreeted: (() => void) | undefined = undefined;
  #rejoined: Promise<void> | undefined = undefined;
  #phase: 'running' | 'rejoining' | 'stopped' = 'running';

  constructor(options: ClusterOptions) {
    this.#options = options;
    this.#identity = options.identity;
    this.#state = newMembership(options.identity);
    this.#watch = new PeerWatch({
      ...options,
      handlers: {
        tell: (link, topic, body) => options.handlers.tell(link, topic, body),
        onSilent: (node) => this.#on({ kind: 'silent', node }),
        isSuspect: (node) => this.#state.members.get(node)?.isSilent === true,
        onJudgement: ({ kind, about }) => this.#on({ kind: 'judged', judgement: kind, ...about }),
        onSighting: () => this.#changed(),
      },
    });
    this.#dials = new Dials({ clock: options.clock, dial: (hint) => this.#dial(hint) });
    this.#absences = new Absences(options.clock);
    this.#looks = options.clock.every(lookEveryMs, () => this.#look());
  }

  get address(): string {
    return this.#address;
  }

  get identity(): Identity {
    return this.#identity;
  }

  async start(): Promise<void> {
    const { transport, discovery, events } = this.#options;
    const { incarnation } = this.#identity;
    this.#address = await transport.start(this.#identity, {
      onLink: (link) => this.#onLink(link),
      onFrame: (link, lane, frame) => this.#options.handlers.onFrame(link, lane, frame),
      onDown: (link, reason) => this.#onLinkDown(link, reason),
      onRefused: (error) => this.#onRefused(error, incarnation),
      admit: (peer, address) => this.#admit(peer, address),
    });
    this.#watch.begin(this.#contactOfSelf(), this.#state.members.values());
    await discovery.start(
      { ...this.#contactOfSelf(), address: this.#address },
      {
        onPeers: (hints) => this.#discovered(hints),
        onError: (error) => {
          events.emit('problem', { what: `discovery ${discovery.name}`, error });
          this.#options.handlers.onDiscovery(error);
        },
      },
    );
  }

  /** Resolves when everybody who was found at first is linked or was found to be gone. */
  async greeted(): Promise<void> {
    if (this.#ungreeted.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onGreeted = resolve;
    const timer = this.#options.clock.after(greetMs, resolve);
    await promise;
    timer.cancel();
  }

  /** @param known - a node's name, or an address without one */
  #greet(known: string): void {
    if (this.#ungreeted.delete(known) && this.#ungreeted.size === 0) this.#onGreeted?.();
  }

  /** Says goodbye and closes everything. */
  async stop(): Promise<void> {
    if (this.#phase === 'stopped') return;
    this.#phase = 'stopped';
    this.#watch.links.stop();
    this.#looks.cancel();
    this.#sayGoodbye();
    await this.#rejoined;
    await this.#close();
  }

  async #close(): Promise<void> {
    this.#dials.clear();
    await this.#options.discovery.stop();
    await this.#watch.end();
    await this.#options.transport.stop();
  }

  // ── reads ──────────────────────────────────────────────────────────────────

  /** Other nodes that are up, in the order of their names. */
  peers(): readonly Member[] {
    return [...this.#state.members.values()].toSorted((a, b) => (a.node < b.node ? -1 : 1));
  }

  /** The link to a life of a node, to send something. */
  link(node: string, incarnation: number): Link | undefined {
    return this.#watch.links.use(node, incarnation);
  }

  links(): IterableIterator<Link> {
    return this.#watch.links.all();
  }

  /** How a node was seen last by the failure detector. */
  sighting(node: string): Sighting | undefined {
    return this.#watch.sighting(node);
  }

  /** From 0, well, upwards: how much this node has reason to doubt itself. */
  get selfDoubt(): number {
    return this.#watch.health;
  }

  /** Who is not there, of those whose addresses somebody wrote down: no discovery says who it is. */
  missing(): readonly MissingNode[] {
    const { members } = this.#state;
    const addresses = new Set([...members.values()].map(({ address }) => address));
    return this.#absences
      .list()
      .filter(({ node = '', address = '' }) => !members.has(node) && !addresses.has(address));
  }

  counters(): TransportCounters {
    const counters = this.#options.transport.counters();
    const refused = { ...counters.refused };
    for (const [code, count] of Object.entries(this.#watch.refused())) {
      refused[code] = (refused[code] ?? 0) + count;
    }
    return { ...counters, refused };
  }

  /** Runs after each change of the members. */
  onChange(action: () => void): Disposable {
    this.#waiters.add(action);
    return { [Symbol.dispose]: () => void this.#waiters.delete(action) };
  }

  /** Takes what another member said. */
  receive(link: Link, topic: ClusterTopic, body: unknown): void {
    if (topic === 'cluster.goodbye') this.#leaving.add(link);
    else if (topic !== 'cluster.view') this.#watch.receive(link, topic, body);
    else this.#on({ kind: 'introduced', contacts: parseContacts(body) });
  }

  // ── events in, effects out ─────────────────────────────────────────────────

  #on(event: MembershipEvent): void {
    if (this.#phase !== 'running') return;
    const { state, effects } = nextMembership(this.#state, event);
    this.#state = state;
    for (const effect of effects) this.#carryOut(effect);
  }

  #carryOut(effect: MembershipEffect): void {
    switch (effect.kind) {
      case 'dial':
        return this.#dials.add(effect.hint);
      case 'up':
        return this.#up(effect.member);
      case 'down':
        return this.#down(effect.member, effect.reason);
      case 'changed':
        return this.#memberChanged(effect.member);
      case 'introduce':
        return this.#introduce(effect.to);
      case 'unlink':
        this.#watch.links.get(effect.node)?.close('not a member any more');
        return;
      case 'rejoin':
        this.#rejoined = this.#rejoin();
    }
  }

  /** The first set is awaited by {@link greeted}. */
  #discovered(hints: readonly Hint[]): void {
    if (!this.#hasLooked) for (const each of hints) this.#ungreeted.add(each.node ?? each.address);
    this.#hasLooked = true;
    this.#options.handlers.onDiscovery(undefined);
    const written = hints.filter(({ node }) => node === undefined);
    this.#absences.expect(written.map(({ address }) => address));
    for (const { node, address } of this.#state.members.values())
      this.#absences.here(address, node);
    this.#on({ kind: 'discovered', hints, early: this.#dials.early });
  }

  #look(): void {
    this.#on({ kind: 'look', early: this.#dials.early });
  }

  /** @returns whether a node is there */
  async #dial(hint: Hint): Promise<boolean> {
    const { incarnation } = this.#identity;
    const { found, isRefused, reason = '' } = await whoIsAt(hint, this.#options.transport);
    if (found === undefined) this.#absences.failed(hint.address, reason);
    else this.#absences.here(hint.address, found);
    const isThere = found !== undefined && (hint.node === undefined || found === hint.node);
    if (!isThere || hint.node === undefined) this.#greet(hint.node ?? hint.address);
    if (incarnation === this.#identity.incarnation) {
      // One that says by its probes that it stands still may have been cut off for that, and be there.
      const isExcused = this.sighting(hint.node ?? '')?.isStalled === true;
      this.#on({
        kind: 'dialled',
        hint,
        ...(found === undefined ? {} : { found }),
        isRefused: isRefused && !isExcused,
      });
    }
    return found !== undefined;
  }

  #introduce(to: string): void {
    const link = this.#watch.links.get(to);
    if (link === undefined) return;
    const contacts = [...this.#state.members.values()].map(contactOf);
    this.#options.handlers.tell(link, 'cluster.view', contacts);
  }

  #up(member: Member): void {
    this.#watch.watch(member);
    this.#options.events.emit('member-up', member);
    const link = this.#watch.links.get(member.node);
    if (link !== undefined) this.#options.handlers.onUp(member, link);
    this.#changed();
  }

  #memberChanged({ node, incarnation, status, link, isSilent }: Member): void {
    const event = { node, incarnation, status, link, isSilent };
    this.#options.events.emit('member-changed', event);
    this.#changed();
  }

  #down(member: Member, reason: DownReason): void {
    this.#watch.forget(member.node);
    this.#absences.gone(member.node, reason);
    this.#options.handlers.onDown(member, reason);
    this.#options.events.emit('member-down', { ...member, reason });
    this.#changed();
  }

  #changed(): void {
    for (const action of this.#waiters) tell(action, undefined);
  }

  #onLink(link: Link): void {
    const { node, incarnation, meta } = link.peer;
    const known = this.#state.members.get(node);
    this.#dials.found(link.peerAddress);
    this.#absences.here(link.peerAddress, node);
    this.#watch.links.set(link);
    this.#on({ kind: 'linked', contact: { node, incarnation, address: link.peerAddress }, meta });
    this.#greet(node);
    const member = this.#state.members.get(node);
    if (known?.incarnation === incarnation && member !== undefined) {
      this.#watch.watch(member);
      this.#watch.look(node);
      this.#options.handlers.onRelinked(member, link);
    }
  }

  #onLinkDown(link: Link, reason: LinkDownReason): void {
    const { node, incarnation } = link.peer;
    if (!this.#watch.links.remove(link)) return;
    this.#options.handlers.onLinkDown(node, incarnation);
    const broken = reason === 'reset' ? 'reset' : 'lost';
    const how = this.#leaving.has(link) ? 'goodbye' : broken;
    this.#on({ kind: 'unlinked', node, incarnation, how });
  }

  /** @param incarnation - the life that was refused, or that refused */
  #onRefused(error: FoundationError, incarnation: number): void {
    const { code, message } = error;
    this.#options.events.emit('refused', { code, message });
    const isAboutSelf = code === 'STALE_INCARNATION' && !this.#stated.has(error);
    if (isAboutSelf && incarnation === this.#identity.incarnation) this.#on({ kind: 'outvoted' });
  }

  #admit(peer: Identity, address?: string): FoundationError | undefined {
    const contact = { ...peer, ...(address === undefined ? {} : { address }) };
    if (peer.node === this.#identity.node) {
      return new FoundationError('NAME_TAKEN', `another node is named ${peer.node}, too`, {
        hint: 'Give each node a name of its own, or none.',
      });
    }
    switch (judge(this.#state, contact)) {
      case 'welcome':
        return undefined;
      case 'give-way':
        this.#on({ kind: 'outvoted' });
        return new FoundationError('NODE_STOPPED', `${this.#identity.node} begins a new life`);
      case 'taken':
        return nameTaken(contact, holderOf(this.#state, contact));
      case 'over': {
        const refusal = declaredOver(peer);
        this.#stated.add(refusal);
        return refusal;
      }
    }
  }

  /**
   * The others have declared this life over. What lives here stays; it inherits nothing of theirs, of whom it does
   * not know whether they live.
   */
  async #rejoin(): Promise<void> {
    if (this.#hasStopped()) return;
    this.#phase = 'rejoining';
    this.#sayGoodbye();
    const { members } = this.#state;
    this.#state = newMembership(this.#identity);
    for (const member of members.values()) this.#lose(member);
    try {
      await this.#close();
      const incarnation = await this.#options.handlers.onRejoin();
      this.#identity = { ...this.#identity, incarnation };
      this.#state = newMembership(this.#identity);
      if (this.#hasStopped()) return;
      this.#phase = 'running';
      await this.start();
    } catch (error) {
      this.#options.events.emit('problem', { what: 'joining the cluster again', error });
      const again = (): void => {
        this.#rejoined = this.#rejoin();
      };
      this.#options.clock.after(rejoinEveryMs, again, 'background');
    }
  }

  #lose(member: Member): void {
    this.#watch.forget(member.node);
    this.#options.events.emit('member-down', { ...member, reason: 'cut-off' });
    this.#changed();
  }

  #sayGoodbye(): void {
    for (const link of this.links()) this.#options.handlers.tell(link, 'cluster.goodbye', null);
  }

  #hasStopped(): boolean {
    return this.#phase === 'stopped';
  }

  #contactOfSelf(): Contact {
    const { node, incarnation } = this.#identity;
    return { node, incarnation, address: this.#address };
  }
}

function nameTaken(peer: Partial<Contact>, holder: Member | undefined): FoundationError {
  const { node, address } = peer;
  const what = `the node at ${address} calls itself ${node}, as the one at ${holder?.address} does, which is up`;
  return new FoundationError('NAME_TAKEN', what, {
    hint: 'Give each node of the cluster a name of its own. One whose former place has lost its power is taken when that is found out.',
    details: { node, address, holder: holder?.address },
  });
}

function declaredOver({ node, incarnation }: Identity): FoundationError {
  return new FoundationError(
    'STALE_INCARNATION',
    `life ${incarnation} of ${node} was declared over`,
    { hint: 'The node begins a new life and joins again by itself.' },
  );
}
