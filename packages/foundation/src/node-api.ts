import type { ClusterView } from './cluster/cluster-view.ts';
import type { ContextRoom } from './context/context-room.ts';
import type { Events } from './events.ts';
import type { Leases } from './lease/leases.ts';
import type { Mabeam } from './mabeam/mabeam.ts';
import type { ProcessManager } from './placement/process-manager.ts';
import type { Definition } from './process/definition.ts';
import type { Client, Group } from './process/ref-types.ts';
import type { RuntimeCounters } from './process/runtime.ts';
import type { Registry } from './registry/registry.ts';
import type { Variables } from './values/variables.ts';

/** One node of the cluster: everything a user touches hangs off it. */
export interface Node extends AsyncDisposable {
  readonly name: string;
  readonly incarnation: number;
  readonly processes: ProcessManager;
  readonly registry: Registry;
  readonly cluster: ClusterView;
  readonly mabeam: Mabeam;
  readonly context: ContextRoom;
  readonly leases: Leases;
  readonly variables: Variables;
  readonly events: Events;
  /** Things that should be rare, counted since the start. */
  counters(): NodeCounters;
  /** A ref to a named process, wherever it lives; it follows the name. */
  ref<I, A>(process: Definition<I, A>, name: string): Client<A>;
  /** The members of a group, on whatever node they live. */
  group<I, A>(process: Definition<I, A>, group: string): Group<A>;
  /**
   * Hands over what this node runs for the cluster: its singletons are started elsewhere, and it is given no new ones.
   * Processes of its own go on, and it stays a member until `stop`. A singleton that no other node can run stays.
   *
   * @throws FoundationError `INVALID_OPTION`, `NODE_STOPPED`, or what a start elsewhere throws: that singleton is
   * started by the others when this node has gone
   */
  drain(options?: DrainOptions): Promise<void>;
  /** Drains, then stops: the way to take a node out of a cluster that goes on. */
  leave(options?: DrainOptions): Promise<void>;
  /** Ends all processes, says goodbye to the cluster and closes everything. */
  stop(): Promise<void>;
  /** The same as `stop`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** How a node hands over. */
export interface DrainOptions {
  /** Milliseconds that each singleton has to end here. @defaultValue 30000 */
  readonly timeoutMs?: number;
}

/** What `node.counters()` tells; see `docs/reference/telemetry.md`. */
export interface NodeCounters extends RuntimeCounters {
  /** Refused connections and broken protocols, by error code. */
  readonly refused: Readonly<Record<string, number>>;
}
