import { isDeepStrictEqual } from 'node:util';

import { refuseUnknown } from '../options.ts';
import type { AgentHealth } from './agent-health-state.ts';
import type { AgentInfo } from './agent-info.ts';
import type { AgentStatus } from './agent-state.ts';

/** Which agents are looked for: those of whom all holds that is given. A list: all of capabilities and protocols, any of the rest. */
export interface AgentCriteria {
  readonly capability?: string | readonly string[];
  readonly protocol?: string | readonly string[];
  readonly type?: string | readonly string[];
  readonly status?: AgentStatus | readonly AgentStatus[];
  readonly health?: AgentHealth | readonly AgentHealth[];
  readonly node?: string | readonly string[];
  /** Fields that its metadata has, among others. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** Resources of which it has said that it needs at least so much. */
  readonly resources?: Readonly<Record<string, number>>;
}

const known = [
  'capability',
  'protocol',
  'type',
  'status',
  'health',
  'node',
  'metadata',
  'resources',
];

/** @throws FoundationError `INVALID_OPTION` for a criterion that is none. */
export function checkCriteria(criteria: AgentCriteria): void {
  refuseUnknown('agents.find', criteria, known);
}

export function meets(agent: AgentInfo, criteria: AgentCriteria): boolean {
  const { capability, protocol, metadata = {}, resources = {} } = criteria;
  return (
    listOf(capability).every((each) => agent.capabilities.includes(each)) &&
    listOf(protocol).every((each) => agent.protocols.includes(each)) &&
    isAnyOf(agent.type, criteria.type) &&
    isAnyOf(agent.status, criteria.status) &&
    isAnyOf(agent.health, criteria.health) &&
    isAnyOf(agent.node, criteria.node) &&
    Object.entries(metadata).every(([key, value]) =>
      isDeepStrictEqual(agent.metadata[key], value),
    ) &&
    Object.entries(resources).every(([key, least]) => (agent.resources[key] ?? -1) >= least)
  );
}

function isAnyOf(value: string, wanted: string | readonly string[] | undefined): boolean {
  return wanted === undefined || listOf(wanted).includes(value);
}

function listOf(given: string | readonly string[] | undefined): readonly string[] {
  return given === undefined ? [] : typeof given === 'string' ? [given] : given;
}
