import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';

import { systemClock, type Clock } from './clock.ts';
import {
  detectorSettings,
  type DetectorOptions,
  type DetectorSettings,
} from './cluster/detector/detector-options.ts';
import type { Discovery } from './cluster/discovery.ts';
import { isNodeName } from './cluster/names.ts';
import type { Store } from './cluster/store.ts';
import type { Transport } from './cluster/transport.ts';
import { fileSources, findConfigFile, readConfigFile } from './config/config-file.ts';
import {
  configure,
  environmentSource,
  settingValues,
  type Configuration,
} from './config/configuration.ts';
import { decideCluster, detectEnvironment, type Decision } from './config/environment.ts';
import type { ClusterKind, NodeConfig, SettingValues, StoreKind } from './config/node-config.ts';
import { profiles, type Profile, type ProfileValues } from './config/profiles.ts';
import { FoundationError } from './errors.ts';
import { invalidOption, refuseUnknown, shown } from './options.ts';
import { behaviourOf } from './process/behaviour.ts';
import type { AnyDefinition } from './process/definition.ts';
import type { SchedulerFactory } from './process/runtime.ts';
import { systemRandom, type Random } from './random.ts';

/** How a node is started; every option may be left out. */
export interface NodeOptions extends NodeConfig {
  /** Path of a file of settings; false for none. @defaultValue the nearest foundation.config.ts */
  readonly config?: string | false;
  /** Definitions that other nodes may ask this one to run. */
  readonly processes?: readonly AnyDefinition[];
  /**
   * How soon a silent node is found: `fast` in 3 s, `lan` in 8 s, `wan` in 25 s; or a profile of which something
   * is changed.
   * @defaultValue 'fast' with `cluster: 'local'`, otherwise 'lan'
   */
  readonly detector?: DetectorOptions;
  /** Other adapters than those that `cluster` brings. */
  readonly ports?: NodePorts;
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

/** What a node is started with, complete. */
export interface NodeSettings {
  readonly name: string;
  readonly cluster: Exclude<ClusterKind, 'auto'>;
  /** Set where `cluster` was `auto`. */
  readonly decision: Decision | undefined;
  readonly store: StoreKind;
  readonly configuration: Configuration;
  readonly values: SettingValues;
  readonly clusterName: string | undefined;
  readonly directory: string | undefined;
  readonly role: 'member' | 'observer';
  readonly profile: ProfileValues & { readonly name: Profile };
  readonly splitPolicy: 'available' | 'majority';
  readonly voters: readonly string[] | undefined;
  readonly processes: readonly AnyDefinition[];
  readonly detector: DetectorSettings;
  readonly ports: NodePorts;
  readonly lagMaxMs: number;
  readonly clock: Clock;
  readonly random: Random;
  readonly scheduler: SchedulerFactory | undefined;
}

/** Options that only a program can give. */
const programOptions = [
  'config',
  'processes',
  'detector',
  'ports',
  'clock',
  'random',
  'scheduler',
] as const;

/** Every option of `startNode`. */
export const nodeOptionNames: readonly string[] = [
  'name',
  'cluster',
  'store',
  'clusterName',
  'directory',
  'role',
  'profile',
  'listen',
  'nats',
  'secret',
  'secretFile',
  'certificates',
  'splitPolicy',
  'voters',
  'lagMaxMs',
  ...programOptions,
];
/** Who refuses an option. */
const starting = 'startNode';

/** Where settings come from beside the program. */
export interface SettingsFrom {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Directory from which a file of settings is looked for. */
  readonly cwd: string;
  /** What the program's own options are called. @defaultValue 'startNode' */
  readonly program?: string;
}

/**
 * What the file of settings, the environment and the program set together; the latter win.
 *
 * @throws FoundationError `INVALID_OPTION` that names everything that is wrong.
 */
export async function configuration(
  options: NodeOptions,
  { environment, cwd, program = starting }: SettingsFrom,
): Promise<Configuration> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    refuseUnknown(starting, options, nodeOptionNames);
  }
  const inEnvironment = environmentSource(environment);
  const path = options.config === false ? undefined : (options.config ?? findConfigFile(cwd));
  const file = path === undefined ? undefined : await readConfigFile(path);
  const clusterName = options.clusterName ?? environment['FOUNDATION_CLUSTER_NAME'];
  return configure(
    [
      ...(environment['NODE_ENV'] === 'production' ? [productionByNodeEnv] : []),
      ...(file === undefined ? [] : fileSources(file, clusterName)),
      ...inEnvironment,
      { origin: program, values: { ...options } },
    ],
    programOptions,
  );
}

const productionByNodeEnv = { origin: 'NODE_ENV', values: { profile: 'production' } };

