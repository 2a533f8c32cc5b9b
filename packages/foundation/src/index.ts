/**
 * Processes, supervision and clustering for TypeScript.
 *
 * @packageDocumentation
 */
export { sleep, systemClock, type Clock, type Timer } from './clock.ts';
export type { ClusterMember, ClusterView } from './cluster/cluster-view.ts';
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
export type { Events, NodeEvents } from './events.ts';
export type { NodeOptions } from './node-options.ts';
export type { Node, NodeCounters, ProcessInfo } from './node-api.ts';
export { startNode } from './node.ts';
export type { ProcessManager, StartOptions } from './placement/process-manager.ts';
export { isRefused, refuse, type Later, type Refused } from './process/answer.ts';
export {
  call,
  defineProcess,
  type AnyDefinition,
  type Api,
  type Context,
  type Definition,
  type Host,
  type Notice,
  type Notices,
  type Placement,
  type Spec,
} from './process/definition.ts';
export { closest, refuseUnknown } from './options.ts';
export type { ExitReason } from './process/exit.ts';
export { Pid } from './process/pid.ts';
export type { AnyRef, CallOptions, Client, Ref, Wire } from './process/ref-types.ts';
export type { Restart, Strategy } from './process/restart-state.ts';
export {
  child,
  defineSupervisor,
  supervisorDefaults,
  type ChildInfo,
  type ChildOptions,
  type ChildSpec,
  type SupervisorOptions,
} from './process/supervisor.ts';
export { fnv1a, seededRandom, systemRandom, type Random } from './random.ts';
export type { Located } from './registry/registry-state.ts';
export type { Registry } from './registry/registry.ts';
