import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';

import { DnsDiscovery } from './cluster/discoveries/dns.ts';
import { StaticDiscovery } from './cluster/discoveries/static.ts';
import type { Discovery } from './cluster/discovery.ts';
import {
  clusterHome,
  locateHome,
  type ClusterHome,
  type ClusterHomeOptions,
} from './cluster/home.ts';
import type { Store } from './cluster/store.ts';
import { AbsentStore } from './cluster/stores/absent.ts';
import { EtcdStore } from './cluster/stores/etcd.ts';
import { MemoryStore } from './cluster/stores/memory.ts';
import { SqliteDatabase } from './cluster/stores/sqlite-database.ts';
import { SqliteStore } from './cluster/stores/sqlite.ts';
import type { Transport } from './cluster/transport.ts';
import { meshDefaults, type MeshOptions } from './cluster/transports/mesh-options.ts';
import { MeshTransport } from './cluster/transports/mesh.ts';
import type { ListenConfig } from './config/node-config.ts';
import { FoundationError, messageOf } from './errors.ts';
import type { NatsClient } from './nats/nats-client.ts';
import { tokenOf } from './nats/subjects.ts';
import { nodeKeys, type NodeKeys } from './node-keys.ts';
import type { NodeSettings } from './node-options.ts';
import { optionalPeer } from './optional-peer.ts';

/** Port of a node that others reach over a network, unless told otherwise. */
export const networkPort = 7_400;

/** Where a node listens: on one machine nobody else can connect. */
export function listenConfig({
  values: { listen: given },
  cluster,
}: NodeSettings): ListenConfig & { readonly host: string; readonly port: number } {
  const isLocal = cluster === 'local';
  return {
    host: given.host ?? (isLocal ? '127.0.0.1' : '0.0.0.0'),
    port: given.port ?? (isLocal ? 0 : networkPort),
    ...defined({ advertise: given.advertise }),
  };
}

/** What a node proves itself with. @throws FoundationError `SECRET_MISSING` or `SECRET_INVALID` */
export function keysOf(settings: NodeSettings, home: ClusterHome): Promise<NodeKeys> {
  const { cluster, values } = settings;
  const { servers = [natsDefault] } = values.nats;
  const isHere =
    cluster === 'nats'
      ? servers.every((each) => isLoopback(URL.parse(each)?.hostname ?? ''))
      : isLoopback(listenConfig(settings).host);
  return nodeKeys(settings, home, isHere);
}

/** What a mesh needs. */
export function meshOptions(settings: NodeSettings, keys: NodeKeys): MeshOptions {
  const { clock, detector } = settings;
  // Where answers take long, so do connections.
  const connectTimeoutMs = Math.max(meshDefaults.connectTimeoutMs, 2 * detector.answerMs);
  const common = { ...listenConfig(settings), connectTimeoutMs, clock };
  if (keys.kind === 'secret') return { ...common, secret: keys.secret };
  const { ca, cert, key } = keys;
  return { ...common, certificates: { ca, cert, key } };
}

export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}

/** Where a cluster has its files, if it has any. */
export function homeOptions({ clusterName, directory }: NodeSettings): ClusterHomeOptions {
  return { cluster: clusterName, directory, env: process.env, cwd: process.cwd() };
}

/** What the adapters of a node have in common. */
export interface NetworkParts {
  readonly home: ClusterHome;
  readonly keys: NodeKeys;
  /** One connection for all that goes over NATS. */
  readonly nats: NatsClient | undefined;
}

/** How bytes reach the other nodes. @throws FoundationError `SECRET_MISSING` */
export async function transportOf(
  settings: NodeSettings,
  { keys, nats }: NetworkParts,
): Promise<Transport> {
  const { cluster } = settings;
  if (cluster !== 'nats') return new MeshTransport(meshOptions(settings, keys));
  const { NatsTransport } = await import('./nats/nats-transport.ts');
  const secret = secretsOf(keys, cluster);
  return new NatsTransport({ nats: nats ?? (await natsOf(settings)), secret });
}

/**
 * How a node of a network finds the others.
 *
 * @throws FoundationError `INVALID_OPTION` when what the strategy needs is not set
 */
export async function discoveryOf(
  settings: NodeSettings,
  { home, keys, nats }: NetworkParts,
): Promise<Discovery> {
  const { cluster, values, clock, random } = settings;
  const given = values.cluster;
  switch (cluster) {
    case 'static':
      return new StaticDiscovery({
        addresses: needed(given.addresses, 'addresses', { kind: cluster }),
      });
    case 'dns': {
      const { hostname, record, resolvers: servers, refreshMs, port } = given;
      const name = needed(hostname, 'hostname', { kind: cluster });
      const ofAll = port ?? listenConfig(settings).port;
      return new DnsDiscovery({
        name,
        ...defined({ servers, refreshMs, clock }),
        ...(record === 'SRV' ? { type: record } : { port: ofAll }),
      });
    }
    case 'mdns': {
      const { MdnsDiscovery } = await import('./cluster/discoveries/mdns.ts');
      const { interface: name, refreshMs } = given;
      return new MdnsDiscovery({
        cluster: home.name,
        secret: secretsOf(keys, cluster)[0] ?? new Uint8Array(),
        ...defined({ interface: name, refreshMs, clock, random }),
      });
    }
    case 'kubernetes': {
      const { KubernetesDiscovery } = await import('./cluster/discoveries/kubernetes.ts');
      const { service, namespace, refreshMs, port, kubeconfig } = given;
      return new KubernetesDiscovery({
        service: needed(service, 'service', { kind: cluster }),
        ...defined({ port, namespace, kubeconfig, refreshMs, clock }),
      });
    }
    case 'nats': {
      const { NatsDiscovery } = await import('./nats/nats-discovery.ts');
      const secret = secretsOf(keys, cluster);
      return new NatsDiscovery({
        nats: nats ?? (await natsOf(settings)),
        cluster: home.name,
        secret,
      });
    }
    case 'local':
    case 'off':
      throw new Error(`the nodes of cluster '${cluster}' find each other without a network`);
  }
}

