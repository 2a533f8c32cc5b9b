import { FoundationError, type Node } from '@foundation/core';
import { printable } from '@foundation/core/internal';
import type { AgentInfo, AgentUsage, Figure } from '@foundation/core/mabeam';

import { askAll, type Unanswered } from './ask-all.ts';
import { jsonOf } from './json.ts';
import { table } from './table.ts';

/** An agent, and what it uses where it runs and answers. */
export interface AgentRow extends Omit<AgentInfo, 'pid'> {
  readonly pid: string | undefined;
  readonly usage?: AgentUsage | undefined;
}

export interface AgentsView {
  readonly agents: readonly AgentRow[];
  /** Agents that nodes have and did not tell of, as they have too many. */
  readonly omitted: number;
  /** Nodes that could not be asked; of their agents is shown what all nodes know. */
  readonly unanswered: readonly Unanswered[];
}

/** Asks every member for its agents, and for those that it knows to be lost. */
export async function viewAgents(node: Node): Promise<AgentsView> {
  const { answers, unanswered } = await askAll(node, (member) => node.mabeam.agentsOn(member));
  const told = [...answers.values()];
  const silent = unanswered.map((each) => each.node);
  const known = node.mabeam.agents.find({ node: silent }).map((agent) => ({ agent }));
  const here = [...told.flatMap(({ agents }) => agents), ...known];
  const ids = new Set(here.map(({ agent }) => agent.id));
  const lost = new Map(
    told.flatMap((each) => each.lost).map((agent) => [agent.id, { agent }] as const),
  );
  const gone = [...lost.values()].filter(({ agent }) => !ids.has(agent.id));
  return {
    agents: [...here, ...gone].map(rowOf).toSorted(byId),
    omitted: told.reduce((sum, { agents, total }) => sum + total - agents.length, 0),
    unanswered,
  };
}

/** One agent. @throws FoundationError `UNKNOWN_AGENT` */
export async function viewAgent(node: Node, id: string): Promise<{ readonly agent: AgentRow }> {
  const { agents, unanswered } = await viewAgents(node);
  const found = agents.filter((each) => each.id === id);
  const agent = found.find(({ status }) => status === 'active') ?? found[0];
  if (agent !== undefined) return { agent };
  const silent = unanswered.map((each) => each.node).join(', ');
  throw new FoundationError('UNKNOWN_AGENT', `no node knows an agent ${id}`, {
    hint: `\`fnd agents\` lists those there are.${silent === '' ? '' : ` Not asked: ${silent}.`}`,
  });
}

function rowOf(view: {
  readonly agent: AgentInfo;
  readonly usage?: AgentUsage | undefined;
}): AgentRow {
  const { agent, usage } = view;
  return { ...agent, pid: agent.pid?.toString(), usage };
}

function byId(a: AgentRow, b: AgentRow): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

export function printAgents({ agents }: AgentsView): string {
  return table(agents, {
    agent: (row) => row.id,
    type: (row) => row.type,
    node: (row) => row.node,
    status: (row) => row.status,
    health: (row) => row.health,
    restarts: (row) => row.usage?.restarts ?? row.restarts,
    mailbox: (row) => row.usage?.mailbox,
    'messages/s': (row) => row.usage?.messagesPerSecond.toFixed(1),
    cpu: (row) => figure(row.usage?.cpuShare, percent),
    memory: (row) => figure(row.usage?.memoryBytes, megabytes),
    capabilities: (row) => row.capabilities.join(',') || undefined,
    problem: problemOf,
  });
}

/** What is wrong with an agent, or why it does not run. */
function problemOf({ problem, status, lastExit }: AgentRow): string | undefined {
  const isDown = status === 'failed' || status === 'given_up' || status === 'restarting';
  return problem ?? (isDown ? lastExit : undefined);
}

export function printAgent({ agent }: { readonly agent: AgentRow }): string {
  const { usage, limits } = agent;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ['process', agent.process],
    ['strategy', agent.strategy],
    ['pid', agent.pid],
    ['since', new Date(agent.since).toISOString()],
    ['version', String(agent.version)],
    ['protocols', agent.protocols.join(', ') || undefined],
    ['problem', agent.problem],
    ['last exit', agent.lastExit],
    ['resources', jsonOf(agent.resources)],
    ['limits', jsonOf(limits)],
    ['metadata', jsonOf(agent.metadata)],
    ['mailbox', usage && `${usage.mailbox} waiting, at most ${usage.mailboxHighWater}`],
    ['handled', usage && String(usage.handled)],
    ['at work on', usage?.current],
  ];
  const told = facts.flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  const head = printAgents({ agents: [agent], omitted: 0, unanswered: [] });
  return [...head.split('\n'), '', ...told.map(printable)].join('\n');
}

/** What was not measured of the agent alone says so. */
function figure(told: Figure | undefined, print: (value: number) => string): string | undefined {
  if (told === undefined) return undefined;
  return told.by === 'measured' ? print(told.value) : `${print(told.value)} (${told.by})`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(1)} MB`;
}
