import {
  DiscardPolicy,
  JetStreamApiCodes,
  JetStreamApiError,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from '@nats-io/jetstream';

import type { StorePromises } from '../cluster/store.ts';
import { FoundationError } from '../errors.ts';
import type { JetStreamBucket } from './jet-stream-bucket.ts';
import type { NatsClient } from './nats-client.ts';
import type { Tries } from './tries.ts';

/** Entries of a key that are kept, so that the fate of a write is found out after some later ones. */
const entriesPerKey = 4;
/** Before it, a leader may check a write against what is not the newest (nats-server issues 4320 and 6485). */
const versionMin = '2.11';
/** Before it, replacing servers under load has lost what was acknowledged (nats-server issue 7545). */
const versionGood = '2.12.3';
/** Longer than JetStream takes to find another leader, which cannot be configured. */
const leaseMs = 20_000;
const notClustered = 10_074;

/** What is asked of the stream. */
export interface StreamWish {
  readonly client: NatsClient;
  readonly bucket: JetStreamBucket;
  readonly replicas: number;
}

/** What the store promises at best. */
export function promisesOf(replicas: number, caveats: readonly string[] = []): StorePromises {
  return { scope: 'cluster', outlives: 'process-crash', voters: replicas, leaseMs, caveats };
}

/**
 * Finds or makes the stream, and looks at what it really is: a server drops options that it does not know.
 *
 * @throws FoundationError `STORE_UNSUITABLE` or `STORE_UNAVAILABLE`
 */
export async function openStream(wish: StreamWish, tries: Tries): Promise<StorePromises> {
  const { client, bucket, replicas } = wish;
  checkServer(client, replicas);
  const config = await tries.until(() => findOrMake(wish));
  const flaws = flawsOf(config, configOf(bucket, replicas));
  if (flaws.length > 0) throw unsuitableStream(bucket.stream, flaws);
  return promisesOf(config.num_replicas, caveatsOf(client, config.num_replicas));
}

/** @throws FoundationError `STORE_UNSUITABLE` */
export function checkServer(client: NatsClient, replicas: number): void {
  const { info } = client.connection ?? {};
  if (info === undefined) return;
  if (info.jetstream !== true && info.cluster === undefined) {
    const what = `the nats-server at ${client.addresses} runs without JetStream`;
    throw new FoundationError('STORE_UNSUITABLE', what, {
      hint: 'Start it with `-js`, or with `jetstream { store_dir: "…" }` in its configuration.',
    });
  }
  if (replicas === 1 || isAtLeast(info.version, versionMin)) return;
  const what = `nats-server ${info.version} may let two writers win with ${replicas} replicas`;
  throw new FoundationError('STORE_UNSUITABLE', what, {
    hint:
      `Run nats-server ${versionMin} or later, better ${versionGood} or later, on all servers ` +
      '(docs/guide/nats.md says where to get it), or one server with `replicas: 1`.',
    details: { version: info.version, versionMin, replicas },
  });
}

async function findOrMake({ bucket, replicas }: StreamWish): Promise<StreamConfig> {
  const manager = await bucket.manager();
  try {
    return (await manager.streams.info(bucket.stream)).config;
  } catch (error) {
    if (!hasCode(error, JetStreamApiCodes.StreamNotFound)) throw error;
  }
  try {
    await manager.streams.add(configOf(bucket, replicas));
  } catch (error) {
    if (!hasCode(error, notClustered)) throw error;
    const what = `one nats-server alone cannot keep ${replicas} replicas`;
    throw new FoundationError('STORE_UNSUITABLE', what, {
      hint: 'Run three servers as one cluster, or ask for less with `replicas: 1`.',
      details: { replicas },
      cause: error,
    });
  }
  return (await manager.streams.info(bucket.stream)).config;
}

function configOf(bucket: JetStreamBucket, replicas: number) {
  return {
    name: bucket.stream,
    description: 'Store of a cluster of Foundation',
    subjects: [`${bucket.subject}.>`],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    discard: DiscardPolicy.New,
    max_msgs_per_subject: entriesPerKey,
    max_age: 0,
    num_replicas: replicas,
    allow_direct: false,
    deny_delete: true,
    no_ack: false,
  } satisfies Partial<StreamConfig>;
}

/** In what the stream is not as it must be. */
function flawsOf(found: StreamConfig, wanted: ReturnType<typeof configOf>): readonly string[] {
  const fixed = ['subjects', 'retention', 'storage', 'discard', 'max_age', 'no_ack'] as const;
  const flaws = fixed
    .filter((option) => String(found[option] ?? false) !== String(wanted[option]))
    .map((option) => `${option} is ${String(found[option])}, not ${String(wanted[option])}`);
  if (found.max_msgs_per_subject < 1) flaws.push('max_msgs_per_subject is unlimited');
  if (found.num_replicas < wanted.num_replicas) {
    flaws.push(`num_replicas is ${found.num_replicas}, not ${wanted.num_replicas}`);
  }
  return flaws;
}

function unsuitableStream(stream: string, flaws: readonly string[]): FoundationError {
  const what = `the stream ${stream} is not as it must be: ${flaws.join('; ')}`;
  return new FoundationError('STORE_UNSUITABLE', what, {
    hint: `Change it (\`nats stream edit ${stream}\`), or back it up and remove it: it is made anew.`,
    details: { stream, flaws },
  });
}

function caveatsOf(client: NatsClient, replicas: number): readonly string[] {
  const version = client.connection?.info?.version ?? '';
  const caveats = [
    'whether the servers have `sync_interval: always` cannot be seen: without it, a power loss of most of them may take the newest writes',
  ];
  if (replicas === 1)
    caveats.push('one server keeps the data: while it is down, nothing is agreed on');
  if (client.isExposed) caveats.push('the connection to NATS is not encrypted');
  if (!isAtLeast(version, versionMin)) {
    caveats.push(`nats-server ${version} is not to be relied upon with more than one replica`);
  } else if (!isAtLeast(version, versionGood)) {
    caveats.push(
      `nats-server ${version} may lose writes when servers are replaced under load; ${versionGood} does less`,
    );
  }
  return caveats;
}

/** Whether a version such as `2.15.1` or `2.12.0-RC.1` is not below another one. */
export function isAtLeast(version: string, min: string): boolean {
  const [parts, bounds] = [version, min].map((text) => text.split(/[.+-]/).map(Number));
  for (const [index, bound] of (bounds ?? []).entries()) {
    const part = parts?.[index] ?? 0;
    if (part !== bound) return part > bound;
  }
  return true;
}

function hasCode(error: unknown, code: number): boolean {
  return error instanceof JetStreamApiError && error.code === code;
}
