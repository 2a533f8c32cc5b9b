import { type FieldsOf, parseMs, parseText, parseWhole } from '../fields.ts';
import type { AgentId } from '../message.ts';
import type { Answer, TellEffect } from '../protocol.ts';
import {
  type AllocationNotice,
  type MadeClaim,
  type ResourceClaim,
  type Share,
  unitsMax,
} from './conflict-questions.ts';
import { sumOf } from './ration.ts';

/** What more may be claimed of than there is. */
export interface ConflictSpec {
  /** Name of the resource, up to 256 characters. */
  readonly resource: string;
  /** Whole units, 1 to {@link unitsMax}. @defaultValue 1: who has it, has it alone */
  readonly supply?: number;
  /** Milliseconds to claim. @defaultValue 1000 */
  readonly claimMs?: number;
}

/** Reads what all of them are told. */
export function conflictFields({
  resource,
  supply = 1,
  claimMs = 1_000,
}: Readonly<Record<string, unknown>>): FieldsOf<ConflictSpec> {
  return {
    resource: parseText('resource', resource),
    supply: parseWhole('supply', supply, { max: unitsMax }),
    claimMs: parseMs('claimMs', claimMs),
  };
}

/** What was claimed, in the order of the roster. Nothing is no claim. */
export function claimsOf(answers: readonly Answer<ResourceClaim>[]): readonly MadeClaim[] {
  return answers.flatMap((answer) =>
    answer.kind === 'ok' && answer.body.units > 0 ? [{ agent: answer.from, ...answer.body }] : [],
  );
}

export function unitsOf(claims: readonly Pick<Share, 'units'>[]): number {
  return sumOf(claims.map(({ units }) => units));
}

/** Tells each what it gets. */
export function allocations(resource: string, shares: readonly Share[]): TellEffect[] {
  return shares.map(({ agent, units }) => {
    const body: AllocationNotice = { resource, units };
    return { kind: 'tell', to: [agent], type: 'allocation', body };
  });
}

/** What is wrong with shares of a supply, whatever rule they come from. */
export function shareProblems(
  claims: readonly MadeClaim[],
  shares: readonly Share[],
  supply: number,
): readonly string[] {
  const problems: string[] = [];
  const claimed = new Map(claims.map(({ agent, units }) => [agent, units]));
  const had = new Set<AgentId>();
  for (const { agent, units } of shares) {
    if (units > (claimed.get(agent) ?? 0)) problems.push(`${agent} gets more than it has claimed`);
    if (had.has(agent)) problems.push(`${agent} gets a share twice`);
    had.add(agent);
  }
  if (unitsOf(shares) > supply) problems.push(`more than ${supply} units are given away`);
  return problems;
}
