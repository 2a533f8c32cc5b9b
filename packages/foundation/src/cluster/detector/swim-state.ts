import type { Random } from '../../random.ts';
import type { DetectorSettings } from './detector-options.ts';
import { ErrandsState } from './errands-state.ts';
import { PeersState, type Judgement, type Peer } from './peers-state.ts';
import { draw, ProbeOrderState } from './probe-order-state.ts';
import { RumoursState } from './rumours-state.ts';
import { SightingsState } from './sightings-state.ts';
import { suspicionLastsMs } from './suspicion-state.ts';
import type { Arrival, Route, SwimAction } from './swim-action.ts';
import type { Life, Rumour, SwimContent, SwimMessage } from './swim-message.ts';

export interface SwimParts {
  readonly self: Life;
  readonly settings: DetectorSettings;
  readonly random: Random;
  readonly nowMs: number;
}

/** The ping of this period. */
interface Probe {
  readonly about: Life;
  readonly serial: number;
  sentMs: number;
  /** When others are asked; Infinity when they were. */
  askMs: number;
  isAnswered: boolean;
  asked: number;
  nacks: number;
}

/** How a message is sent, unless as usual. */
interface How {
  readonly by?: Route;
  /** What its receiver must hear in any case. */
  readonly first?: readonly Rumour[];
}

/** Share of the time for an answer after which an asker is told that there is none yet. */
const nackShare = 0.7;
/** To how many nodes news is told at once. */
const newsTargets = 3;
/** A node that has heard nobody for so many periods, and whose probe has failed, is alone. */
const alonePeriods = 2;

/**
 * Who is alive, found out by all nodes together: SWIM (Das, Gupta, Motivala 2002) with the changes of
 * Lifeguard (Dadgar, Phillips, Currey 2017), without messages and timers. It changes in place: each
 * input says what time it is and returns what is to be done; {@link SwimState.dueMs} tells when to call
 * {@link SwimState.pass}.
 *
 * Each period one node is pinged. When it does not answer, some others are asked to ping it, and it is
 * pinged over its link. Without any answer it is suspected, of which everybody hears: it refutes that, or
 * is dead when the suspicion ends. What a node sends in a period does not depend on how many there are.
 *
 * A node doubts itself first: one that hears too little takes more time for everything, what it slept
 * through counts for nobody, and while its event loop stands still it accuses nobody. One that hears nobody
 * at all gives up everybody, but keeps that to itself, as it may be the one that is deaf.
 */
export class SwimState {
  readonly #settings: DetectorSettings;
  readonly #random: Random;
  readonly #self: Life;
  readonly #peers: PeersState;
  readonly #order: ProbeOrderState;
  readonly #rumours = new RumoursState();
  readonly #errands = new ErrandsState();
  readonly #sightings: SightingsState;
  #actions: SwimAction[] = [];
  #nowMs: number;
  #serial: number;
  #probe: Probe | undefined;
  #periodEndMs: number;
  #newsMs = Infinity;
  #heardMs: number;
  /** When everybody is given up. */
  #aloneMs = Infinity;
  #stalledMs: number | undefined;
  #health = 0;

