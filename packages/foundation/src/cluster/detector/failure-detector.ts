import type { Clock } from '../../clock.ts';
import type { Random } from '../../random.ts';
import type { DetectorSettings } from './detector-options.ts';
import type { Judgement } from './peers-state.ts';
import type { ProbeTarget } from './probe-channel.ts';
import type { Sighting } from './sightings-state.ts';
import type { Life } from './swim-message.ts';

/** Who is alive: the contract, for one life of this node. */
export interface FailureDetector {
  /** From 0, well, to `healthMax`: how much this node has reason to doubt itself. */
  readonly health: number;
  /** Refused datagrams by the code of the error. */
  refused(): Readonly<Record<string, number>>;
  /** Watches a life of a node, in place of an earlier one, and has it told where to send probes. */
  watch(peer: Watched): void;
  /** That life has told where it receives probes. */
  locate(life: Life, probeAddress: string): void;
  forget(node: string): void;
  /** Probes a node soon. */
  look(node: string): void;
  /** Takes what was carried over a link. */
  receive(from: Life, bytes: Uint8Array): void;
  stop(): Promise<void>;
}

/** A life that is watched, and where its transport listens. */
export type Watched = Omit<ProbeTarget, 'probeAddress'>;

export interface DetectorHandlers {
  /** A node must be told that this one receives its probes there. */
  onAddress(to: Life, probeAddress: string): void;
  onJudgement(judgement: Judgement): void;
  onSighting(about: Life, sighting: Sighting): void;
  /** Carries bytes over the link to a node, if there is one. */
  carry(to: Life, bytes: Uint8Array): void;
  onProblem(what: string, error: unknown): void;
}

export interface DetectorParts {
  readonly self: Life;
  readonly settings: DetectorSettings;
  readonly clock: Clock;
  readonly random: Random;
  readonly handlers: DetectorHandlers;
}
