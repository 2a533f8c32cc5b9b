/**
 * The test kit: what a port's adapter must pass.
 *
 * @packageDocumentation
 */
export { discoveryConformance, type DiscoveryUnderTest } from './conformance/discovery.ts';
export { storeConformance, type StoreUnderTest } from './conformance/store.ts';
