import { FoundationError } from '../errors.ts';
import { isName } from '../process/definition-check.ts';
import {
  agentHealthDefaults,
  problemsOfHealth,
  problemsOfLimits,
  type AgentHealthRules,
  type AgentLimits,
} from './agent-limits.ts';
import type { AgentId } from './message.ts';
import { isOneOf, isRecord, shown, unknownField } from './parse.ts';

const restartTypes = ['permanent', 'transient', 'temporary'] as const;

/** When an agent is started again after it ended, and how often before it is given up. */
export interface AgentRestart {
  /** `permanent`: always. `transient`: after a crash. `temporary`: never. */
  readonly type: (typeof restartTypes)[number];
  /** Restarts allowed within `restartWindowMs`. @defaultValue 3 */
  readonly restartsMax?: number;
  /** Length of the sliding window, in milliseconds. @defaultValue 5000 */
  readonly restartWindowMs?: number;
}

/** How an agent is run, and what it can do. `D` is the definition of its process. */
export interface AgentRegistration<D extends { readonly name: string }, Init = unknown> {
  readonly process: D;
  readonly init?: Init;
  /** What kind of agent it is. @defaultValue the name of its process */
  readonly type?: string;
  /**
   * `singleton`: when its node goes, another one starts it again, unless it was stopped. Then `restart` is permanent, and
   * there are no `limits`, no `health` and no `start`.
   * @defaultValue 'local'
   */
  readonly strategy?: 'local' | 'singleton';
  /**
   * Where it runs; that node must list its process among its `processes`. A singleton: where it runs first.
   * @defaultValue this node
   */
  readonly node?: string;
  /** Whether it is started at once. @defaultValue true */
  readonly start?: boolean;
  /** @defaultValue `permanent`, with the defaults of {@link AgentRestart} */
  readonly restart?: AgentRestart;
  /** What others find it by. */
  readonly capabilities: readonly string[];
  /** Names of the protocols in which it takes part. @defaultValue none */
  readonly protocols?: readonly string[];
  /** What it needs of a node, in units that the nodes of the cluster agree on. */
  readonly resources?: Readonly<Record<string, number>>;
  /** Anything serializable. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** What it may use. @defaultValue what its process may */
  readonly limits?: AgentLimits;
  /** How it is watched. @defaultValue {@link agentHealthDefaults} */
  readonly health?: AgentHealthRules;
}

/** A registration whose defaults are filled in. */
export interface ResolvedAgentRegistration<
  D extends { readonly name: string },
  Init = unknown,
