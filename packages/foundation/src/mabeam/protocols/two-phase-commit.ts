import { isDeepStrictEqual } from 'node:util';

import { oneOf, parseFields, parseOptional, parseText, parseTime } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { reasonOf } from '../outcome.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import type { Answer, Claim, Effect, LossReason, Protocol, Step } from '../protocol.ts';
import { parseVote, type VoteReply } from './two-phase-commit-questions.ts';

const decisions = ['commit', 'abort'] as const;

/** What becomes of a transaction, for all who take part in it. */
export type CommitDecision = (typeof decisions)[number];

/** What is to be committed. */
export interface TwoPhaseCommitSpec {
  /** Name of the transaction, up to 256 characters; participants know by it what to commit. */
  readonly transaction: string;
  /**
   * Milliseconds to vote. The session's deadline must leave time for the decision behind it: when it comes first,
   * the session ends as `limit_reached`, nothing is committed, and nobody is told.
   */
  readonly voteMs: number;
  /**
   * What an earlier session has decided, for those whom it left blocked: nobody votes, the decision is told again.
   *
   * @defaultValue there is none: they vote
   */
  readonly decided?: CommitDecision;
}

/** What was decided, and who knows it. Each member of the roster stands in one list. */
export interface TwoPhaseCommitResult {
  readonly transaction: string;
  readonly decision: CommitDecision;
  /** Have acknowledged the decision. */
  readonly acknowledged: readonly AgentId[];
  /** Voted no: they have aborted by themselves, and need not be told. */
  readonly refused: readonly AgentId[];
  /** Voted yes, or were told again, and have not acknowledged: in doubt, holding what they have prepared. */
  readonly blocked: readonly AgentId[];
  /** Of an abort: neither voted nor acknowledged. In doubt if they have voted yes and it was lost. */
  readonly unheard: readonly AgentId[];
}

/** A vote; of an acknowledgement nothing. */
type CommitReply = VoteReply | Readonly<Record<string, never>>;

interface Progress {
  readonly spec: TwoPhaseCommitSpec;
  readonly roster: readonly AgentId[];
  /** Absent while they vote. */
  readonly decision?: CommitDecision;
  readonly votes: readonly Answer<CommitReply>[];
}

/**
 * All commit or none does. Everybody is asked to prepare; only if all vote yes it is a commit, and any
 * no, silence or death makes it an abort (Gray 1978; with presumed abort: Mohan, Lindsay and Obermarck 1986).
 * Who has voted yes is in doubt until it is told, and must not decide by itself.
 *
 * Start it with `durable: true`: the votes that make a commit are then on record before anybody is told, and
 * whoever goes on with the session tells the same. Without it a coordinator that dies leaves them in doubt.
 */
export const twoPhaseCommit: Protocol<
  TwoPhaseCommitSpec,
  CommitReply,
  Progress,
  TwoPhaseCommitResult
> = {
  name: 'consensus.2pc',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: true,
    individuallyRational: true,
    budget: 'n/a',
    sealed: true,
    toleratesSilent: () => 0,
    toleratesByzantine: () => 0,
    maxRounds: () => 2,
    maxMessages: (n) => 4 * n,
  },
  parseSpec,
  parseReply: (type, body) => (type === 'prepare' ? parseVote(body) : parseAcknowledgement(body)),
  init(spec, roster) {
    const progress = { spec, roster, votes: [] };
    if (spec.decided !== undefined) return tell({ ...progress, decision: spec.decided });
    const { transaction, voteMs: budgetMs } = spec;
    const body = { transaction };
    return {
      state: progress,
      effects: [{ kind: 'ask', to: roster, type: 'prepare', body, budgetMs }],
    };
  },
  on(progress, { answers }) {
    if (progress.decision !== undefined) return finish(progress, answers);
    const decision = answers.every((vote) => isVote(vote, 'yes')) ? 'commit' : 'abort';
    return tell({ ...progress, decision, votes: answers });
  },
  verify: problemsOf,
};

function isVote(answer: Answer<CommitReply>, vote: VoteReply['vote']): boolean {
  return answer.kind === 'ok' && 'vote' in answer.body && answer.body.vote === vote;
}

/** Who has aborted by itself. One that declines votes no. */
function refusersOf({ votes }: Progress): readonly AgentId[] {
  return votes
    .filter((answer) => answer.kind === 'declined' || isVote(answer, 'no'))
    .map(({ from }) => from);
}

