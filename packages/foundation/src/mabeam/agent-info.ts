import { FoundationError } from '../errors.ts';
import type { Pid } from '../process/pid.ts';
import type { Located, SingletonRecord } from '../registry/registry-state.ts';
import type { AgentHealth } from './agent-health-state.ts';
import type { AgentLimits } from './agent-limits.ts';
import type { ResolvedAgentRegistration } from './agent-registration.ts';
import { agentStatuses, type AgentStatus } from './agent-state.ts';
import type { AgentId } from './message.ts';
import { isOneOf, isRecord, type Parsed, parsed, unparsed } from './parse.ts';

/** What every node knows of an agent. */
export interface AgentInfo {
  readonly id: AgentId;
  /** The node it is registered on. */
  readonly node: string;
  /** Name of its process's definition. */
  readonly process: string;
  readonly type: string;
  readonly strategy: 'local' | 'singleton';
  readonly status: AgentStatus;
  readonly health: AgentHealth;
  /** What the last check of its health has found; of one that was ended for that, until it runs again. */
  readonly problem?: string | undefined;
  /** How often its supervisor has started it again, not how often somebody did. Of a singleton: 0, see its usage. */
  readonly restarts: number;
  /** Why it ended last, if it did. */
  readonly lastExit?: string | undefined;
  readonly capabilities: readonly string[];
  readonly protocols: readonly string[];
  readonly resources: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly limits: AgentLimits;
  /** How often it was changed by `update`. */
  readonly version: number;
  /** Since when it has this status, in milliseconds since 1970 by its node's clock. */
  readonly since: number;
  /** Address of its process, where that runs. */
  readonly pid: Pid | undefined;
}

/** A figure, and how far it can be trusted. */
export interface Figure {
  readonly value: number;
  /** `shared`: measured of a thread that others share. */
  readonly by: 'measured' | 'estimate' | 'shared';
}

/** What an agent uses. */
export interface AgentUsage {
  readonly mailbox: number;
  readonly mailboxHighWater: number;
  readonly handled: number;
  readonly restarts: number;
  /** Messages handled in a second, since the last check of its health, otherwise since its start. */
  readonly messagesPerSecond: number;
  /** Share of a core in the same time: of its thread, otherwise estimated from a sample of its messages. */
  readonly cpuShare: Figure;
  /** Heap of its thread; otherwise its state as messages are encoded. Undefined where that cannot be. */
  readonly memoryBytes: Figure | undefined;
  /** The message it is at. */
  readonly current: string | undefined;
}

/** An agent with what it uses, which is not known of one that does not run or does not answer. */
export interface AgentView {
  readonly agent: AgentInfo;
  readonly usage?: AgentUsage | undefined;
}

/** What a node tells of agents. */
export interface AgentListing {
  /** Registered on that node, at most {@link agentsListed}. */
  readonly agents: readonly AgentView[];
  /** How many there are. */
  readonly total: number;
  /** Agents whose nodes are gone, as that node remembers them. */
  readonly lost: readonly AgentInfo[];
}

/** Most agents that a node tells of. */
export const agentsListed = 1_000;

/** Name under which the supervisors of agents stand in the registry. */
export const agentEntry = 'mabeam.agent';

/** What stands in the registry: all but what the registry knows anyway. */
export type AgentEntry = Omit<AgentInfo, 'node' | 'pid' | 'strategy'>;

/** What an agent has said of itself. */
export function factsOf(
  registration: ResolvedAgentRegistration<{ readonly name: string }>,
): Pick<
  AgentEntry,
  'process' | 'type' | 'capabilities' | 'protocols' | 'resources' | 'metadata' | 'limits'
> {
  const { process, type, capabilities, protocols, resources, metadata, limits } = registration;
  return { process: process.name, type, capabilities, protocols, resources, metadata, limits };
}

/** The agent that an entry of the registry stands for; undefined where it stands for none. */
export function agentIn({
  process,
  node,
  metadata,
}: Pick<Located, 'process' | 'node' | 'metadata'>): AgentInfo | undefined {
  if (process !== agentEntry || !isEntry(metadata)) return undefined;
  return { ...metadata, node, strategy: 'local', pid: undefined };
}

/** The agent that the record of a singleton stands for. */
export function agentOfSingleton(
  node: string,
  { name, about, listing, isStopped }: SingletonRecord,
): AgentInfo | undefined {
  const { capabilities = [], metadata = {} } = listing;
  const entry = { ...about, id: name, capabilities, metadata };
  if (!isEntry(entry)) return undefined;
  const status = isStopped === true ? 'registered' : entry.status;
  return { ...entry, status, node, strategy: 'singleton', pid: undefined };
}

/** What the record of a singleton says of the agent that it is. */
export function aboutSingleton({
  id: _id,
  capabilities: _capabilities,
  metadata: _metadata,
  ...about
}: AgentEntry): Readonly<Record<string, unknown>> {
  return about;
}

function isEntry(value: unknown): value is AgentEntry {
  if (!isRecord(value)) return false;
  const { id, process, type, status, health, problem, lastExit } = value;
  const { restarts, version, since, capabilities, protocols } = value;
  return (
    [id, process, type].every((each) => typeof each === 'string') &&
    [problem, lastExit].every((each) => each === undefined || typeof each === 'string') &&
    isOneOf(agentStatuses, status) &&
    isOneOf(['unknown', 'healthy', 'unhealthy'], health) &&
    [restarts, version, since].every((each) => Number.isFinite(each)) &&
    areTexts(capabilities) &&
    areTexts(protocols) &&
    [value['resources'], value['metadata'], value['limits']].every((each) => isRecord(each))
  );
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((each) => typeof each === 'string');
}

/** @throws FoundationError `MALFORMED` when another node has sent something else. */
export function readAgents(value: unknown): AgentListing {
  const listing = parseListing(value);
  if (!listing.ok) throw new FoundationError('MALFORMED', listing.reason);
  return listing.value;
}

function parseListing(value: unknown): Parsed<AgentListing> {
  const { agents, lost, total }: Record<string, unknown> = isRecord(value) ? value : {};
  if (!Array.isArray(agents) || !Array.isArray(lost) || !Number.isSafeInteger(total)) {
    return unparsed('a node told of no agents');
  }
  return agents.every((each) => isView(each)) && lost.every((each) => isInfo(each))
    ? parsed({ agents, lost, total: Number(total) })
    : unparsed('a node told of something that is no agent');
}

function isView(value: unknown): value is AgentView {
  if (!isRecord(value) || !isInfo(value['agent'])) return false;
  return value['usage'] === undefined || isUsage(value['usage']);
}

function isInfo(value: unknown): value is AgentInfo {
  return isEntry(value) && 'node' in value && typeof value.node === 'string';
}

/** Whether a value from another node is what an agent uses. */
export function isUsage(value: unknown): value is AgentUsage {
  if (!isRecord(value)) return false;
  const { mailbox, mailboxHighWater, handled, restarts, messagesPerSecond } = value;
  const numbers = [mailbox, mailboxHighWater, handled, restarts, messagesPerSecond];
  return numbers.every((each) => typeof each === 'number') && isFigure(value['cpuShare']);
}

function isFigure(value: unknown): boolean {
  return isRecord(value) && typeof value['value'] === 'number';
}
