/**
 * A simulated world: clocks, network, disks and stores that run by virtual time, with chance and order from one
 * seed. Needs no test runner; scenarios need fast-check.
 *
 * @packageDocumentation
 */
export { trapAmbient } from './ambient-trap.ts';
export { clusterScenario, type ClusterScenario } from './cluster-scenario.ts';
export {
  detectorFlaws,
  detectorScenario,
  tryDetectors,
  type DetectorFlaw,
  type DetectorReport,
  type DetectorScenario,
  type DetectorTrial,
} from './detector-trial.ts';
export { flaws, type Fault, type FaultPlan, type Flaw } from './fault.ts';
export { leaseFlaws, type LeaseFault, type LeaseFaultPlan, type LeaseFlaw } from './lease-fault.ts';
export {
  leaseScenario,
  singletonScenario,
  type LeaseScenario,
  type SingletonScenario,
} from './lease-scenario.ts';
export { MachineClock, type MachineClockOptions } from './machine-clock.ts';
export { SimClock, type SimClockOptions } from './sim-clock.ts';
export { SimDirectory, SimDiscovery } from './sim-discovery.ts';
export { SimDisk } from './sim-disk.ts';
export { SimHost, type CrashKind } from './sim-host.ts';
export { SimNetwork, type CutKind, type SimNetworkOptions } from './sim-network.ts';
export { SimStore, SimStoreServer, type StoreCut, type StoreOutage } from './sim-store.ts';
export { SimTransport } from './sim-transport.ts';
export {
  simulateCluster,
  type SimulatedClusterOptions,
  type SimulationReport,
} from './simulated-cluster.ts';
export {
  SimulatedDetectors,
  type Finding,
  type SimulatedDetectorsOptions,
} from './simulated-detectors.ts';
export { simulateLease, type LeaseReport, type SimulatedLeaseOptions } from './simulated-lease.ts';
export {
  simulateSingleton,
  type SimulatedSingletonOptions,
  type SingletonFault,
  type SingletonFaultPlan,
  type SingletonReport,
} from './simulated-singleton.ts';
export { Simulation, type Owner } from './simulation.ts';
