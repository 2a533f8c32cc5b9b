import { parseFields } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import type { Claim, Decision, LossReason, Protocol, PureEnv, Tie } from '../protocol.ts';
import {
  type ClaimQuestion,
  type MadeClaim,
  parseClaim,
  priorityMax,
  type ResourceClaim,
  type Share,
} from './conflict-questions.ts';
import {
  allocations,
  claimsOf,
  type ConflictSpec,
  shareProblems,
  unitsOf,
  conflictFields,
} from './conflict-terms.ts';
import { ration, type RationRule } from './ration.ts';
import { isWhole } from './voting/vote-spec.ts';

/** What is divided by priority. */
export interface PriorityConflictSpec extends ConflictSpec {
  /**
   * Whole priorities by agent, 0 to {@link priorityMax}, the highest first. Who is not named has 0.
   *
   * @defaultValue claimants say their own
   */
  readonly priorities?: Readonly<Record<AgentId, number>>;
}

/** How a resource was divided. */
export interface ConflictResult {
  readonly resource: string;
  readonly supply: number;
  /** Every claim to more than nothing, in the order of the roster, with the priority that counted. */
  readonly claims: readonly MadeClaim[];
  /** Of each claim, in the same order. Absent where it takes a tie-break, and the rule is to report that. */
  readonly shares?: readonly Share[];
  /** Units that nobody gets. */
  readonly left: number;
}

/** Divides a resource among claims, in one round. Its state is its spec. */
export type ResourceConflict = Protocol<
  PriorityConflictSpec,
  ResourceClaim,
  PriorityConflictSpec,
  ConflictResult
>;

/**
 * The claim of the highest priority is met first, then the next, as far as the supply goes; among equals by the tie rule
 * of the session. The last that is met may get a part of it.
 */
export const priorityConflict: ResourceConflict = conflict('conflict.priority', 'priority');

/**
 * Each gets its share of the supply in proportion to its claim, rounded down, and what is left goes unit by unit to the
 * largest remainders (Hamilton 1792). Nobody gets more than it claims; claims that are less than the supply are met.
 */
export const proportionalConflict: ResourceConflict = conflict('conflict.proportional', 'pro_rata');

function conflict(name: string, rule: RationRule): ResourceConflict {
  return {
    name,
    version: '1.0.0',
    traits: {
      dominantStrategyTruthful: false,
      individuallyRational: true,
      budget: 'n/a',
      sealed: true,
      toleratesSilent: (n) => n,
      toleratesByzantine: () => 0,
      maxRounds: () => 1,
      maxMessages: (n) => 3 * n,
    },
    parseSpec: (spec) => parseSpec(spec, rule),
    parseReply: (_type, body) => parseClaim(body),
    init(spec, roster) {
      const { resource, supply = 1, claimMs: budgetMs = 1_000 } = spec;
      const body: ClaimQuestion = { resource, supply };
      return {
        state: spec,
        effects: [{ kind: 'ask', to: roster, type: 'get_claim', body, budgetMs }],
      };
    },
    on(spec, { answers }, env) {
      const claims = claimsOf(answers).map((claim) => inOrderOf(claim, spec, rule));
      const decision = divide(claims, { spec, rule }, env);
      const nothing = answers.filter((each) => each.kind === 'ok' && each.body.units === 0);
      const reasons = {
        ...Object.fromEntries(nothing.map(({ from }) => [from, 'declined' as const])),
        ...decision.reasons,
      };
      const told = allocations(spec.resource, decision.result?.shares ?? []);
      return {
        state: spec,
        effects: [...told, { kind: 'finish', decision: { ...decision, reasons } }],
      };
    },
    verify: (spec, claim) => problemsOf(spec, claim, rule),
  };
}

/** The claim, with the priority that counts. */
// oxlint-disable-next-line max-params -- what, under which spec, by which rule
function inOrderOf(
  { agent, units, priority = 0 }: MadeClaim,
  { priorities }: PriorityConflictSpec,
  rule: RationRule,
): MadeClaim {
  if (rule === 'pro_rata') return { agent, units };
  if (priorities === undefined) return { agent, units, priority };
  return {
    agent,
    units,
    priority: Object.hasOwn(priorities, agent) ? (priorities[agent] ?? 0) : 0,
  };
}

