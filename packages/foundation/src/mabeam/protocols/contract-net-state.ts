import type { Amount } from '../amount.ts';
import type { AgentId } from '../message.ts';
import type { Answer, Effect, LossReason, SilenceCause, TellEffect, Tie } from '../protocol.ts';
import type { AwardQuestion, Performance, Proposal } from './contract-net-questions.ts';
import type { MadeProposal, ScoredProposal } from './contract-net-ranking.ts';
import { type ContractNetTerms, revised, type TaskTerms } from './contract-net-terms.ts';

/** A task that was awarded. */
export interface Contract {
  readonly agent: AgentId;
  readonly price: Amount;
  /** Grows from award to award. */
  readonly fencing: number;
  /** The call whose proposal was accepted. */
  readonly call: number;
}

/** One that was done. */
export interface DoneContract extends Contract {
  /** What the contractor informed of, if it did. */
  readonly result?: unknown;
}

/**
 * Why an award came to nothing: the contractor said so (`failure`) or declined, the time was up (`deadline`), what it sent
 * was of an older award (`stale_fencing`), or it was out of touch.
 */
export type ContractFailure = 'failure' | 'declined' | 'deadline' | 'stale_fencing' | SilenceCause;

/** One that was not. */
export interface FailedContract extends Contract {
  readonly cause: ContractFailure;
  /** In the contractor's own words. */
  readonly reason?: string;
}

/** One under way. */
export interface LiveContract extends Contract {
  /** Asked so often. */
  readonly heartbeat: number;
}

/** Why a proposal is rejected. `revised`: there will be another call. */
export type RejectReason = LossReason | 'revised' | 'cancelled';

/** Body of a `reject_proposal` notice. */
export interface RejectNotice {
  readonly task: string;
  readonly call: number;
  readonly reason: RejectReason;
}

/** Body of a `cancel` notice: the award of this token holds no longer. */
export interface CancelNotice {
  readonly task: string;
  /** Absent where nothing was awarded yet. */
  readonly fencing?: number;
  readonly reason: 'cancelled' | 'deadline' | 'stale_fencing';
}

/** A contract net between two rounds. */
export interface Net {
  readonly terms: ContractNetTerms;
  readonly roster: readonly AgentId[];
  /** What was asked last. */
  readonly round: 'cfp' | 'perform' | 'wait';
  /** Whom. */
  readonly asked: readonly AgentId[];
  readonly call: number;
  readonly revisions: number;
  /** Awards or calls that may still take the place of failed ones. */
  readonly retries: number;
  /** Neither accepted nor rejected yet, the best first. */
  readonly held: readonly ScoredProposal[];
  readonly live: readonly LiveContract[];
  readonly done: readonly DoneContract[];
  readonly failed: readonly FailedContract[];
  /** All that counted. */
  readonly proposals: readonly MadeProposal[];
  /** Of those whose last answer counted. */
  readonly reasons: ReadonlyMap<AgentId, LossReason>;
  readonly tie?: Tie;
}

/** How a contract net ended. */
export interface ContractNetResult {
  readonly task: string;
  /** In the order in which they were done. */
  readonly done: readonly DoneContract[];
  /** Awards that came to nothing, in the order in which they did. */
  readonly failed: readonly FailedContract[];
  /** Every proposal that counted, call by call in the order of the roster. */
  readonly proposals: readonly MadeProposal[];
  /** How often proposals were called for. */
  readonly calls: number;
}

/** Body of an answer: a proposal to a call, else how far a contractor is. */
export type NetReply = Proposal | Performance;

/** What the current call says. */
export function currentTerms({ terms, revisions }: Net): TaskTerms {
  return revised(terms, revisions);
}

/** How many awards are missing. */
export function shortfallOf({ terms, done, live }: Net): number {
  return terms.awards - done.length - live.length;
}

export function rejections(
  { terms: { task }, call }: Net,
  agents: readonly AgentId[],
  reason: RejectReason,
): TellEffect[] {
  const body: RejectNotice = { task, call, reason };
  return agents.length === 0 ? [] : [{ kind: 'tell', to: agents, type: 'reject_proposal', body }];
}

export function cancellation(
  { terms: { task } }: Net,
  { agent, fencing }: Contract,
  reason: CancelNotice['reason'],
): TellEffect {
  const body: CancelNotice = { task, fencing, reason };
  return { kind: 'tell', to: [agent], type: 'cancel', body };
}

/** Asks those under way how far they are, or for the task when they hear of it first. */
export function askEach(net: Net, contracts: readonly LiveContract[]): Effect<never>[] {
  const { task, heartbeatMs } = net.terms;
  const { detail } = currentTerms(net);
  return contracts.map(({ agent, price, fencing, heartbeat }) => {
    const body: AwardQuestion = {
      task,
      ...(detail === undefined ? {} : { detail }),
      price,
      fencing,
      heartbeat,
      heartbeatMs,
    };
    const type = heartbeat === 0 ? 'accept_proposal' : 'progress';
    return { kind: 'ask', to: [agent], type, body, budgetMs: heartbeatMs };
  });
}

/** Where a contract under way has got to. */
export type Standing =
  | { readonly kind: 'live'; readonly contract: LiveContract }
  | { readonly kind: 'done'; readonly contract: DoneContract }
  | { readonly kind: 'failed'; readonly contract: FailedContract };

/** What a contractor's answer makes of its contract. */
export function standingOf(
  { heartbeat, ...contract }: LiveContract,
  answer: Answer<NetReply>,
  heartbeats: number,
): Standing {
  const failed = (cause: ContractFailure, reason?: string): Standing => {
    const words = reason === undefined ? {} : { reason };
    return { kind: 'failed', contract: { ...contract, cause, ...words } };
  };
  if (answer.kind === 'silent') return failed(answer.cause);
  if (answer.kind === 'declined') return failed('declined', answer.reason);
  if (!('act' in answer.body)) return failed('invalid');
  const { act, result, reason, fencing = contract.fencing } = answer.body;
  if (fencing !== contract.fencing) return failed('stale_fencing');
  switch (act) {
    case 'working':
      return heartbeat < heartbeats
        ? { kind: 'live', contract: { ...contract, heartbeat: heartbeat + 1 } }
        : failed('deadline');
    case 'failure':
      return failed('failure', reason);
    case 'inform_done':
    case 'inform_result':
      return {
        kind: 'done',
        contract: { ...contract, ...(result === undefined ? {} : { result }) },
      };
  }
}

/** What the outcome says of a contractor whose award came to nothing. */
export function reasonOfFailure(cause: ContractFailure): LossReason {
  switch (cause) {
    case 'failure':
    case 'declined':
      return 'declined';
    case 'deadline':
    case 'late':
      return 'late';
    case 'stale_fencing':
    case 'invalid':
    case 'equivocation':
      return 'invalid';
    case 'timeout':
    case 'down':
      return 'silent';
  }
}
