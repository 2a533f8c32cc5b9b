import type { ChildInfo } from '../process/child.ts';
import type { Process, ProcessStatus } from '../process/process.ts';
import type { Runtime } from '../process/runtime.ts';
import { childrenOf } from '../process/supervisor.ts';

/** A process as `node.processes.list()` shows it. */
export interface ProcessInfo {
  readonly pid: string;
  /** Name of its definition. */
  readonly process: string;
  readonly name: string | undefined;
  /** `unresponsive`: it lives in a thread that does not answer; the counters are what the thread shares. */
  readonly status: ProcessStatus | 'suspended' | 'unresponsive';
  /** Messages handled, and waiting. */
  readonly handled: number;
  readonly mailbox: number;
  readonly restarts: number;
  /** Its supervisor. */
  readonly parent: string | undefined;
  /** The worker thread it lives in; 0 is the main thread. */
  readonly thread: number;
}

export function infoOfProcess(process: Process): ProcessInfo {
  const { pid, behaviour, name, handled, mailbox, restarts, parent } = process;
  return {
    pid: pid.toString(),
    process: behaviour.name,
    name,
    status: process.isSuspended ? 'suspended' : process.status,
    handled,
    mailbox: mailbox.size,
    restarts,
    parent: parent?.toString(),
    thread: pid.thread,
  };
}

/** A process with the processes that it keeps alive. */
export interface ProcessTree {
  /** Undefined for a child that does not run: see `child`. */
  readonly pid: string | undefined;
  readonly process: string;
  readonly name: string | undefined;
  readonly status: ProcessInfo['status'] | ChildInfo['status'];
  readonly restarts: number;
  /** Why it ended last, where its supervisor knows. */
  readonly lastExit: string | undefined;
  readonly children: readonly ProcessTree[];
}

/** What a runtime tells of itself: its processes, and the children of its supervisors that do not run. */
export interface RuntimeListing {
  readonly processes: readonly ProcessInfo[];
  readonly absent: readonly AbsentChild[];
}

interface AbsentChild extends Omit<ChildInfo, 'pid'> {
  readonly parent: string;
}

export function listingOf(runtime: Runtime): RuntimeListing {
  const processes: ProcessInfo[] = [];
  const absent: AbsentChild[] = [];
  for (const each of runtime.processes()) {
    processes.push(infoOfProcess(each));
    for (const { pid, ...child } of childrenOf(each)) {
      if (pid === undefined) absent.push({ ...child, parent: each.pid.toString() });
    }
  }
  return { processes, absent };
}

/** The processes of a node as trees: supervisors with what they keep, in the order in which it was started. */
export function treesOf(listings: readonly RuntimeListing[]): readonly ProcessTree[] {
  const processes = listings.flatMap((each) => each.processes);
  const absent = listings.flatMap((each) => each.absent);
  const known = new Set(processes.map(({ pid }) => pid));
  const childrenBy = Map.groupBy(processes, ({ parent }) => parent);
  const absentBy = Map.groupBy(absent, ({ parent }) => parent);
  const treeOf = ({ pid, process, name, status, restarts }: ProcessInfo): ProcessTree => ({
    pid,
    process,
    name,
    status,
    restarts,
    lastExit: undefined,
    children: [
      ...(childrenBy.get(pid) ?? []).map(treeOf),
      ...(absentBy.get(pid) ?? []).map(leafOf),
    ],
  });
  return processes.filter(({ parent }) => parent === undefined || !known.has(parent)).map(treeOf);
}

function leafOf({ process, name, status, restarts, lastExit }: AbsentChild): ProcessTree {
  return { pid: undefined, process, name, status, restarts, lastExit, children: [] };
}
