/**
 * NATS under a cluster: its messages, who is there, and what is agreed on. Needs the packages
 * `@nats-io/transport-node` and `@nats-io/jetstream`, and NATS servers.
 *
 * @packageDocumentation
 */
export { JetStreamStore, type JetStreamStoreOptions } from './jet-stream-store.ts';
export { NatsClient } from './nats-client.ts';
export { NatsDatagrams, type NatsDatagramsOptions } from './nats-datagrams.ts';
export {
  NatsDiscovery,
  type NatsDiscoveryOptions,
  type NatsDiscoverySettings,
} from './nats-discovery.ts';
export type { NatsOptions, NatsTlsOptions } from './nats-options.ts';
export {
  NatsTransport,
  type NatsTransportOptions,
  type NatsTransportSettings,
} from './nats-transport.ts';