function divide(
  claims: readonly MadeClaim[],
  { spec, rule }: { readonly spec: PriorityConflictSpec; readonly rule: RationRule },
  env: PureEnv,
): Decision<ConflictResult> {
  const { resource, supply = 1 } = spec;
  const result = { resource, supply, claims };
  if (claims.length === 0) return { status: 'no_deal', result: { ...result, left: supply } };
  const byPriority = Map.groupBy(claims, ({ priority = 0 }) => priority);
  const given = new Map<AgentId, number>();
  let left = supply;
  let tie: Tie | undefined;
  for (const priority of [...byPriority.keys()].toSorted((one, other) => other - one)) {
    const equals = byPriority.get(priority) ?? [];
    const units = Math.min(left, unitsOf(equals));
    const rationed = ration(equals, { units, rule, label: `share of ${resource}` }, env);
    tie ??= rationed.tie;
    if (rationed.shares === undefined) {
      const reasons = Object.fromEntries(claims.map(({ agent }) => [agent, 'tie_lost' as const]));
      return { status: 'tied', result: { ...result, left: supply }, ...(tie && { tie }), reasons };
    }
    for (const [agent, share] of rationed.shares) given.set(agent, share);
    left -= units;
  }
  const shares = claims.map(({ agent }) => ({ agent, units: given.get(agent) ?? 0 }));
  const reasons = reasonsOf(claims, given);
  return { status: 'decided', result: { ...result, shares, left }, ...(tie && { tie }), reasons };
}

/** `tie_lost`: others of the same priority got something. */
function reasonsOf(
  claims: readonly MadeClaim[],
  given: ReadonlyMap<AgentId, number>,
): Readonly<Record<AgentId, LossReason>> {
  const served = new Set(
    claims.filter(({ agent }) => (given.get(agent) ?? 0) > 0).map(({ priority }) => priority),
  );
  const reasonOf = ({ agent, priority }: MadeClaim): LossReason => {
    if ((given.get(agent) ?? 0) > 0) return 'won';
    return priority !== undefined && served.has(priority) ? 'tie_lost' : 'outbid';
  };
  return Object.fromEntries(claims.map((claim) => [claim.agent, reasonOf(claim)]));
}

/** That all of the supply is given away that was claimed, and by the rule. */
// oxlint-disable-next-line max-params -- under which spec, what, by which rule
function problemsOf(
  { supply = 1 }: PriorityConflictSpec,
  { status, result }: Claim<ConflictResult>,
  rule: RationRule,
): readonly string[] {
  if (result?.shares === undefined) {
    return status === 'decided' ? ['decided without shares'] : [];
  }
  const { claims, shares, left } = result;
  const problems = [...shareProblems(claims, shares, supply)];
  const claimed = unitsOf(claims);
  if (unitsOf(shares) !== Math.min(claimed, supply) || left !== supply - unitsOf(shares)) {
    problems.push('not as much is given away as could be');
  }
  const units = new Map(shares.map((share) => [share.agent, share.units]));
  const unmet = claims.filter((claim) => (units.get(claim.agent) ?? 0) < claim.units);
  const highest = unmet.reduce((most, { priority = 0 }) => Math.max(most, priority), -1);
  for (const { agent, priority = 0, units: wanted } of claims) {
    const share = units.get(agent) ?? 0;
    if (rule === 'priority' && priority < highest && share > 0) {
      problems.push(`${agent} is served before who has a higher priority`);
    }
    const exact = (BigInt(wanted) * BigInt(Math.min(supply, claimed))) / BigInt(claimed);
    const isFair = BigInt(share) === exact || BigInt(share) === exact + 1n;
    if (rule === 'pro_rata' && !isFair) problems.push(`${agent} does not get its proportion`);
  }
  return problems;
}

function parseSpec(value: unknown, rule: RationRule): Parsed<PriorityConflictSpec> {
  return rule === 'priority'
    ? parseFields(value, '{ resource, … }', (given) => ({
        ...conflictFields(given),
        priorities: parsePriorities(given['priorities']),
      }))
    : parseFields(value, '{ resource, … }', conflictFields);
}

function parsePriorities(priorities: unknown): Parsed<PriorityConflictSpec['priorities']> {
  if (priorities === undefined) return parsed(undefined);
  if (!isRecord(priorities)) {
    return unparsed(`priorities: expected numbers by agent, got ${shown(priorities)}`);
  }
  const read: [AgentId, number][] = [];
  for (const [id, priority] of Object.entries(priorities)) {
    if (!isWhole(priority, 0, priorityMax)) {
      return unparsed(
        `priorities: expected a whole number to ${priorityMax} for ${shown(id)}, got ${shown(priority)}`,
      );
    }
    read.push([id, priority]);
  }
  return parsed(Object.fromEntries(read));
}
