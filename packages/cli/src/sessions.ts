import { FoundationError, type Node } from '@foundation/core';
import { printable } from '@foundation/core/internal';
import type { SessionInfo, SessionView } from '@foundation/core/mabeam';

import { askAll, type Unanswered } from './ask-all.ts';
import { jsonOf } from './json.ts';
import { table } from './table.ts';

/** A session and who coordinates it. */
export interface SessionRow extends SessionInfo {
  readonly node: string;
}

export interface SessionsView {
  readonly sessions: readonly SessionRow[];
  /** Sessions that nodes have and did not tell of, as they have too many. */
  readonly omitted: number;
  /** Nodes that could not be asked. */
  readonly unanswered: readonly Unanswered[];
}

/** Asks every member for its sessions. */
export async function viewSessions(node: Node): Promise<SessionsView> {
  const { answers, unanswered } = await askAll(node, (member) => node.mabeam.sessionsOn(member));
  return {
    sessions: [...answers].flatMap(([member, { sessions }]) =>
      sessions.map((each) => ({ node: member, ...each })),
    ),
    omitted: [...answers.values()].reduce(
      (sum, { sessions, total }) => sum + total - sessions.length,
      0,
    ),
    unanswered,
  };
}

/** What the members know of one session: of several terms of it, the latest. */
export async function viewSession(
  node: Node,
  id: string,
): Promise<SessionView & { readonly node: string }> {
  const { answers, unanswered } = await askAll(node, (member) => node.mabeam.sessionOn(member, id));
  const known = [...answers].flatMap(([member, view]) =>
    view === undefined ? [] : [{ node: member, ...view }],
  );
  const [latest] = known.toSorted((one, other) => other.info.epoch - one.info.epoch);
  if (latest !== undefined) return latest;
  const silent = unanswered.map(({ node: name }) => name).join(', ');
  throw new FoundationError('UNKNOWN_SESSION', `no node knows a session ${id}`, {
    hint: `Nodes remember the last 100 that have ended.${silent === '' ? '' : ` Not asked: ${silent}.`}`,
  });
}

export function printSessions({ sessions }: SessionsView): string {
  return table(sessions, {
    session: (row) => row.id,
    node: (row) => row.node,
    protocol: (row) => row.protocol,
    status: (row) => row.status,
    participants: (row) => row.participants,
    rounds: (row) => row.rounds,
    epoch: (row) => row.epoch,
    took: (row) => `${row.tookMs.toFixed(1)} ms`,
    started: (row) => new Date(row.startedAt).toISOString(),
  });
}

export function printSession({
  node,
  info,
  outcome,
  record,
  omittedBytes,
}: Awaited<ReturnType<typeof viewSession>>): string {
  const facts = [
    printSessions({ sessions: [{ node, ...info }], omitted: 0, unanswered: [] }),
    '',
    ...(outcome === undefined
      ? []
      : [
          `result: ${jsonOf(outcome.result ?? null)}`,
          ...(outcome.detail === undefined ? [] : [`detail: ${outcome.detail}`]),
          `participation: ${jsonOf(outcome.participation)}`,
          ...Object.entries(outcome.reasons).map(([id, reason]) => `${id}: ${reason}`),
        ]),
    ...(record === undefined ? [] : [`record: ${record.entries.length} entries`]),
    ...(omittedBytes === undefined ? [] : [`left out: ${omittedBytes} bytes are too many`]),
  ];
  return facts.map((line) => line.split('\n').map(printable).join('\n')).join('\n');
}
