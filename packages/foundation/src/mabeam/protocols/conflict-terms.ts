import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Answer, TellEffect } from '../protocol.ts';
import {
  type AllocationNotice,
  type MadeClaim,
  type ResourceClaim,
  type Share,
  unitsMax,
} from './conflict-questions.ts';
import { sumOf } from './ration.ts';
import { isWhole } from './voting/vote-spec.ts';

/** What more may be claimed of than there is. */
export interface ConflictSpec {
  /** Name of the resource, up to 256 characters. */
  readonly resource: string;
  /** Whole units, 1 to {@link unitsMax}. @defaultValue 1: who has it, has it alone */
  readonly supply?: number;
  /** Milliseconds to claim. @defaultValue 1000 */
  readonly claimMs?: number;
}

/** Reads what all of them have; `more` are the fields that the protocol reads itself. */
export function parseConflict(
  spec: unknown,
  more: readonly string[],
): Parsed<ConflictSpec & { readonly given: Readonly<Record<string, unknown>> }> {
  if (!isRecord(spec)) return unparsed(`expected { resource, … }, got ${shown(spec)}`);
  const extra = unknownField(spec, ['resource', 'supply', 'claimMs', ...more]);
  if (extra !== undefined) return unparsed(`unknown field ${shown(extra)}`);
  const { resource, supply = 1, claimMs = 1_000 } = spec;
  if (typeof resource !== 'string' || resource.length === 0 || resource.length > 256) {
    return unparsed(`resource: expected a text of 1 to 256 characters, got ${shown(resource)}`);
  }
  if (!isWhole(supply, 1, unitsMax)) {
    return unparsed(`supply: expected a whole number from 1 to ${unitsMax}, got ${shown(supply)}`);
  }
  if (!isWhole(claimMs, 1, 2 ** 31 - 1)) {
    return unparsed(`claimMs: expected whole milliseconds from 1, got ${shown(claimMs)}`);
  }
  return parsed({ resource, supply, claimMs, given: spec });
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