function secretsOf(keys: NodeKeys, kind: string): readonly Uint8Array[] {
  if (keys.kind === 'secret') return keys.secret;
  throw new FoundationError(
    'SECRET_MISSING',
    `cluster '${kind}' needs a secret, not certificates`,
    {
      hint: 'It proves what nodes announce. Set `secretFile`, or choose another way to find them.',
    },
  );
}

/** Without what was not set. */
function defined<T extends object>(given: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the same fields, fewer of them
  return Object.fromEntries(set) as { [Key in keyof T]?: Exclude<T[Key], undefined> };
}

/** @throws FoundationError `INVALID_OPTION` */
function needed<T>(
  value: T | undefined,
  name: string,
  { group = 'cluster', kind }: { readonly group?: string; readonly kind: string },
): T {
  if (value !== undefined) return value;
  const option = `${group}.${name}`;
  throw new FoundationError('INVALID_OPTION', `${group} '${kind}' needs \`${option}\``, {
    hint: `Set it in the options, in foundation.config.ts, or by FOUNDATION_${option.replace('.', '_').toUpperCase()}.`,
    details: { option },
  });
}

/** @throws FoundationError `INVALID_OPTION` when the file cannot be read */
function pemIn(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new FoundationError('INVALID_OPTION', `${path} cannot be read: ${messageOf(cause)}`, {
      hint: 'Give the path of a PEM file that this user may read.',
      details: { path },
      cause,
    });
  }
}

/**
 * The store of a node.
 *
 * @param shared - the file of this machine, or the connection to NATS, where the node has it already
 * @throws FoundationError `INVALID_OPTION` when what the store needs is not set
 */
export async function storeOf(
  settings: NodeSettings,
  {
    database,
    nats,
  }: { readonly database?: SqliteDatabase; readonly nats?: NatsClient | undefined } = {},
): Promise<Store> {
  const { store, clock, profile } = settings;
  checkStoreFits(settings);
  switch (store) {
    case 'sqlite': {
      const { synchronous } = profile;
      if (database !== undefined) return new SqliteStore(database);
      const path = clusterHome(homeOptions(settings)).databasePath;
      return new SqliteStore(new SqliteDatabase({ path, clock, synchronous }));
    }
    case 'memory':
      return new MemoryStore();
    case 'none':
      return new AbsentStore();
    case 'etcd': {
      const { endpoints, username, password, ca, cert, key } = settings.values.store;
      const { name } = locateHome(homeOptions(settings));
      const tls = defined({ ca: pemIn(ca), cert: pemIn(cert), key: pemIn(key) });
      return new EtcdStore({
        endpoints: needed(endpoints, 'endpoints', { group: 'store', kind: store }),
        namespace: `foundation/${name}/`,
        ...defined({ username, password, clock, random: settings.random }),
        ...(Object.keys(tls).length > 0 ? { tls } : {}),
      });
    }
    case 'jetstream': {
      const peer = { who: "store 'jetstream'", name: '@nats-io/jetstream' };
      const { JetStreamStore } = await optionalPeer(
        peer,
        () => import('./nats/jet-stream-store.ts'),
      );
      const { replicas } = settings.values.store;
      const { name } = locateHome(homeOptions(settings));
      return new JetStreamStore({
        nats: nats ?? (await natsOf(settings)),
        cluster: name,
        ...defined({ replicas }),
      });
    }
  }
}

/** The connection to NATS servers that a node has. */
export async function natsOf({ name, values, clock, random }: NodeSettings): Promise<NatsClient> {
  const peer = { who: 'NATS', name: '@nats-io/transport-node' };
  const { NatsClient } = await optionalPeer(peer, () => import('./nats/nats-client.ts'));
  const { servers = [natsDefault], credentials, ca, cert, key, ...given } = values.nats;
  const isTls = ca !== undefined || cert !== undefined || key !== undefined;
  return new NatsClient({
    servers,
    name: `foundation ${name}`,
    inboxPrefix: `_INBOX.${tokenOf(name)}`,
    ...defined({ ...given, credentialsFile: credentials, clock, random }),
    ...(isTls ? { tls: defined({ caFile: ca, certFile: cert, keyFile: key }) } : {}),
  });
}

const natsDefault = 'nats://127.0.0.1:4222';

function checkStoreFits({ store, cluster, profile }: NodeSettings): void {
  const isShared =
    store === 'etcd' || store === 'jetstream' || (store === 'sqlite' && cluster === 'local');
  if (isShared || cluster === 'off' || !profile.needsStore) return;
  throw new FoundationError(
    'STORE_UNSUITABLE',
    `the profile ${profile.name} needs a store that all nodes share, not '${store}'`,
    {
      hint: "Set `store` to 'etcd' or 'jetstream', with its servers.",
      details: { store, cluster },
    },
  );
}
