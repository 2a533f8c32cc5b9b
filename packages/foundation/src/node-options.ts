import { systemClock, type Clock } from './clock.ts';
import type { Discovery } from './cluster/discovery.ts';
import { pingDefaults, type PingOptions } from './cluster/failure-detector.ts';
import type { Store } from './cluster/store.ts';
import type { Transport } from './cluster/transport.ts';
import { FoundationError } from './errors.ts';
import {
  checkChoice,
  checkNumber,
  invalidOption,
  refuseUnknown,
  shown,
  withDefaults,
} from './options.ts';
import { behaviourOf } from './process/behaviour.ts';
import type { AnyDefinition } from './process/definition.ts';
import type { SchedulerFactory } from './process/runtime.ts';
import { systemRandom, type Random } from './random.ts';

/** How a node is started; every option may be left out. */
export interface NodeOptions {
  /** Name of this node, unique in the cluster. @defaultValue one made of the process id */
  readonly name?: string;
  /**
   * `local`: finds the other nodes of this machine by itself. `off`: alone, nothing is opened.
   * @defaultValue 'local'
   */
  readonly cluster?: 'local' | 'off';
  /** Nodes of one cluster meet; others never do. @defaultValue the nearest package.json's name */
  readonly clusterName?: string;
  /** Where the cluster's file and secret are kept. @defaultValue FOUNDATION_HOME, or the user's state directory */
  readonly directory?: string;
  /** `observer`: sees and calls everything, hosts nothing and is not counted. @defaultValue 'member' */
  readonly role?: 'member' | 'observer';
  /**
   * `development` and `test` send local messages through the codec, so that what works here works
   * remotely; `production` passes them by reference.
   * @defaultValue 'production' when NODE_ENV says so, otherwise 'development'
   */
  readonly profile?: 'development' | 'test' | 'production';
  /** Definitions that other nodes may ask this one to run. */
  readonly processes?: readonly AnyDefinition[];
  /** When a silent node is suspected. */
  readonly detector?: Partial<PingOptions>;
  /** Other adapters than those that `cluster` brings. */
  readonly ports?: NodePorts;
  /**
   * Refuses calls from outside of its processes while the event loop is later than this, in milliseconds.
   * @defaultValue Infinity
   */
  readonly lagMaxMs?: number;
  readonly clock?: Clock;
  readonly random?: Random;
  /** Another order of processes than in turn, for tests: see `testNode` of `@foundation/testing`. */
  readonly scheduler?: SchedulerFactory;
}

export interface NodePorts {
  readonly transport?: Transport;
  readonly discovery?: Discovery;
  readonly store?: Store;
}

export interface NodeSettings {
  readonly name: string;
  readonly cluster: 'local' | 'off';
  readonly clusterName: string | undefined;
  readonly directory: string | undefined;
  readonly role: 'member' | 'observer';
  readonly profile: 'development' | 'test' | 'production';
  readonly processes: readonly AnyDefinition[];
  readonly detector: PingOptions;
  readonly ports: NodePorts;
  readonly lagMaxMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: SchedulerFactory | undefined;
}

/** Every option of `startNode`. */
export const nodeOptionNames = [
  'name',
  'cluster',
  'clusterName',
  'directory',
  'role',
  'profile',
  'processes',
  'detector',
  'ports',
  'lagMaxMs',
  'clock',
  'random',
  'scheduler',
];
/** Who refuses an option. */
const starting = 'startNode';
const choices = {
  cluster: ['local', 'off'],
  role: ['member', 'observer'],
  profile: ['development', 'test', 'production'],
} as const;
const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;

/**
 * The settings that options mean.
 *
 * @throws FoundationError `INVALID_OPTION`, `INVALID_NODE_NAME` or `INVALID_DEFINITION`, with the
 * offending value
 */
export function nodeSettings(options: NodeOptions, environment: NodeJS.ProcessEnv): NodeSettings {
  refuseUnknown(starting, options, nodeOptionNames);
  checkKinds(options);
  const { lagMaxMs = Infinity } = options;
  checkNumber(starting, { lagMaxMs }, { above: 0, endless: true });
  const random = options.random ?? systemRandom;
  const name = options.name ?? `node-${process.pid}-${random.int(36 ** 4).toString(36)}`;
  if (typeof name !== 'string' || !namePattern.test(name)) throw badName(name);
  return {
    name,
    cluster: options.cluster ?? 'local',
    clusterName: options.clusterName,
    directory: options.directory,
    role: options.role ?? 'member',
    profile:
      options.profile ?? (environment['NODE_ENV'] === 'production' ? 'production' : 'development'),
    processes: definitionsOf(options.processes ?? []),
    detector: detectorOptions(options.detector),
    ports: options.ports ?? {},
    lagMaxMs,
    clock: options.clock ?? systemClock,
    random,
    scheduler: options.scheduler,
  };
}

function checkKinds(options: NodeOptions): void {
  for (const option of ['ports', 'clock', 'random'] as const) {
    const value: unknown = options[option];
    if (value === undefined || (typeof value === 'object' && value !== null)) continue;
    throw invalidOption(starting, { [option]: value }, 'an object');
  }
  const { scheduler } = options;
  if (scheduler !== undefined && typeof scheduler !== 'function') {
    throw invalidOption(starting, { scheduler }, 'a function that makes one');
  }
  for (const [option, allowed] of Object.entries(choices)) {
    const value: unknown = options[option as keyof typeof choices];
    if (value !== undefined) checkChoice(starting, { [option]: value }, allowed);
  }
  for (const option of ['clusterName', 'directory'] as const) {
    const value: unknown = options[option];
    if (value === undefined || typeof value === 'string') continue;
    throw invalidOption(starting, { [option]: value }, 'a text');
  }
}

function definitionsOf(processes: readonly AnyDefinition[]): readonly AnyDefinition[] {
  if (!Array.isArray(processes))
    throw invalidOption(starting, { processes }, 'a list of definitions');
  return processes.map(behaviourOf);
}

function detectorOptions(given: Partial<PingOptions> = {}): PingOptions {
  refuseUnknown(`${starting}: detector`, given, Object.keys(pingDefaults));
  const options = withDefaults(pingDefaults, given);
  for (const [option, value] of Object.entries(options)) {
    checkNumber(starting, { [`detector.${option}`]: value }, { above: 0 });
  }
  return options;
}

function badName(name: unknown): FoundationError {
  return new FoundationError('INVALID_NODE_NAME', `${shown(name)} is not a node name`, {
    hint: 'Use 1 to 63 letters, digits, `.`, `_` and `-`, beginning with a letter or digit.',
    details: { name },
  });
}