function tell(
  progress: Progress & { readonly decision: CommitDecision },
): Step<Progress, TwoPhaseCommitResult> {
  const { roster, decision, spec } = progress;
  const refused = new Set(refusersOf(progress));
  const to = roster.filter((id) => !refused.has(id));
  const body = { transaction: spec.transaction };
  const seen: Effect<TwoPhaseCommitResult> = { kind: 'emit', name: 'decided', facts: { decision } };
  return { state: progress, effects: [seen, { kind: 'ask', to, type: decision, body }] };
}

function finish(
  progress: Progress,
  answers: readonly Answer<CommitReply>[],
): Step<Progress, TwoPhaseCommitResult> {
  const { spec, votes, decision = 'abort' } = progress;
  const refused = refusersOf(progress);
  const promised = new Set(votes.filter((vote) => isVote(vote, 'yes')).map(({ from }) => from));
  const isHeld = ({ from }: Answer<CommitReply>): boolean =>
    spec.decided !== undefined || promised.has(from);
  const idsOf = (some: readonly Answer<CommitReply>[]): AgentId[] => some.map(({ from }) => from);
  const missing = answers.filter(({ kind }) => kind !== 'ok');
  const result: TwoPhaseCommitResult = {
    transaction: spec.transaction,
    decision,
    acknowledged: idsOf(answers.filter(({ kind }) => kind === 'ok')),
    refused,
    blocked: idsOf(missing.filter(isHeld)),
    unheard: idsOf(missing.filter((answer) => !isHeld(answer))),
  };
  const reasons = reasonsOf(result, votes);
  const { blocked } = result;
  const ended =
    blocked.length === 0
      ? ({ status: 'decided' } as const)
      : ({
          status: 'limit_reached',
          detail: `in doubt: ${blocked.length} of those prepared`,
        } as const);
  const effect = { kind: 'finish', decision: { ...ended, result, reasons } } as const;
  return { state: progress, effects: [effect] };
}

/** Of who acknowledged or refused; the engine names the others. Why a vote was missing outlives a late acknowledgement. */
function reasonsOf(
  { decision, acknowledged, refused }: TwoPhaseCommitResult,
  votes: readonly Answer<CommitReply>[],
): Readonly<Record<AgentId, LossReason>> {
  const missing = new Map(votes.map((vote) => [vote.from, reasonOf(vote)]));
  const told = decision === 'commit' ? 'won' : 'not_eligible';
  return Object.fromEntries([
    ...acknowledged.map((id) => [id, missing.get(id) ?? told] as const),
    ...refused.map((id) => [id, 'declined'] as const),
  ]);
}

/** That nobody stands for a commit who did not vote yes, nobody is left out, and doubt is no success. */
function problemsOf(
  spec: TwoPhaseCommitSpec,
  { status, result, roster }: Claim<TwoPhaseCommitResult>,
): readonly string[] {
  if (result === undefined) return [];
  const { acknowledged, refused, blocked, unheard, decision } = result;
  const problems: string[] = [];
  const listed = [...acknowledged, ...refused, ...blocked, ...unheard].toSorted();
  if (!isDeepStrictEqual(listed, roster.toSorted())) {
    problems.push('not every member of the roster stands in one list');
  }
  if (decision === 'commit' && refused.length + unheard.length > 0) {
    problems.push('committed without the vote of all');
  }
  if (spec.decided !== undefined && spec.decided !== decision) {
    problems.push(`told ${decision} of what was decided as ${spec.decided}`);
  }
  if ((status === 'decided') !== (blocked.length === 0)) {
    problems.push(`\`${status}\` with ${blocked.length} in doubt`);
  }
  return problems;
}

function parseSpec(spec: unknown): Parsed<TwoPhaseCommitSpec> {
  return parseFields(spec, '{ transaction, voteMs }', ({ transaction, voteMs, decided }) => ({
    transaction: parseText('transaction', transaction),
    voteMs: parseTime('voteMs', voteMs),
    decided: parseOptional('decided', decided, oneOf(decisions)),
  }));
}

function parseAcknowledgement(body: unknown): Parsed<CommitReply> {
  return body === undefined || (isRecord(body) && Object.keys(body).length === 0)
    ? parsed({})
    : unparsed(`body: expected nothing or {}, got ${shown(body)}`);
}