/**
 * The settings that options mean.
 *
 * @throws FoundationError `INVALID_OPTION`, `INVALID_NODE_NAME` or `INVALID_DEFINITION`, with the
 * offending value
 */
export async function nodeSettings(
  options: NodeOptions,
  from: SettingsFrom,
): Promise<NodeSettings> {
  const found = await configuration(options, from);
  checkKinds(options);
  const values = settingValues(found);
  const random = options.random ?? systemRandom;
  const name = values.name ?? `node-${process.pid}-${random.int(36 ** 4).toString(36)}`;
  if (!isNodeName(name)) throw badName(name);
  const kind = values.cluster.kind ?? 'local';
  const profile = values.profile ?? 'development';
  const cluster = kind === 'auto' ? decide(found, from).kind : kind;
  return {
    name,
    cluster,
    decision: kind === 'auto' ? decide(found, from) : undefined,
    store: values.store.kind ?? storeOf[cluster],
    configuration: found,
    values,
    clusterName: values.clusterName,
    directory: values.directory,
    role: values.role ?? 'member',
    profile: { ...profiles[profile], name: profile },
    splitPolicy: values.splitPolicy ?? 'available',
    voters: votersIn(values.voters),
    processes: definitionsOf(options.processes),
    detector: detectorSettings(starting, options.detector, cluster === 'local' ? 'fast' : 'lan'),
    ports: options.ports ?? {},
    lagMaxMs: values.lagMaxMs ?? Infinity,
    clock: options.clock ?? systemClock,
    random,
    scheduler: options.scheduler,
  };
}

/** What `auto` means here. */
export function decide(found: Configuration, { environment }: SettingsFrom): Decision {
  const surroundings = { environment, exists: existsSync, cpus: availableParallelism() };
  return decideCluster(detectEnvironment(surroundings, found));
}

/** Where a cluster agrees unless told otherwise. */
const storeOf: Readonly<Record<Exclude<ClusterKind, 'auto'>, StoreKind>> = {
  local: 'sqlite',
  off: 'memory',
  nats: 'jetstream',
  static: 'none',
  dns: 'none',
  mdns: 'none',
  kubernetes: 'none',
};

function checkKinds(options: NodeOptions): void {
  const { ports, clock, random } = options;
  if (ports === null || !['object', 'undefined'].includes(typeof ports)) {
    throw invalidOption(starting, { ports }, 'an object');
  }
  if (ports !== undefined) refuseUnknown(`${starting}: ports`, ports, Object.keys(portMethods));
  const given = { ...ports, clock, random };
  for (const [option, methods] of Object.entries({ ...portMethods, ...sourceMethods })) {
    checkMethods(option, Reflect.get(given, option), methods);
  }
  const { scheduler, config } = options;
  if (scheduler !== undefined && typeof scheduler !== 'function') {
    throw invalidOption(starting, { scheduler }, 'a function that makes one');
  }
  if (config !== undefined && config !== false && typeof config !== 'string') {
    throw invalidOption(starting, { config }, 'a path, or false');
  }
}

/** What is called of each port; the rest is for types to say. */
const portMethods = {
  transport: ['start', 'dial', 'probes', 'stop', 'counters'],
  discovery: ['start', 'stop'],
  store: ['start', 'get', 'watch', 'stop'],
};
const sourceMethods = { clock: ['now', 'wallNow', 'after', 'every'], random: ['next', 'int'] };

function checkMethods(option: string, value: unknown, methods: readonly string[]): void {
  if (value === undefined) return;
  const missing = methods.filter((name) => typeof Object(value)[name] !== 'function');
  if (missing.length === 0) return;
  const words = missing.map((name) => `\`${name}\``).join(', ');
  throw invalidOption(starting, { [option]: value }, `an object with ${words}`);
}

function votersIn(voters: readonly string[] | undefined): readonly string[] | undefined {
  if (voters === undefined) return undefined;
  const isWell =
    voters.length > 0 && voters.every(isNodeName) && new Set(voters).size === voters.length;
  if (!isWell) throw invalidOption(starting, { voters }, 'one node name or more, each once');
  return voters;
}

function definitionsOf(processes: readonly AnyDefinition[] = []): readonly AnyDefinition[] {
  if (!Array.isArray(processes))
    throw invalidOption(starting, { processes }, 'a list of definitions');
  return processes.map(behaviourOf);
}

function badName(name: unknown): FoundationError {
  return new FoundationError('INVALID_NODE_NAME', `${shown(name)} is not a node name`, {
    hint: 'Use 1 to 63 letters, digits, `.`, `_` and `-`, beginning with a letter or digit.',
    details: { name },
  });
}