> extends AgentRegistration<D, Init> {
  readonly type: string;
  readonly restart: Required<AgentRestart>;
  readonly protocols: readonly string[];
  readonly limits: AgentLimits;
  readonly health: Required<Omit<AgentHealthRules, 'call'>> & Pick<AgentHealthRules, 'call'>;
  readonly resources: Readonly<Record<string, number>>;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** How agents are restarted unless told otherwise. */
export const agentRestartDefaults: Required<AgentRestart> = {
  type: 'permanent',
  restartsMax: 3,
  restartWindowMs: 5_000,
};

/**
 * Checks a registration and fills in its defaults.
 *
 * @throws FoundationError `INVALID_OPTION` that names every bad field at once.
 */
export function resolveAgentRegistration<D extends { readonly name: string }, Init>(
  id: AgentId,
  registration: AgentRegistration<D, Init>,
): ResolvedAgentRegistration<D, Init> {
  refuseProblems(id, [...problemsOfId(id), ...problemsOf(registration)]);
  const { protocols = [], resources = {}, metadata = {}, limits = {} } = registration;
  return {
    ...registration,
    type: registration.type ?? registration.process.name,
    capabilities: [...new Set(registration.capabilities)],
    protocols: [...new Set(protocols)],
    restart: { ...agentRestartDefaults, ...registration.restart },
    resources,
    metadata,
    limits,
    health: { ...agentHealthDefaults, ...registration.health },
  };
}

/** What can be changed of an agent that runs. */
export type AgentChanges<Init = unknown> = Partial<
  Pick<
    AgentRegistration<{ readonly name: string }, Init>,
    'init' | 'type' | 'capabilities' | 'protocols' | 'resources' | 'metadata' | 'health'
  >
> & {
  /** Fields of its `init` that get another value; the others stay. Not together with `init`. */
  readonly configuration?: Readonly<Record<string, unknown>>;
};

const changeable = [
  'init',
  'configuration',
  'type',
  'capabilities',
  'protocols',
  'resources',
  'metadata',
  'health',
] as const;

/** @throws FoundationError `INVALID_OPTION` that names every bad field at once. */
export function checkChanges(id: AgentId, changes: AgentChanges): void {
  const problems = isRecord(changes)
    ? [
        ...unknownFields(changes, '', changeable),
        ...problemsOfFacts(changes),
        ...problemsOfConfiguration(changes),
      ]
    : [`expected changes, got ${shown(changes)}`];
  refuseProblems(id, problems);
}

function problemsOfConfiguration(changes: AgentChanges): string[] {
  const { configuration } = changes;
  if (configuration === undefined) return [];
  if (!isRecord(configuration)) {
    return [`expected \`configuration\` to be an object, got ${shown(configuration)}`];
  }
  return 'init' in changes ? ['expected `init` or `configuration`, not both'] : [];
}

/** @throws FoundationError `INVALID_OPTION` with all problems, if there are any */
export function refuseProblems(id: unknown, problems: readonly string[]): void {
  if (problems.length === 0) return;
  throw new FoundationError('INVALID_OPTION', `agent ${shown(id)}: ${problems.join('; ')}`, {
    hint: 'Nothing has changed. Correct the fields that are named.',
    details: { id, problems },
  });
}

function problemsOfId(id: unknown): string[] {
  return isName(id) ? [] : ['expected its id to be a name of at most 200 characters'];
}

function problemsOf(registration: unknown): string[] {
  if (!isRecord(registration)) return [`expected a registration, got ${shown(registration)}`];
  const { process, strategy, node, start, capabilities, restart, limits } = registration;
  const problems = unknownFields(registration, '', registrationFields);
  if (!isRecord(process) || typeof process['name'] !== 'string') {
    problems.push(`expected \`process\` to be a definition, got ${shown(process)}`);
  }
  if (strategy !== undefined && !isOneOf(['local', 'singleton'], strategy)) {
    problems.push(`expected \`strategy\` to be local or singleton, got ${shown(strategy)}`);
  }
  if (node !== undefined && typeof node !== 'string') {
    problems.push(`expected \`node\` to be the name of a node, got ${shown(node)}`);
  }
  if (start !== undefined && typeof start !== 'boolean') {
    problems.push(`expected \`start\` to be true or false, got ${shown(start)}`);
  }
  if (capabilities === undefined) problems.push(capabilitiesRule);
  problems.push(...problemsOfFacts(registration));
  if (restart !== undefined) problems.push(...problemsOfRestart(restart));
  if (limits !== undefined) problems.push(...problemsOfLimits(limits));
  return strategy === 'singleton' ? problems.concat(problemsOfSingleton(registration)) : problems;
}

const capabilitiesRule = 'expected `capabilities` to be a list of texts of 1 to 256 characters';

/** What a registration and a change have in common. */
function problemsOfFacts(given: Readonly<Record<string, unknown>>): string[] {
  const { type, capabilities, protocols, resources, metadata, health } = given;
  const problems: string[] = [];
  if (type !== undefined && !isCapability(type)) {
    problems.push(`expected \`type\` to be a text of 1 to 256 characters, got ${shown(type)}`);
  }
  if (capabilities !== undefined && !areTexts(capabilities)) problems.push(capabilitiesRule);
  if (protocols !== undefined && !areTexts(protocols)) {
    problems.push('expected `protocols` to be a list of texts of 1 to 256 characters');
  }
  if (resources !== undefined && !(isRecord(resources) && Object.values(resources).every(isNeed))) {
    problems.push('expected `resources` to be names with numbers from 0');
  }
  if (metadata !== undefined && !isRecord(metadata)) {
    problems.push(`expected \`metadata\` to be an object, got ${shown(metadata)}`);
  }
  return health === undefined ? problems : problems.concat(problemsOfHealth(health));
}

/** A singleton is kept by whichever node runs it, as it was started. */
function problemsOfSingleton(registration: Readonly<Record<string, unknown>>): string[] {
  const reasons = {
    start: 'a singleton has none',
    restart: 'a singleton is always started again, here or elsewhere',
    limits: 'a singleton has none, but its definition has `mailboxMax` and `threadMemoryMb`',
    health: 'a singleton has none',
  };
  return Object.entries(reasons)
    .filter(([field]) => registration[field] !== undefined)
    .map(([field, reason]) => `expected no \`${field}\`: ${reason}`);
}

const registrationFields = [
  'process',
  'init',
  'type',
  'strategy',
  'node',
  'start',
  'restart',
  'capabilities',
  'protocols',
  'resources',
  'metadata',
  'limits',
  'health',
] as const;

function problemsOfRestart(restart: unknown): string[] {
  if (!isRecord(restart)) return [`expected \`restart\` to be an object, got ${shown(restart)}`];
  const { type, restartsMax = 0, restartWindowMs = 1 } = restart;
  const problems = unknownFields(restart, 'restart.', ['type', 'restartsMax', 'restartWindowMs']);
  if (!isOneOf(restartTypes, type)) {
    problems.push(
      `expected \`restart.type\` to be one of ${restartTypes.join(', ')}, got ${shown(type)}`,
    );
  }
  if (!Number.isSafeInteger(restartsMax) || Number(restartsMax) < 0) {
    problems.push(
      `expected \`restart.restartsMax\` to be a whole number from 0, got ${shown(restartsMax)}`,
    );
  }
  if (!isNeed(restartWindowMs) || restartWindowMs === 0) {
    problems.push(
      `expected \`restart.restartWindowMs\` to be more than 0, got ${shown(restartWindowMs)}`,
    );
  }
  return problems;
}

function unknownFields(
  value: Readonly<Record<string, unknown>>,
  path: string,
  known: readonly string[],
): string[] {
  const extra = unknownField(value, known);
  return extra === undefined ? [] : [`unknown field ${shown(path + extra)}`];
}

function areTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(isCapability);
}

function isCapability(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 256;
}

function isNeed(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
