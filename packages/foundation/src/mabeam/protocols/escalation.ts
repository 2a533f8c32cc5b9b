import { canonical } from '../canonical.ts';
import type { AgentId } from '../message.ts';
import type {
  Answer,
  Claim,
  Decision,
  Effect,
  LossReason,
  Protocol,
  SessionEvent,
  Step,
} from '../protocol.ts';
import {
  type ClaimQuestion,
  type MadeClaim,
  parseClaim,
  parseRuling,
  type ResourceClaim,
  type Ruling,
  type RulingQuestion,
  type Share,
} from './conflict-questions.ts';
import {
  allocations,
  claimsOf,
  type ConflictSpec,
  shareProblems,
  unitsOf,
} from './conflict-terms.ts';
import {
  type EscalationSpec,
  levelsMax,
  parseEscalationSpec,
  settlingMax,
} from './escalation-terms.ts';

/** What somebody who decides has said. */
export interface MadeRuling {
  readonly level: number;
  readonly agent: AgentId;
  /** Of the claims, in their order. Absent: it is impossible. */
  readonly shares?: readonly Share[];
}

/** How a conflict ended. */
export interface EscalationResult {
  readonly resource: string;
  readonly supply: number;
  /** Every claim to more than nothing as it stood at last, in the order of the roster. */
  readonly claims: readonly MadeClaim[];
  /** Who gets what, in the order of the claims. Absent where nobody could decide. */
  readonly shares?: readonly Share[];
  /** On which level it was resolved; 0: by the claimants. Absent where it was not. */
  readonly level?: number;
  /** Who has resolved it. */
  readonly by: readonly AgentId[];
  /** All that was said on the way, level by level. */
  readonly rulings: readonly MadeRuling[];
}

interface Dispute {
  readonly spec: EscalationSpec & Required<ConflictSpec>;
  readonly roster: readonly AgentId[];
  readonly claims: readonly MadeClaim[];
  /** Rounds of claims so far. */
  readonly claimed: number;
  /** Levels that were asked. */
  readonly level: number;
  readonly rulings: readonly MadeRuling[];
}

type DisputeReply = ResourceClaim | Ruling;
type DisputeStep = Step<Dispute, EscalationResult>;

/**
 * Claimants say what they claim. If that is more than there is, they may settle it by claiming less; else it goes up level
 * by level, until more than half of those who decide on one rule the same. A level that declines, is silent or is not
 * of one mind passes it on.
 */
export const escalation: Protocol<EscalationSpec, DisputeReply, Dispute, EscalationResult> = {
  name: 'conflict.escalation',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'n/a',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1 + settlingMax + levelsMax,
    maxMessages: (n) => (2 * (1 + settlingMax + levelsMax) + 1) * n,
  },
  parseSpec: parseEscalationSpec,
  parseReply: (type, body) => (type === 'get_claim' ? parseClaim(body) : parseRuling(body)),
  init(given, roster) {
    const spec = { supply: 1, claimMs: 1_000, ...given };
    const dispute = { spec, roster, claims: [], claimed: 1, level: 0, rulings: [] };
    const deciders = new Set(spec.levels.flat());
    const missing = [...deciders].find((id) => !roster.includes(id));
    if (missing !== undefined) throw new Error(`levels: ${missing} is not in the roster`);
    return askClaims(
      dispute,
      roster.filter((id) => !deciders.has(id)),
    );
  },
  on: (dispute, event) =>
    dispute.level === 0 ? onClaims(dispute, event) : onRulings(dispute, event),
  verify: problemsOf,
};

function askClaims(dispute: Dispute, to: readonly AgentId[]): DisputeStep {
  const { resource, supply, claimMs: budgetMs } = dispute.spec;
  const { claims, claimed } = dispute;
  const body: ClaimQuestion = { resource, supply, ...(claimed === 1 ? {} : { claims }) };
  return { state: dispute, effects: [{ kind: 'ask', to, type: 'get_claim', body, budgetMs }] };
}

function onClaims(before: Dispute, { answers }: SessionEvent<DisputeReply>): DisputeStep {
  const made = claimsOf(answers.filter(isClaim));
  const dispute = { ...before, claims: before.claimed === 1 ? made : settled(before, answers) };
  const { claims, claimed, spec } = dispute;
  if (unitsOf(claims) <= spec.supply) {
    const shares = claims.map(({ agent, units }) => ({ agent, units }));
    return conclude(dispute, { shares, level: 0, by: claims.map(({ agent }) => agent) });
  }
  return claimed <= (spec.settling ?? 1)
    ? askClaims(
        { ...dispute, claimed: claimed + 1 },
        claims.map(({ agent }) => agent),
      )
    : escalate(dispute);
}

/** Who says nothing keeps its claim, and nobody gets to claim more than before. */
function settled(
  { claims }: Dispute,
  answers: readonly Answer<DisputeReply>[],
): readonly MadeClaim[] {
  const heard = new Map(
    answers.filter(isClaim).flatMap((each) => (each.kind === 'ok' ? [[each.from, each.body]] : [])),
  );
  return claims
    .map((claim) => ({
      ...claim,
      units: Math.min(claim.units, heard.get(claim.agent)?.units ?? claim.units),
    }))
    .filter(({ units }) => units > 0);
}

