import { FoundationError } from '../errors.ts';
import { isName } from '../process/definition-check.ts';
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
  /**
   * `singleton`: when its node goes, another one starts it again. Then `restart` is permanent.
   * @defaultValue 'local'
   */
  readonly strategy?: 'local' | 'singleton';
  /** @defaultValue `permanent`, with the defaults of {@link AgentRestart} */
  readonly restart?: AgentRestart;
  /** What others find it by. */
  readonly capabilities: readonly string[];
  /** What it needs of a node, in units that the nodes of the cluster agree on. */
  readonly resources?: Readonly<Record<string, number>>;
  /** Anything serializable. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** A registration whose defaults are filled in. */
export interface ResolvedAgentRegistration<
  D extends { readonly name: string },
  Init = unknown,
> extends AgentRegistration<D, Init> {
  readonly restart: Required<AgentRestart>;
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
  const problems = [...problemsOfId(id), ...problemsOf(registration)];
  if (problems.length > 0) {
    throw new FoundationError('INVALID_OPTION', `agent ${shown(id)}: ${problems.join('; ')}`, {
      hint: 'Nothing was registered. Correct the fields that are named.',
      details: { id, problems },
    });
  }
  return {
    ...registration,
    capabilities: [...new Set(registration.capabilities)],
    restart: { ...agentRestartDefaults, ...registration.restart },
    resources: registration.resources ?? {},
    metadata: registration.metadata ?? {},
  };
}

function problemsOfId(id: unknown): string[] {
  return isName(id) ? [] : ['expected its id to be a name of at most 200 characters'];
}

function problemsOf(registration: unknown): string[] {
  if (!isRecord(registration)) return [`expected a registration, got ${shown(registration)}`];
  const { process, strategy, capabilities, restart, resources, metadata } = registration;
  const problems = unknownFields(registration, '', registrationFields);
  if (!isRecord(process) || typeof process['name'] !== 'string') {
    problems.push(`expected \`process\` to be a definition, got ${shown(process)}`);
  }
  if (strategy !== undefined && !isOneOf(['local', 'singleton'], strategy)) {
    problems.push(`expected \`strategy\` to be local or singleton, got ${shown(strategy)}`);
  }
  if (!Array.isArray(capabilities) || !capabilities.every(isCapability)) {
    problems.push('expected `capabilities` to be a list of texts of 1 to 256 characters');
  }
  if (restart !== undefined) problems.push(...problemsOfRestart(restart));
  if (resources !== undefined && !(isRecord(resources) && Object.values(resources).every(isNeed))) {
    problems.push('expected `resources` to be names with numbers from 0');
  }
  if (metadata !== undefined && !isRecord(metadata)) {
    problems.push(`expected \`metadata\` to be an object, got ${shown(metadata)}`);
  }
  return problems;
}

const registrationFields = [
  'process',
  'init',
  'strategy',
  'restart',
  'capabilities',
  'resources',
  'metadata',
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

function isCapability(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= 256;
}

function isNeed(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
