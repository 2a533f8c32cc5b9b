import { RendezvousDiscovery } from './cluster/discoveries/rendezvous.ts';
import type { Discovery } from './cluster/discovery.ts';
import { clusterHome } from './cluster/home.ts';
import { readOrCreateSecret } from './cluster/secret.ts';
import type { Store } from './cluster/store.ts';
import { MemoryStore } from './cluster/stores/memory.ts';
import { SqliteDatabase } from './cluster/stores/sqlite-database.ts';
import { SqliteStore } from './cluster/stores/sqlite.ts';
import type { Transport } from './cluster/transport.ts';
import { MeshTransport } from './cluster/transports/mesh.ts';
import type { NodeSettings } from './node-options.ts';
import type { Snapshots } from './process/durability.ts';

/** The adapters a node runs on, opened. */
export interface OpenPorts {
  /** Name of the cluster. */
  readonly cluster: string;
  readonly incarnation: number;
  readonly transport: Transport | undefined;
  readonly discovery: Discovery | undefined;
  readonly store: Store;
  readonly snapshots: Snapshots;
  /** The number of a new life of this node. */
  reserve(): Promise<number>;
  close(): Promise<void>;
}

export async function openPorts(settings: NodeSettings): Promise<OpenPorts> {
  const { transport, discovery } = settings.ports;
  if (settings.cluster === 'off' || (transport !== undefined && discovery !== undefined)) {
    return givenPorts(settings);
  }
  return localPorts(settings);
}

/** Alone, or on adapters that the caller brings. */
async function givenPorts({ ports, clusterName, clock }: NodeSettings): Promise<OpenPorts> {
  const store = ports.store ?? new MemoryStore();
  await store.start();
  let incarnation = Math.floor(clock.wallNow());
  return {
    cluster: clusterName ?? 'default',
    incarnation,
    transport: ports.transport,
    discovery: ports.discovery,
    store,
    snapshots: snapshotsIn(store),
    reserve: () => Promise.resolve(++incarnation),
    close: () => store.stop(),
  };
}

/** The nodes of this machine: they meet in a file, and talk over TLS on loopback. */
async function localPorts(settings: NodeSettings): Promise<OpenPorts> {
  const { clusterName, directory, clock, ports } = settings;
  const home = clusterHome({
    ...(clusterName === undefined ? {} : { cluster: clusterName }),
    ...(directory === undefined ? {} : { directory }),
    env: process.env,
    cwd: process.cwd(),
  });
  const database = new SqliteDatabase({ path: home.databasePath, clock });
  const discovery = new RendezvousDiscovery({ database, clock });
  const store = ports.store ?? new SqliteStore(database);
  const close = async (): Promise<void> => {
    await discovery.stop();
    await store.stop();
  };
  try {
    const secret = await readOrCreateSecret(home.secretPath);
    const incarnation = await discovery.reserve(settings.name);
    await store.start();
    return {
      cluster: home.name,
      incarnation,
      transport: ports.transport ?? new MeshTransport({ secret, clock }),
      discovery: ports.discovery ?? discovery,
      store,
      snapshots: snapshotsIn(store),
      reserve: () => discovery.reserve(settings.name),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

const snapshotKey = (key: string): string => `snapshot/${key}`;

function snapshotsIn(store: Store): Snapshots {
  return {
    load: async (name) => {
      const found = await store.get(snapshotKey(name));
      return found === undefined ? undefined : { version: found.version, state: found.value };
    },
    save: (name, version, state) => store.compareAndSet(snapshotKey(name), version, state),
  };
}
