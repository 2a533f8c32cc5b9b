import type { ClusterHealth } from './cluster/health.ts';
import type { ProcessStatistics } from './introspection/introspection.ts';
import type { RuntimeListing } from './introspection/process-info.ts';
import { onTheSide, systemCalls } from './introspection/system-calls.ts';
import type { Station } from './messaging/exchange.ts';
import { anyBehaviour, compileInternal, type Behaviour } from './process/behaviour.ts';
import type { Snapshot, Snapshots } from './process/durability.ts';
import { Pid, firstSerial } from './process/pid.ts';
import type { Runtime } from './process/runtime.ts';
import type { SingletonRecord } from './registry/registry-state.ts';
import { systemArguments as given } from './system-arguments.ts';

/** Milliseconds that another node may take to start a process; `init` may have to load a model. */
const startTimeoutMs = 120_000;

/** What a node does for other nodes, and for its own threads. */
export interface SystemDuties {
  /** All its processes, those in threads among them. */
  listings(): Promise<readonly RuntimeListing[]>;
  startSingleton(record: SingletonRecord): Promise<void>;
  /** Ends a process for good, with the supervisor that was made for it alone. */
  stopProcess(pid: Pid, reason: 'normal' | 'shutdown' | 'killed'): Promise<void>;
  /** What a thread shares of a process that does not answer. */
  sharedStatistics(pid: Pid): ProcessStatistics | undefined;
  readonly snapshots: Snapshots;
  /** How the cluster is, as this node sees it. */
  health(): Promise<ClusterHealth>;
  /** Does something with the agents that are registered on it. */
  agents(order: unknown): Promise<unknown>;
  /** What it coordinates. */
  sessions(): unknown;
  session(id: string): Promise<Uint8Array | undefined>;
  /** The life of another node hands over what it runs for the cluster, and is to be given nothing more. */
  drains(node: Pid): void;
}

/** First process of each node, so that its address needs no name. */
export function systemProcess(duties: SystemDuties): Behaviour {
  const { snapshots } = duties;
  return compileInternal('foundation.node', {
    isSystem: true,
    start: () => ({}),
    calls: {
      ...systemCalls,
      ping: () => true,
      health: onTheSide(() => duties.health()),
      agents: onTheSide((_ctx, order) => duties.agents(order)),
      sessions: onTheSide(() => duties.sessions()),
      session: onTheSide((_ctx, id) => duties.session(given.key(id))),
      drains: (_ctx, pid) => duties.drains(given.pid(pid)),
      listings: onTheSide(() => duties.listings()),
      startSingleton: onTheSide((_ctx, record) => duties.startSingleton(given.record(record))),
      stopProcess: onTheSide((_ctx, pid, reason) =>
        duties.stopProcess(given.pid(pid), given.reason(reason)),
      ),
      sharedStatistics: onTheSide((_ctx, pid) => duties.sharedStatistics(given.pid(pid))),
      loadSnapshot: onTheSide((_ctx, key) => snapshots.load(given.key(key))),
      saveSnapshot: onTheSide((_ctx, ...args) => snapshots.save(...given.snapshot(args))),
    },
  });
}

export interface SystemRef {
  ping(): Promise<true>;
  health(): Promise<ClusterHealth>;
  agents(order: unknown): Promise<unknown>;
  sessions(): Promise<unknown>;
  session(id: string): Promise<Uint8Array | undefined>;
  drains(node: Pid): Promise<void>;
  listings(): Promise<readonly RuntimeListing[]>;
  startSingleton(record: SingletonRecord): Promise<void>;
  stopProcess(pid: Pid, reason: 'normal' | 'shutdown' | 'killed'): Promise<void>;
  loadSnapshot(key: string): Promise<Snapshot | undefined>;
  saveSnapshot(key: string, version: number, state: Uint8Array): Promise<number | undefined>;
}

const behaviour = anyBehaviour('foundation.node');

/** The system process of a node. */
export function systemOf(
  runtime: Runtime,
  { node, incarnation }: Station,
  timeoutMs: number = startTimeoutMs,
): SystemRef {
  const pid = new Pid(node, incarnation, firstSerial(0));
  return runtime.refTo(behaviour, { pid, timeoutMs }) as SystemRef;
}
