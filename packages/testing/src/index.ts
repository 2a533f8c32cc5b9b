/**
 * The test kit: what a port's adapter must pass, real processes, and a simulated world.
 *
 * @packageDocumentation
 */
export {
  discoveryConformance,
  type DiscoveryConformanceOptions,
  type DiscoveryUnderTest,
} from './conformance/discovery.ts';
export { lookupConformance, type LookupUnderTest } from './conformance/lookup.ts';
export { protocolLaws, type ProtocolUnderTest } from './conformance/protocol-laws.ts';
export { sit, type Arrival, type Sat, type Scripted, type Sitting } from './conformance/sitting.ts';
export { storeConformance, type StoreUnderTest } from './conformance/store.ts';
export { transportConformance, type TransportUnderTest } from './conformance/transport.ts';
export { checkModel, type ModelCheck, type ModelCommand } from './check-model.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { probe, type Probe, type Probed, type ProbeOptions } from './probe.ts';
export { SeededScheduler } from './seeded-scheduler.ts';
export { spawnNode, type SpawnOptions, type TestProcess } from './spawn-node.ts';
export { TestCluster, type ClusterNodeOptions, type NodeCommands } from './test-cluster.ts';
export { testNode, type TestNode, type TestNodeOptions } from './test-node.ts';
export * from './simulation/index.ts';
export {
  bullyElection,
  bullyReceive,
  bullyStart,
  bullyTimeout,
  type BullyElection,
  type BullyMessage,
  type BullyProcess,
  type BullyStep,
} from './elections/bully-election.ts';
export {
  ringElection,
  ringReceive,
  ringStart,
  type RingElection,
  type RingMessage,
  type RingProcess,
  type RingStep,
} from './elections/ring-election.ts';
export {
  oralDecide,
  oralDefault,
  oralHear,
  oralMessages,
  oralRelay,
  type OralAgreement,
  type OralLie,
  type OralLieutenant,
  type OralMessage,
} from './agreement/oral-messages.ts';