function isClaim(answer: Answer<DisputeReply>): answer is Answer<ResourceClaim> {
  return answer.kind !== 'ok' || 'units' in answer.body;
}

/** Asks the next level. */
function escalate(before: Dispute): DisputeStep {
  const dispute = { ...before, level: before.level + 1 };
  const { spec, level, claims } = dispute;
  const to = spec.levels[level - 1];
  if (to === undefined) return conclude(before, { by: [] });
  const { resource, supply, rulingMs: budgetMs = 1_000 } = spec;
  const body: RulingQuestion = { resource, supply, claims, level };
  const facts = { level, claimed: unitsOf(claims), supply };
  return {
    state: dispute,
    effects: [
      { kind: 'emit', name: 'escalated', facts },
      { kind: 'ask', to, type: 'get_ruling', body, budgetMs },
    ],
  };
}

function onRulings(before: Dispute, { answers }: SessionEvent<DisputeReply>): DisputeStep {
  const { level, claims, spec } = before;
  const made = answers.flatMap((answer): MadeRuling[] => {
    if (answer.kind !== 'ok' || !('shares' in answer.body)) return [];
    const shares = sharesOf(answer.body, claims, spec.supply);
    return [{ level, agent: answer.from, ...(shares === undefined ? {} : { shares }) }];
  });
  const dispute = { ...before, rulings: [...before.rulings, ...made] };
  const possible = made.filter(({ shares }) => shares !== undefined);
  for (const same of Map.groupBy(possible, ({ shares }) => canonical(shares)).values()) {
    const [{ shares } = {}] = same;
    if (shares === undefined || 2 * same.length <= answers.length) continue;
    return conclude(dispute, { shares, level, by: same.map(({ agent }) => agent) });
  }
  return escalate(dispute);
}

/** What a ruling gives to each claim; undefined if it gives more than was claimed or is there, or to strangers. */
// oxlint-disable-next-line max-params -- what, of which claims, out of how much
function sharesOf(
  { shares }: Ruling,
  claims: readonly MadeClaim[],
  supply: number,
): readonly Share[] | undefined {
  const named = Object.entries(shares).map(([agent, units]) => ({ agent, units }));
  if (shareProblems(claims, named, supply).length > 0) return undefined;
  return claims.map(({ agent }) => ({
    agent,
    units: Object.hasOwn(shares, agent) ? (shares[agent] ?? 0) : 0,
  }));
}

function conclude(
  dispute: Dispute,
  end: Pick<EscalationResult, 'shares' | 'level' | 'by'>,
): DisputeStep {
  const { spec, claims, rulings } = dispute;
  const { resource, supply } = spec;
  const { shares } = end;
  const isResolved = shares !== undefined && claims.length > 0;
  const decision: Decision<EscalationResult> = {
    status: isResolved ? 'decided' : 'no_deal',
    result: { resource, supply, claims, ...end, rulings },
    reasons: reasonsOf(dispute, end),
  };
  const told: Effect<never>[] =
    shares === undefined
      ? [
          {
            kind: 'tell',
            to: claims.map(({ agent }) => agent),
            type: 'unresolved',
            body: { resource },
          },
        ]
      : allocations(resource, shares);
  return { state: dispute, effects: [...told, { kind: 'finish', decision }] };
}

/** Of claimants and of those who decided. `not_eligible`: has claimed in vain, as nobody could decide. */
function reasonsOf(
  { claims, rulings }: Dispute,
  { shares, by, level }: Pick<EscalationResult, 'shares' | 'level' | 'by'>,
): Readonly<Record<AgentId, LossReason>> {
  const given = new Map(shares?.map(({ agent, units }) => [agent, units]));
  const gets = (agent: AgentId): LossReason => {
    if (shares === undefined) return 'not_eligible';
    return (given.get(agent) ?? 0) > 0 ? 'won' : 'outbid';
  };
  const ruled = (ruling: MadeRuling): LossReason => {
    if (ruling.shares === undefined) return 'invalid';
    return ruling.level === level && by.includes(ruling.agent) ? 'won' : 'outbid';
  };
  return Object.fromEntries([
    ...rulings.map((ruling) => [ruling.agent, ruled(ruling)] as const),
    ...claims.map(({ agent }) => [agent, gets(agent)] as const),
  ]);
}

/** That who resolved it may, and gave what was claimed and is there. */
function problemsOf(
  { levels, supply = 1 }: EscalationSpec,
  { status, result }: Claim<EscalationResult>,
): readonly string[] {
  if (result?.shares === undefined) return status === 'decided' ? ['decided without shares'] : [];
  const { claims, shares, level = 0, by, rulings } = result;
  const problems = [...shareProblems(claims, shares, supply)];
  if (level === 0) {
    return canonical(shares) === canonical(claims.map(({ agent, units }) => ({ agent, units })))
      ? problems
      : [...problems, 'not what the claimants have settled on'];
  }
  const deciders = levels[level - 1] ?? [];
  const same = rulings.filter(
    (ruling) => ruling.level === level && canonical(ruling.shares ?? null) === canonical(shares),
  );
  if (2 * same.length <= deciders.length || same.some(({ agent }) => !deciders.includes(agent))) {
    problems.push(`not more than half of level ${level} have ruled so`);
  }
  if (canonical(same.map(({ agent }) => agent)) !== canonical(by)) {
    problems.push('it was resolved by others');
  }
  return problems;
}
