import type { Verdict } from './admission.ts';
import type { AgentId, CoordinationReply, CoordinationRequest, SessionId } from './message.ts';
import type { EmitEffect, TieRule } from './protocol.ts';
import type { SolverResult } from './solver.ts';

/** What a session was started with. With the entries, enough to recompute its outcome. */
export interface SessionSetup {
  readonly session: SessionId;
  readonly protocol: string;
  readonly protocolVersion: string;
  /** As the protocol's `parseSpec` returned it. */
  readonly spec: unknown;
  /** Frozen at the start. */
  readonly roster: readonly AgentId[];
  readonly seed: string;
  readonly tie: TieRule;
  /** Time for the whole session, in milliseconds. */
  readonly deadlineMs: number;
  /** Fewest `ok` answers of a round that asks the whole roster. */
  readonly quorum: number;
  /** The coordinator's term at the start. */
  readonly epoch: number;
  /** Secret of the session while it runs: nonces are made of it. */
  readonly nonceKey: string;
}

/** Why a participant could not be asked, or did not answer. */
export type LostCause = 'timeout' | 'down' | 'error';

/** One thing that happened. `at` is in milliseconds since the session started. */
export type RecordEntry = SaidEntry | HeardEntry;

/** What follows from the entries before it. A notice is a request that nobody answers. */
export type SaidEntry =
  | {
      readonly kind: 'request' | 'notice';
      readonly at: number;
      readonly request: CoordinationRequest;
    }
  | (EmitEffect & { readonly at: number });

/** What came from outside. */
export type HeardEntry =
  | AnswerEntry
  | LostEntry
  | { readonly kind: 'deadline'; readonly at: number; readonly round: number }
  | { readonly kind: 'solved'; readonly at: number; readonly result: SolverResult }
  | { readonly kind: 'cancel'; readonly at: number; readonly reason: string }
  /** It could not be coordinated any more. */
  | { readonly kind: 'fail'; readonly at: number; readonly reason: string }
  /** Another coordinator has taken over, or the same one after a crash. */
  | { readonly kind: 'resume'; readonly at: number; readonly epoch: number };

/** A request that stays without an answer. */
export interface LostEntry {
  readonly kind: 'lost';
  readonly at: number;
  readonly from: AgentId;
  /** Of the request. */
  readonly nonce: string;
  readonly cause: LostCause;
  readonly detail: string;
}

/** An answer, and what became of it. */
export interface AnswerEntry {
  readonly kind: 'answer';
  readonly at: number;
  /** Who sent it, as the messenger knows; not as the answer says. */
  readonly from: AgentId;
  /** Of the request it came back for. Absent for one that came by itself. */
  readonly nonce?: string;
  /** Absent when it was no reply at all. Without its body when that made no sense. */
  readonly reply?: CoordinationReply;
  /** What made no sense. */
  readonly unreadable?: string;
  readonly verdict: Verdict;
}

/** Requests, answers, times, and rejections with reasons. */
export interface SessionRecord {
  readonly setup: SessionSetup;
  readonly entries: readonly RecordEntry[];
  /** Unasked answers without effect that were no longer written down; see {@link strayAnswersMax}. */
  readonly dropped: number;
}

/** Most answers without effect that came unasked and are written down, a session. */
export const strayAnswersMax = 1_000;

/** Whether an entry follows from those before it. */
export function isSaid(entry: RecordEntry): entry is SaidEntry {
  return entry.kind === 'request' || entry.kind === 'notice' || entry.kind === 'emit';
}
