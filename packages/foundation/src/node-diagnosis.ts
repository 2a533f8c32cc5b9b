import { locateHome } from './cluster/home.ts';
import type { Configuration } from './config/configuration.ts';
import type { Decision } from './config/environment.ts';
import { isFoundationError, messageOf } from './errors.ts';
import { homeOptions, isLoopback, listenConfig, storeOf } from './node-adapters.ts';
import { nodeKeys } from './node-keys.ts';
import {
  configuration,
  decide,
  nodeSettings,
  type NodeOptions,
  type NodeSettings,
  type SettingsFrom,
} from './node-options.ts';

/** One thing that a node needs to start. */
export interface Check {
  readonly what: 'configuration' | 'cluster' | 'keys' | 'store';
  readonly isFine: boolean;
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly fix: string | undefined;
}

/** Whether a node could start here, and what it would do. */
export interface Diagnosis {
  readonly profile: string;
  readonly decision: Decision | undefined;
  readonly checks: readonly Check[];
  readonly caveats: readonly string[];
}

/** Finds out what a node would do with these options, and what it lacks. Starts nothing. */
export async function diagnose(options: NodeOptions, from: SettingsFrom): Promise<Diagnosis> {
  try {
    const settings = await nodeSettings(options, from);
    return await diagnosisOf(settings, from);
  } catch (error) {
    return {
      profile: 'unknown',
      decision: undefined,
      checks: [bad('configuration', error)],
      caveats: [],
    };
  }
}

/** The settings in effect. @throws FoundationError `INVALID_OPTION` */
export function effectiveConfiguration(
  options: NodeOptions,
  from: SettingsFrom,
): Promise<Configuration> {
  return configuration(options, from);
}

async function diagnosisOf(settings: NodeSettings, from: SettingsFrom): Promise<Diagnosis> {
  const { configuration: found, profile, cluster } = settings;
  const store = await checkStore(settings);
  const because = settings.decision?.because ?? `set by ${found.get('cluster.kind')?.origin}`;
  return {
    profile: profile.name,
    decision: settings.decision ?? decide(found, from),
    checks: [
      fine('configuration', `${found.size} settings, none is wrong`),
      fine('cluster', `${cluster}: ${because}`),
      await checkKeys(settings),
      store.check,
    ],
    caveats: store.caveats,
  };
}

async function checkKeys(settings: NodeSettings): Promise<Check> {
  if (settings.cluster === 'off') return fine('keys', 'none are needed by a node alone');
  const home = locateHome(homeOptions(settings));
  try {
    const { kind } = await nodeKeys(settings, home, isLoopback(listenConfig(settings).host));
    return fine('keys', kind === 'secret' ? 'a secret is there' : 'certificates are there');
  } catch (error) {
    return bad('keys', error);
  }
}

async function checkStore(
  settings: NodeSettings,
): Promise<{ readonly check: Check; readonly caveats: readonly string[] }> {
  try {
    const store = await storeOf(settings);
    // An embedded one would be made by it.
    const isElsewhere = settings.store !== 'sqlite';
    if (isElsewhere) await store.start();
    const { scope, outlives, voters, caveats } = store.promises;
    if (isElsewhere) await store.stop();
    const isDecided = settings.store !== 'none' || settings.values.store.kind !== undefined;
    if (!isDecided) return { check: noStore, caveats };
    const found = `${store.name}: for one ${scope}, outlives ${outlives}, ${voters} voting`;
    return { check: fine('store', found), caveats };
  } catch (error) {
    return { check: bad('store', error), caveats: [] };
  }
}

const noStore: Check = {
  what: 'store',
  isFine: false,
  found: 'none: no leases, no strong variables, nothing durable',
  fix: "Set `store`, for instance to { kind: 'etcd', endpoints: ['https://10.0.0.5:2379'] }; or to 'none' where that is right.",
};

function fine(what: Check['what'], found: string): Check {
  return { what, isFine: true, found, fix: undefined };
}

function bad(what: Check['what'], error: unknown): Check {
  const fix = isFoundationError(error) ? error.hint : undefined;
  return { what, isFine: false, found: messageOf(error), fix };
}
