/**
 * For the other packages of this repository, and for those who write adapters: the contracts of the
 * three ports and their adapters. Not for applications.
 *
 * @packageDocumentation
 */
export type { Advertisement, Discovery, DiscoveryHandlers } from './cluster/discovery.ts';
export { MemoryDiscovery, MemoryHub } from './cluster/discoveries/memory.ts';
export {
  RendezvousDiscovery,
  systemMachine,
  type Machine,
  type RendezvousOptions,
} from './cluster/discoveries/rendezvous.ts';
export { clusterHome, type ClusterHome, type ClusterHomeOptions } from './cluster/home.ts';
export type { Store, Versioned } from './cluster/store.ts';
export { MemoryStore } from './cluster/stores/memory.ts';
export { SqliteDatabase, type SqliteDatabaseOptions } from './cluster/stores/sqlite-database.ts';
export { SqliteStore } from './cluster/stores/sqlite.ts';
