import type { DetectorSettings } from './detector-options.ts';
import type { RumoursState } from './rumours-state.ts';
import { suspicionLastsMs, type Suspicion } from './suspicion-state.ts';
import type { Life, Rumour } from './swim-message.ts';

/** A node is suspected, is trusted again, or is dead; `by` are those who have found it silent. */
export interface Judgement {
  readonly kind: 'suspect' | 'trust' | 'dead';
  readonly about: Life;
  readonly by: readonly string[];
}

/** A node that is watched. */
export interface Peer {
  readonly life: Life;
  /** How often it has refuted a suspicion, as far as is known here. */
  refutations: number;
  suspicion: Suspicion | undefined;
}

/** What the table of peers needs of its detector. */
export interface PeersParts {
  readonly self: Life;
  readonly settings: DetectorSettings;
  readonly rumours: RumoursState;
  /** Hears each judgement once, in order. */
  readonly tell: (judgement: Judgement) => void;
}

/**
 * Whom a node watches and what it thinks of each: alive, suspected, or dead and gone. Of what is said
 * about a life, that with more refutations is newer; with as many, a suspicion outdoes its opposite
 * (SWIM §4.2).
 *
 * One rule is stricter than in the paper, as a dead life never comes back here: that somebody is dead is
 * believed of a suspect only. Otherwise it is one more accusation, so that nobody is dead here who had not
 * the time to refute it here.
 */
export class PeersState {
  readonly #parts: PeersParts;
  readonly #peers = new Map<string, Peer>();
  #refutations = 0;

  constructor(parts: PeersParts) {
    this.#parts = parts;
  }

  /** How often this node itself has refuted a suspicion. */
  get refutations(): number {
    return this.#refutations;
  }

  /** Nodes of the cluster, this one among them. */
  get nodes(): number {
    return this.#peers.size + 1;
  }

  /** When the first suspicion ends. */
  get deadlineMs(): number {
    let first = Infinity;
    for (const { suspicion } of this.#peers.values()) {
      first = Math.min(first, suspicion?.deadlineMs ?? Infinity);
    }
    return first;
  }

  all(): readonly Peer[] {
    return [...this.#peers.values()];
  }

  /** That very life, if it is watched. */
  find({ node, incarnation }: Life): Peer | undefined {
    const peer = this.#peers.get(node);
    return peer?.life.incarnation === incarnation ? peer : undefined;
  }

  named(node: string | undefined): Peer | undefined {
    return node === undefined ? undefined : this.#peers.get(node);
  }

  isSelf({ node, incarnation }: Life): boolean {
    const { self } = this.#parts;
    return node === self.node && incarnation === self.incarnation;
  }

  /** Takes the place of an earlier life. */
  watch(life: Life): void {
    if (this.find(life) !== undefined) return;
    this.#peers.set(life.node, { life, refutations: 0, suspicion: undefined });
  }

  forget(node: string): void {
    this.#peers.delete(node);
  }

  /** @returns whether it is a suspicion of this very node, which is refuted now. */
  hear(rumour: Rumour, nowMs: number): boolean {
    const { kind, about, refutations } = rumour;
    if (kind !== 'alive' && this.isSelf(about)) return this.#refute(refutations);
    const peer = this.find(about);
    if (peer === undefined || refutations < peer.refutations) return false;
    this.alive(peer, refutations);
    if (kind === 'dead' && peer.suspicion !== undefined) this.#bury(peer, rumour.by);
    else if (kind !== 'alive') this.suspect(peer, rumour.by, nowMs);
    return false;
  }

  /** It says so, itself or through others. */
  alive(peer: Peer, refutations: number): void {
    if (refutations <= peer.refutations) return;
    peer.refutations = refutations;
    this.#parts.rumours.add({ kind: 'alive', about: peer.life, refutations });
    if (peer.suspicion === undefined) return;
    const by = [...peer.suspicion.accusers];
    peer.suspicion = undefined;
    this.#parts.tell({ kind: 'trust', about: peer.life, by });
  }

  /** Somebody has found it silent. This node repeats itself each time, as what it says may get lost. */
  suspect(peer: Peer, by: string, nowMs: number): void {
    const { self, settings, rumours, tell } = this.#parts;
    const { life, refutations, suspicion } = peer;
    const before = suspicion?.accusers ?? new Set();
    const isNew = !before.has(by) && before.size <= settings.confirmations;
    if (!isNew && by !== self.node) return;
    const accusers = isNew ? new Set([...before, by]) : before;
    const sinceMs = suspicion?.sinceMs ?? nowMs;
    const deadlineMs = sinceMs + suspicionLastsMs(settings, this.nodes, accusers.size);
    peer.suspicion = { sinceMs, accusers, deadlineMs };
    rumours.add({ kind: 'suspect', about: life, refutations, by });
    if (suspicion === undefined) tell({ kind: 'suspect', about: life, by: [by] });
  }

  /** Suspects whose time is over are dead. */
  judge(nowMs: number): void {
    for (const peer of this.#peers.values()) {
      const { deadlineMs = Infinity } = peer.suspicion ?? {};
      if (deadlineMs <= nowMs) this.#bury(peer, this.#parts.self.node);
    }
  }

  /** Everybody is dead, as seen from here; the others are not told. */
  giveUpAll(): void {
    for (const peer of this.#peers.values()) this.#drop(peer, [this.#parts.self.node]);
  }

  /** All suspicions end so much later. */
  putOff(byMs: number): void {
    for (const peer of this.#peers.values()) {
      const { suspicion } = peer;
      if (suspicion === undefined) continue;
      const [sinceMs, deadlineMs] = [suspicion.sinceMs + byMs, suspicion.deadlineMs + byMs];
      peer.suspicion = { ...suspicion, sinceMs, deadlineMs };
    }
  }

  #refute(refutations: number): boolean {
    if (refutations < this.#refutations) return false;
    this.#refutations = refutations + 1;
    const about = this.#parts.self;
    this.#parts.rumours.add({ kind: 'alive', about, refutations: this.#refutations });
    return true;
  }

  #bury(peer: Peer, by: string): void {
    const { life, refutations, suspicion } = peer;
    this.#parts.rumours.add({ kind: 'dead', about: life, refutations, by });
    this.#drop(peer, [...(suspicion?.accusers ?? [])]);
  }

  #drop({ life }: Peer, by: readonly string[]): void {
    this.#peers.delete(life.node);
    this.#parts.tell({ kind: 'dead', about: life, by });
  }
}