  constructor({ self, settings, random, nowMs }: SwimParts) {
    this.#self = self;
    this.#settings = settings;
    this.#random = random;
    this.#nowMs = this.#heardMs = nowMs;
    // Nodes that start together need not probe together.
    this.#periodEndMs = nowMs + random.next() * settings.periodMs;
    this.#serial = random.int(2 ** 31);
    this.#order = new ProbeOrderState(random);
    this.#sightings = new SightingsState((about, sighting) =>
      this.#actions.push({ kind: 'seen', about, sighting }),
    );
    this.#peers = new PeersState({
      self,
      settings,
      rumours: this.#rumours,
      tell: (judgement) => this.#tell(judgement),
    });
  }

  /** When `pass` is to be called at the latest. */
  get dueMs(): number {
    const probing = Math.min(this.#periodEndMs, this.#probe?.askMs ?? Infinity);
    const due = Math.min(probing, this.#errands.dueMs, this.#newsMs);
    if (this.#stalledMs !== undefined) return due;
    return Math.min(due, this.#peers.deadlineMs, this.#aloneMs);
  }

  /** 0 when well, up to `healthMax`: how much more time this node takes (LHA-Probe; Lifeguard §IV-A). */
  get health(): number {
    return this.#health;
  }

  // ── inputs ─────────────────────────────────────────────────────────────────

  /** A life of a node is watched from now on, in place of an earlier one. */
  watch(life: Life, nowMs: number): readonly SwimAction[] {
    this.#awake(nowMs);
    if (this.#peers.find(life) === undefined) this.#sightings.forget(life.node);
    this.#peers.watch(life);
    this.#order.add(life.node);
    return this.#done();
  }

  forget(node: string): void {
    this.#peers.forget(node);
    this.#order.remove(node);
    this.#sightings.forget(node);
  }

  /** A node is to be probed soon: now, unless another probe waits for its answer. */
  look(node: string, nowMs: number): readonly SwimAction[] {
    this.#awake(nowMs);
    this.#order.prefer(node);
    if (this.#probe?.isAnswered !== false) this.#nextPeriod();
    return this.#done();
  }

  /** This node's event loop stands still, or comes round again. */
  stalled(isStalled: boolean, nowMs: number): readonly SwimAction[] {
    this.#awake(nowMs);
    const sinceMs = this.#stalledMs;
    if (sinceMs !== undefined && !isStalled) this.#putOffVerdicts(nowMs - sinceMs);
    this.#stalledMs = isStalled ? (sinceMs ?? nowMs) : undefined;
    return this.#done();
  }

  /** A message of one who has proven who it is. Strangers get no answer. */
  receive(message: SwimMessage, { from, by, nowMs }: Arrival): readonly SwimAction[] {
    this.#awake(nowMs);
    const peer = this.#peers.find(from);
    if (peer === undefined) return this.#done();
    this.#heardMs = nowMs;
    this.#aloneMs = Infinity;
    this.#peers.alive(peer, message.refutations);
    this.#sightings.said(from, message.isStalled);
    for (const rumour of message.rumours) {
      if (this.#peers.hear(rumour, nowMs)) this.#worsen(1);
    }
    switch (message.kind) {
      case 'ping':
        if (this.#peers.isSelf(message.about)) this.#answer(from, message.serial, { by });
        break;
      case 'ask':
        this.#runErrand(from, message.serial, message.about);
        break;
      case 'ack':
        this.#acked(message, { from, by, nowMs });
        break;
      case 'nack':
        if (this.#probe?.serial === message.serial) this.#probe.nacks++;
        break;
      case 'news':
    }
    return this.#done();
  }

  /** Time has passed. */
  pass(nowMs: number): readonly SwimAction[] {
    this.#awake(nowMs);
    if ((this.#probe?.askMs ?? Infinity) <= nowMs) this.#askOthers();
    for (const { asker, serial } of this.#errands.late(nowMs)) {
      this.#send(asker, { kind: 'nack', serial });
    }
    if (this.#periodEndMs <= nowMs) this.#nextPeriod();
    if (this.#stalledMs === undefined) this.#judge();
    if (this.#newsMs <= nowMs) this.#tellNews();
    return this.#done();
  }

  /** What is new after an input is told at once, with as little delay as a message has. */
  #done(): readonly SwimAction[] {
    if (!this.#rumours.isEmpty && this.#newsMs === Infinity) this.#newsMs = this.#nowMs;
    return this.#actions.splice(0);
  }

  #tell(judgement: Judgement): void {
    const { kind, about } = judgement;
    if (kind === 'suspect') this.#order.prefer(about.node);
    if (kind === 'dead') this.forget(about.node);
    this.#actions.push(judgement);
  }

  // ── probes ─────────────────────────────────────────────────────────────────

  #nextPeriod(): void {
    this.#endProbe();
    const slowness = this.#health + 1;
    this.#periodEndMs = this.#nowMs + this.#settings.periodMs * slowness;
    const peer = this.#peers.named(this.#order.next());
    if (peer === undefined) return;
    const [serial, sentMs] = [this.#nextSerial(), this.#nowMs];
    const askMs = sentMs + this.#settings.answerMs * slowness;
    const counts = { isAnswered: false, asked: 0, nacks: 0 };
    this.#probe = { about: peer.life, serial, sentMs, askMs, ...counts };
    this.#ping(peer, serial);
  }

  #ping(peer: Peer, serial: number): void {
    this.#pingBy('datagram', peer, serial);
    if (this.#sightings.isDetoured(peer.life.node)) this.#pingBy('link', peer, serial);
  }

  #pingBy(by: Route, peer: Peer, serial: number): void {
    const { life } = peer;
    this.#send(life, { kind: 'ping', serial, about: life }, { by, first: accusation(peer) });
  }

  /** No answer so far: others are asked, and the link is tried. */
  #askOthers(): void {
    const probe = this.#probe;
    if (probe === undefined) return;
    probe.askMs = Infinity;
    const peer = this.#peers.find(probe.about);
    if (probe.isAnswered || peer === undefined) return;
    const { serial, about } = probe;
    const others = this.#peers.all().filter((each) => each !== peer && !each.suspicion);
    const helpers = draw(others, this.#settings.helpers, this.#random);
    const first = accusation(peer);
    for (const { life } of helpers) this.#send(life, { kind: 'ask', serial, about }, { first });
    probe.asked = helpers.length;
    if (!this.#sightings.isDetoured(about.node)) this.#pingBy('link', peer, serial);
  }

  #endProbe(): void {
    const probe = this.#probe;
    this.#probe = undefined;
    const peer = probe === undefined ? undefined : this.#peers.find(probe.about);
    if (probe === undefined || peer === undefined) return;
    if (probe.isAnswered) return this.#worsen(-1);
    // Others that say nothing either are a sign that the fault is here.
    this.#worsen(probe.asked === 0 ? 1 : Math.max(0, probe.asked - probe.nacks));
    if (this.#stalledMs !== undefined) return;
    this.#order.prefer(peer.life.node);
    const quietMs = this.#nowMs - this.#heardMs;
    if (quietMs >= alonePeriods * this.#settings.periodMs && this.#aloneMs === Infinity) {
      this.#aloneMs = this.#nowMs + suspicionLastsMs(this.#settings, 2, 1);
    }
    this.#peers.suspect(peer, this.#self.node, this.#nowMs);
  }

  #acked(ack: SwimMessage & { readonly kind: 'ack' }, { from, by }: Arrival): void {
    const { serial, about, aboutRefutations } = ack;
    const peer = this.#peers.find(about);
    if (peer !== undefined) this.#peers.alive(peer, aboutRefutations);
    const errand = this.#errands.take(serial);
    if (errand !== undefined) {
      const content = { kind: 'ack', serial: errand.serial, about, aboutRefutations } as const;
      this.#send(errand.asker, content);
    }
    const probe = this.#probe;
    if (peer === undefined || probe?.serial !== serial) return;
    const isDirect = by === 'datagram' && from.node === about.node;
    if (isDirect) this.#sightings.answered(about, { rttMs: this.#nowMs - probe.sentMs });
    else if (!probe.isAnswered) this.#sightings.answered(about, 'detour');
    probe.isAnswered = true;
    probe.askMs = Infinity;
  }

  // ── for others ─────────────────────────────────────────────────────────────

  #answer(to: Life, serial: number, how: How = {}): void {
    const aboutRefutations = this.#peers.refutations;
    this.#send(to, { kind: 'ack', serial, about: this.#self, aboutRefutations }, how);
  }

  #runErrand(asker: Life, serial: number, about: Life): void {
    const peer = this.#peers.find(about);
    if (this.#peers.isSelf(about)) this.#answer(asker, serial);
    else if (peer === undefined || this.#errands.isFull) {
      this.#send(asker, { kind: 'nack', serial });
    } else {
      const { answerMs, periodMs } = this.#settings;
      const own = this.#nextSerial();
      const nackMs = this.#nowMs + answerMs * nackShare;
      this.#errands.add(own, { asker, serial }, { nackMs, endMs: this.#nowMs + periodMs });
      this.#ping(peer, own);
    }
  }

  /** News does not wait for a ping or an answer to go with. */
  #tellNews(): void {
    for (const { life } of draw(this.#peers.all(), newsTargets, this.#random)) {
      if (!this.#rumours.isEmpty) this.#send(life, { kind: 'news' });
    }
    this.#newsMs = this.#rumours.isEmpty ? Infinity : this.#nowMs + this.#settings.answerMs / 2;
  }

  #send(to: Life, content: SwimContent, { by, first }: How = {}): void {
    const message: SwimMessage = {
      ...content,
      refutations: this.#peers.refutations,
      isStalled: this.#stalledMs !== undefined,
      rumours: this.#rumours.next(this.#peers.nodes, first),
    };
    const best = this.#sightings.isDetoured(to.node) ? 'link' : 'datagram';
    this.#actions.push({ kind: 'send', to, message, by: by ?? best });
  }

  #nextSerial(): number {
    this.#serial = (this.#serial + 1) % 2 ** 32;
    return this.#serial;
  }

  // ── verdicts and time ──────────────────────────────────────────────────────

  #judge(): void {
    if (this.#aloneMs <= this.#nowMs) {
      this.#aloneMs = Infinity;
      this.#peers.giveUpAll();
    } else this.#peers.judge(this.#nowMs);
  }

  #putOffVerdicts(byMs: number): void {
    this.#peers.putOff(byMs);
    this.#aloneMs += byMs;
    this.#heardMs += byMs;
  }

  /** What this node slept through says nothing about the others, but something about itself. */
  #awake(nowMs: number): void {
    const lateMs = nowMs - this.dueMs;
    this.#nowMs = nowMs;
    if (lateMs <= this.#settings.answerMs) return;
    this.#worsen(1);
    this.#putOffVerdicts(lateMs);
    this.#errands.putOff(lateMs);
    this.#periodEndMs += lateMs;
    this.#newsMs += lateMs;
    if (this.#probe === undefined) return;
    this.#probe.sentMs += lateMs;
    this.#probe.askMs += lateMs;
  }

  #worsen(by: number): void {
    this.#health = Math.min(this.#settings.healthMax, Math.max(0, this.#health + by));
  }
}

/**
 * What goes with each probe of a suspect, so that it hears from everybody, if need be through others, what
 * it is suspected of (the buddy system; Lifeguard §IV-C).
 */
function accusation({ life, refutations, suspicion }: Peer): readonly Rumour[] {
  const [by] = suspicion?.accusers ?? [];
  return by === undefined ? [] : [{ kind: 'suspect', about: life, refutations, by }];
}
