/**
 * For the other packages of this repository, and for those who write adapters: the contracts of the
 * three ports and their adapters. Not for applications.
 *
 * @packageDocumentation
 */
export type { Advertisement, Discovery, DiscoveryHandlers, Hint } from './cluster/discovery.ts';
export { DnsDiscovery, type DnsOptions } from './cluster/discoveries/dns.ts';
export {
  LookupDiscovery,
  type LookupOptions,
  type LookupTimes,
} from './cluster/discoveries/lookup.ts';
export { MemoryDiscovery, MemoryHub } from './cluster/discoveries/memory.ts';
export {
  RendezvousDiscovery,
  systemMachine,
  type Machine,
  type RendezvousOptions,
} from './cluster/discoveries/rendezvous.ts';
export { StaticDiscovery, type StaticOptions } from './cluster/discoveries/static.ts';
export {
  applicationName,
  clusterHome,
  locateHome,
  type ClusterHome,
  type ClusterHomeOptions,
} from './cluster/home.ts';
export { moduleBeside } from './module-beside.ts';
export type { Store, StorePromises, Versioned, WatchHandlers } from './cluster/store.ts';
export { AbsentStore } from './cluster/stores/absent.ts';
export { EtcdStore } from './cluster/stores/etcd.ts';
export type { EtcdOptions, EtcdTls } from './cluster/stores/etcd-options.ts';
export { MemoryStore } from './cluster/stores/memory.ts';
export { SqliteDatabase, type SqliteDatabaseOptions } from './cluster/stores/sqlite-database.ts';
export { SqliteStore } from './cluster/stores/sqlite.ts';
export { Leases, type LeasesParts } from './lease/leases.ts';
export { leaseRules, type LeaseRules, type Moment } from './lease/lease-state.ts';
export { isClusterName, isNodeName, nodeUri, type NodeName } from './cluster/names.ts';
export { readPrivate } from './cluster/private-file.ts';
export {
  createPrivate,
  newSecret,
  parseSecrets,
  readOrCreateSecrets,
  readSecrets,
} from './cluster/secret.ts';
export type {
  Identity,
  Lane,
  Link,
  LinkDownReason,
  Transport,
  TransportCounters,
  TransportHandlers,
} from './cluster/transport.ts';
export { MemoryNetwork, MemoryTransport } from './cluster/transports/memory.ts';
export { MeshTransport } from './cluster/transports/mesh.ts';
export {
  meshDefaults,
  type MeshCredentials,
  type MeshOptions,
  type MeshSettings,
} from './cluster/transports/mesh-options.ts';
export type { MeshCertificates } from './cluster/transports/own-certificates.ts';
export { Codec, codecLimits, type CodecHooks, type CodecLimits } from './wire/codec.ts';
export {
  Cluster,
  type ClusterHandlers,
  type ClusterOptions,
  type ClusterTopic,
} from './cluster/cluster.ts';
export { detectorProfiles, type DetectorSettings } from './cluster/detector/detector-options.ts';
export { DetectorBoard } from './cluster/detector/detector-board.ts';
export type { DetectorHandlers, Watched } from './cluster/detector/failure-detector.ts';
export type {
  ProbeChannel,
  ProbeHost,
  ProbeModule,
  ProbeSource,
  ProbeTarget,
} from './cluster/detector/probe-channel.ts';
export type { Life, Rumour } from './cluster/detector/swim-message.ts';
export { SwimDetector } from './cluster/detector/swim-detector.ts';
export { decodeSwim, encodeSwim } from './cluster/detector/swim-packet.ts';
export { dialGoesOn } from './cluster/transports/duplicate-state.ts';
export { LaneOrder } from './cluster/transports/lane-order.ts';
export { Events } from './events.ts';
export { printable } from './printable.ts';
export { checkNumber, invalidOption } from './options.ts';
export { parseDelta, parseSharePart } from './registry/registry-message.ts';
export { ShareJoiner, splitShare } from './registry/share-parts.ts';
export { environmentName, redacted, shownValue, type Setting } from './config/setting.ts';
export { settings } from './config/settings.ts';
export type { Configuration } from './config/configuration.ts';
export { diagnose, effectiveConfiguration, type Diagnosis } from './node-diagnosis.ts';
export {
  nodeOptionNames,
  nodeSettings,
  type NodeSettings,
  type SettingsFrom,
} from './node-options.ts';
export { networkPort } from './node-adapters.ts';
export { Registry } from './registry/registry.ts';
export type { Delta as RegistryDelta } from './registry/registry-state.ts';
export { compileAny, type AnyHandler, type Behaviour } from './process/behaviour.ts';
export type { ProcessContext } from './process/process-context.ts';
export type { Runnable, Scheduler } from './process/scheduler.ts';
export type { SchedulerFactory } from './process/runtime.ts';
export { Variables, type VariablesParts } from './values/variables.ts';
