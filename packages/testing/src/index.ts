/**
 * The test kit: what a port's adapter must pass.
 *
 * @packageDocumentation
 */
export { discoveryConformance, type DiscoveryUnderTest } from './conformance/discovery.ts';
export { storeConformance, type StoreUnderTest } from './conformance/store.ts';
export { transportConformance, type TransportUnderTest } from './conformance/transport.ts';
export { eventually, type EventuallyOptions } from './eventually.ts';
export { spawnNode, type SpawnOptions, type TestProcess } from './spawn-node.ts';
export { TestCluster, type NodeCommands, type TestNodeOptions } from './test-cluster.ts';
