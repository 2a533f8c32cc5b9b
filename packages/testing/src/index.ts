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
export { storeConformance, type StoreUnderTest } from './conformance/store.ts';
export { transportConformance, type TransportUnderTest } from './conformance/transport.ts';
export { checkModel, type ModelCheck, type ModelCommand } from './check-model.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { probe, type Probe, type Probed, type ProbeOptions } from './probe.ts';
export { SeededScheduler } from './seeded-scheduler.ts';
export { spawnNode, type SpawnOptions, type TestProcess } from './spawn-node.ts';
export { TestCluster, type ClusterNodeOptions, type NodeCommands } from './test-cluster.ts';
export { testNode, type TestNode, type TestNodeOptions } from './test-node.ts';
export type { Fault, FaultPlan, Flaw } from './simulation/fault.ts';
export type { LeaseFault, LeaseFaultPlan, LeaseFlaw } from './simulation/lease-fault.ts';
export { leaseScenario, type LeaseScenario } from './simulation/lease-scenario.ts';
export { MachineClock, type MachineClockOptions } from './simulation/machine-clock.ts';
export { SimClock, type SimClockOptions } from './simulation/sim-clock.ts';
export { SimDirectory, SimDiscovery } from './simulation/sim-discovery.ts';
export { SimHost, type CrashKind } from './simulation/sim-host.ts';
export { SimNetwork, type CutKind, type SimNetworkOptions } from './simulation/sim-network.ts';
export {
  SimStore,
  SimStoreServer,
  type StoreCut,
  type StoreOutage,
} from './simulation/sim-store.ts';
export { SimTransport } from './simulation/sim-transport.ts';
export {
  simulateCluster,
  type SimulatedClusterOptions,
  type SimulationReport,
} from './simulation/simulated-cluster.ts';
export {
  simulateLease,
  type LeaseReport,
  type SimulatedLeaseOptions,
} from './simulation/simulated-lease.ts';
export { Simulation, type Owner } from './simulation/simulation.ts';
