import {
  isFoundationError,
  messageOf,
  type Located,
  type Node,
  type ProcessInfo,
} from '@foundation/core';

import { table } from './table.ts';

export interface ProcessRow {
  readonly node: string;
  readonly pid: string;
  /** Name of its definition. */
  readonly process: string;
  readonly name?: string | undefined;
  readonly capabilities: readonly string[];
  /** This and what follows is not known of a node that does not answer. */
  readonly status?: string;
  readonly handled?: number;
  readonly mailbox?: number;
  readonly restarts?: number;
  /** The worker thread it lives in; 0 is the main thread. */
  readonly thread?: number;
}

export interface ProcessesView {
  readonly processes: readonly ProcessRow[];
  /** Nodes that could not be asked. */
  readonly unanswered: readonly {
    readonly node: string;
    readonly code: string;
    readonly message: string;
  }[];
}

/** Asks every member for its processes; those of one that does not answer are known from the registry. */
export async function viewProcesses(node: Node): Promise<ProcessesView> {
  const members = node.cluster.members().map((each) => each.node);
  const answers = await Promise.allSettled(members.map((name) => node.processes.list(name)));
  const unanswered: ProcessesView['unanswered'][number][] = [];
  const processes = members.flatMap((name, at) => {
    const answer = answers[at];
    if (answer?.status === 'rejected') unanswered.push({ node: name, ...problem(answer.reason) });
    const running = answer?.status === 'fulfilled' ? answer.value : [];
    return rowsOf(name, running, node.registry.all());
  });
  return { processes, unanswered };
}

function rowsOf(
  node: string,
  running: readonly ProcessInfo[],
  registered: readonly Located[],
): readonly ProcessRow[] {
  const entries = new Map(
    registered.filter((each) => each.node === node).map((each) => [each.pid.toString(), each]),
  );
  const told = running.map((info) => {
    const capabilities = entries.get(info.pid)?.capabilities ?? [];
    entries.delete(info.pid);
    return { node, ...info, capabilities };
  });
  const silent = [...entries].map(([pid, { process, name, capabilities }]) => ({
    node,
    pid,
    process,
    name,
    capabilities,
  }));
  return [...told, ...silent];
}

function problem(reason: unknown): { readonly code: string; readonly message: string } {
  const code = isFoundationError(reason) ? reason.code : 'INTERNAL';
  return { code, message: messageOf(reason) };
}

export function printProcesses({ processes }: ProcessesView): string {
  return table(processes, {
    node: (row) => row.node,
    process: (row) => row.process,
    name: (row) => row.name,
    capabilities: (row) => row.capabilities.join(',') || undefined,
    status: (row) => row.status,
    mailbox: (row) => row.mailbox,
    handled: (row) => row.handled,
    restarts: (row) => row.restarts,
    thread: (row) => row.thread,
    pid: (row) => row.pid,
  });
}
