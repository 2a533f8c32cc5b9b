import type { ClusterView } from './cluster/cluster-view.ts';
import type { Events } from './events.ts';
import type { Mabeam } from './mabeam/mabeam.ts';
import type { ProcessManager } from './placement/process-manager.ts';
import type { Definition } from './process/definition.ts';
import type { Client } from './process/ref-types.ts';
import type { RuntimeCounters } from './process/runtime.ts';
import type { Registry } from './registry/registry.ts';

/** A process as `node.processes` of any node shows it. */
export interface ProcessInfo {
  readonly pid: string;
  readonly process: string;
  readonly name: string | undefined;
  readonly status: string;
  readonly handled: number;
  readonly mailbox: number;
}

/** One node of the cluster: everything a user touches hangs off it. */
export interface Node extends AsyncDisposable {
  readonly name: string;
  readonly incarnation: number;
  readonly processes: ProcessManager;
  readonly registry: Registry;
  readonly cluster: ClusterView;
  readonly mabeam: Mabeam;
  readonly events: Events;
  /** Things that should be rare, counted since the start. */
  counters(): NodeCounters;
  /** A ref to a named process, wherever it lives; it follows the name. */
  ref<I, A>(process: Definition<I, A>, name: string): Client<A>;
  /** Processes of this node's main thread. */
  inspect(): readonly ProcessInfo[];
  /** The same, asked of another node. */
  inspectNode(node: string): Promise<readonly ProcessInfo[]>;
  /** Ends all processes, says goodbye to the cluster and closes everything. */
  stop(): Promise<void>;
  /** The same as `stop`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** What `node.counters()` tells; see `docs/reference/telemetry.md`. */
export interface NodeCounters extends RuntimeCounters {
  /** Refused connections and broken protocols, by error code. */
  readonly refused: Readonly<Record<string, number>>;
}
