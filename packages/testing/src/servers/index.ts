/**
 * Real servers for tests: from Debian's packages, on ports of loopback that nobody has, gone with the test.
 * Needs no test runner.
 *
 * @packageDocumentation
 */
export { startAvahi, type Avahi, type AvahiOptions } from './avahi.ts';
export { testAuthority, type TestAuthority, type TestCertificate } from './certificates.ts';
export { debianProgram, type DebianProgram } from './debian.ts';
export { startEtcd, type EtcdMember, type EtcdServers, type EtcdServersOptions } from './etcd.ts';
export { startNats, type NatsMember, type NatsOptions, type NatsServers } from './nats.ts';
export {
  freePorts,
  startServer,
  type RunningServer,
  type ServerHost,
  type ServerOptions,
} from './server.ts';
export { startDnsmasq, type Dnsmasq, type DnsRecords } from './dnsmasq.ts';
export { startTcpProxy, type Direction, type TcpProxy } from './tcp-proxy.ts';
export type { ServiceEndpoints } from './endpoint-table.ts';
export { startKubernetes, type KubernetesServer, type KubernetesTrouble } from './kubernetes.ts';
