/**
 * Processes, supervision and clustering for TypeScript.
 *
 * @packageDocumentation
 */
export { sleep, systemClock, type Clock, type Timer } from './clock.ts';
export type { ClusterMember, ClusterView } from './cluster/cluster-view.ts';
export type {
  ClusterHealth,
  DiscoveryHealth,
  LinkHealth,
  MissingNode,
  Recommendation,
  SplitHealth,
  StoreHealth,
  Suspicion,
  ViewHealth,
} from './cluster/health.ts';
export type { SplitPolicy } from './cluster/quorum.ts';
export type { StorePromises } from './cluster/store.ts';
export {
  defineErrors,
  FoundationError,
  foundationErrors,
  isFoundationError,
  messageOf,
  type ErrorOptions,
  type ErrorTraits,
  type FoundationErrorCode,
} from './errors.ts';
export { onNodeEvent, type EventListener, type Events, type NodeEvents } from './events.ts';
export type { ContextRoom } from './context/context-room.ts';
export type { RequestContext, RequestOptions } from './context/request.ts';
export { admits, fenced, newFence, type Fence } from './lease/fence.ts';
export type { Lease } from './lease/lease.ts';
export type { AcquireOptions, LeaseOptions, Leases } from './lease/leases.ts';
export type { InspectOptions, ProcessInspector } from './introspection/inspector.ts';
export type { ProcessStatistics } from './introspection/introspection.ts';
export type { MessageTrace, TraceOptions } from './introspection/message-trace.ts';
export type { ProcessInfo, ProcessTree } from './introspection/process-info.ts';
export type {
  CertificateConfig,
  ClusterConfig,
  ClusterKind,
  ConfigFileContent,
  ListenConfig,
  NodeConfig,
  StoreConfig,
  StoreKind,
} from './config/node-config.ts';
export { defineConfig } from './config/node-config.ts';
export type { Profile } from './config/profiles.ts';
export type { NodeOptions } from './node-options.ts';
export { startNodes, type Nodes } from './nodes.ts';
export type { DrainOptions, Node, NodeCounters } from './node-api.ts';
export { startNode } from './node.ts';
export type { ProcessManager, StartOptions, StopOptions } from './placement/process-manager.ts';
export { isRefused, refuse, type Later, type Refused, type ReplyTo } from './process/answer.ts';
export type { ChildInfo, ChildOptions, ChildSpec, ChildStatus } from './process/child.ts';
export {
  call,
  cast,
  defineProcess,
  type AnyDefinition,
  type SelfSufficient,
  type Api,
  type Context,
  type Definition,
  type Host,
  type Notice,
  type Notices,
  type Overflow,
  type Placement,
  type Spec,
} from './process/definition.ts';
export { closest, refuseUnknown } from './options.ts';
export type { ExitReason } from './process/exit.ts';
export { Pid } from './process/pid.ts';
export type { TracedMessage } from './process/probe.ts';
export type { AnyRef, CallOptions, Client, Group, Ref, Wire } from './process/ref-types.ts';
export type { Backoff, Intensity, OnExceeded, Restart, Strategy } from './process/restart-state.ts';
export {
  child,
  defineSupervisor,
  supervisorDefaults,
  type DynamicSupervisorApi,
  type DynamicSupervisorOptions,
  type RestartOptions,
  type SupervisorApi,
  type SupervisorOptions,
} from './process/supervisor.ts';
export { fnv1a, seededRandom, systemRandom, type Random } from './random.ts';
export type { Located } from './registry/registry-state.ts';
export type { Registry } from './registry/registry.ts';
export type { Reading, StrongVariable, VariableWatchOptions } from './values/strong-variable.ts';
export type { CheckedOptions, StrongOptions, Variables } from './values/variables.ts';
