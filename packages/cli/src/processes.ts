import { type Located, type Node, type ProcessInfo } from '@foundation/core';

import { askAll, type Unanswered } from './ask-all.ts';
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
  readonly unanswered: readonly Unanswered[];
}

/** Asks every member for its processes; those of one that does not answer are known from the registry. */
export async function viewProcesses(node: Node): Promise<ProcessesView> {
  const { answers, unanswered } = await askAll(node, (member) => node.processes.list(member));
  const processes = node.cluster
    .members()
    .flatMap(({ node: name }) => rowsOf(name, answers.get(name) ?? [], node.registry.all()));
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
