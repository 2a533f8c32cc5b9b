import type { AgentId } from '../message.ts';
import { isRecord, shown } from '../parse.ts';
import type {
  ConstraintFunction,
  OrchestrationConstraints,
  OrchestrationType,
} from './orchestration-variable.ts';

/** A value, and what it is about. */
export interface Candidate {
  readonly type: OrchestrationType;
  readonly value: unknown;
  readonly agents: readonly AgentId[];
}

/** What is wrong with the form of a value. */
export function problemOfForm({ type, value, agents }: Candidate): string | undefined {
  const known = new Set<unknown>(agents);
  const stranger = (ids: readonly unknown[]): string | undefined => {
    const found = ids.find((id) => !known.has(id));
    return found === undefined ? undefined : `${shown(found)} is none of its agents`;
  };
  switch (type) {
    case 'agent_selection':
      if (!Array.isArray(value)) return `expected a list of ids, got ${shown(value)}`;
      return stranger(value);
    case 'resource_allocation': {
      if (!isRecord(value)) return `expected amounts by id, got ${shown(value)}`;
      const bad = Object.entries(value).find(([, units]) => !isUnits(units));
      return bad === undefined
        ? stranger(Object.keys(value))
        : `expected ${bad[0]} to get a bigint from 0, got ${shown(bad[1])}`;
    }
    case 'communication_topology': {
      if (!Array.isArray(value)) return `expected a list of pairs, got ${shown(value)}`;
      const bad: unknown = value.find((pair) => !Array.isArray(pair) || pair.length !== 2);
      return bad === undefined
        ? stranger(value.flat())
        : `expected pairs [from, to], got ${shown(bad)}`;
    }
    case 'custom':
      return undefined;
  }
}

/** Constraints whose functions were found. */
export type FoundConstraints = Omit<OrchestrationConstraints<unknown>, 'check'> & {
  readonly check: readonly ConstraintFunction<unknown>[];
};

/** What breaks a constraint. @param active - how many of the agents would run */
export function problemOfConstraints(
  { type, value }: Candidate,
  active: number,
  { agentsMin = 0, agentsMax = Infinity, total, check }: FoundConstraints,
): string | undefined {
  if (active > agentsMax) {
    return `${active} agents would run, and at most ${agentsMax} may`;
  }
  if (active < agentsMin) {
    return `${active} agents would run, and at least ${agentsMin} must`;
  }
  if (total !== undefined && type === 'resource_allocation' && isRecord(value)) {
    const sum = Object.values(value).reduce<bigint>(
      (so, units) => so + (isUnits(units) ? units : 0n),
      0n,
    );
    if (sum > total) return `${sum} would be given away, and there are ${total}`;
  }
  return check.map((rule) => rule(value)).find((problem) => typeof problem === 'string');
}

function isUnits(value: unknown): value is bigint {
  return typeof value === 'bigint' && value >= 0n;
}
