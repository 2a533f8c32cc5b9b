import type { Clock } from './clock.ts';
import { RendezvousDiscovery } from './cluster/discoveries/rendezvous.ts';
import type { Discovery } from './cluster/discovery.ts';
import { clusterHome, locateHome } from './cluster/home.ts';
import type { Store } from './cluster/store.ts';
import { MemoryStore } from './cluster/stores/memory.ts';
import { SqliteDatabase } from './cluster/stores/sqlite-database.ts';
import type { Transport } from './cluster/transport.ts';
import { MeshTransport } from './cluster/transports/mesh.ts';
import {
  discoveryOf,
  homeOptions,
  keysOf,
  meshOptions,
  natsOf,
  storeOf,
  transportOf,
} from './node-adapters.ts';
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
  return settings.cluster === 'local' ? localPorts(settings) : networkPorts(settings);
}

/** Alone, or on adapters that the caller brings; agreeing in memory, unless another store was chosen. */
async function givenPorts(settings: NodeSettings): Promise<OpenPorts> {
  const { ports, clusterName, clock, values } = settings;
  const isChosen = values.store.kind !== undefined;
  const store = ports.store ?? (isChosen ? await storeOf(settings) : new MemoryStore());
  await store.start();
  return {
    cluster: clusterName ?? 'default',
    transport: ports.transport,
    discovery: ports.discovery,
    store,
    snapshots: snapshotsIn(store),
    ...livesBy(clock),
    close: () => store.stop(),
  };
}

/** The nodes of this machine: they meet in a file, and talk over TLS on loopback. */
async function localPorts(settings: NodeSettings): Promise<OpenPorts> {
  const { clock, ports, profile } = settings;
  const home = clusterHome(homeOptions(settings));
  const { synchronous } = profile;
  const database = new SqliteDatabase({ path: home.databasePath, clock, synchronous });
  const discovery = new RendezvousDiscovery({ database, clock });
  const store = ports.store ?? (await storeOf(settings, { database }));
  const close = async (): Promise<void> => {
    await discovery.stop();
    await store.stop();
  };
  try {
    const transport =
      ports.transport ?? new MeshTransport(meshOptions(settings, await keysOf(settings, home)));
    const incarnation = await discovery.reserve(settings.name);
    await store.start();
    return {
      cluster: home.name,
      incarnation,
      transport,
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

/** Nodes that find each other over a network. */
async function networkPorts(settings: NodeSettings): Promise<OpenPorts> {
  const { clock, ports } = settings;
  // No directory is made unless the store needs one: what comes from the network may be read-only here.
  const home = locateHome(homeOptions(settings));
  const keys = await keysOf(settings, home);
  const usesNats = settings.cluster === 'nats' || settings.store === 'jetstream';
  const nats = usesNats ? await natsOf(settings) : undefined;
  const transport = ports.transport ?? (await transportOf(settings, { home, keys, nats }));
  const discovery = ports.discovery ?? (await discoveryOf(settings, { home, keys, nats }));
  const store = ports.store ?? (await storeOf(settings, { nats }));
  await store.start();
  return {
    cluster: home.name,
    transport,
    discovery,
    store,
    snapshots: snapshotsIn(store),
    ...livesBy(clock),
    close: () => store.stop(),
  };
}

/** Without a place where all lives of a node are counted, a new one has the time of day as its number. */
function livesBy(clock: Clock): Pick<OpenPorts, 'incarnation' | 'reserve'> {
  let incarnation = Math.floor(clock.wallNow());
  const reserve = (): Promise<number> => {
    incarnation = Math.max(incarnation + 1, Math.floor(clock.wallNow()));
    return Promise.resolve(incarnation);
  };
  return { incarnation, reserve };
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
