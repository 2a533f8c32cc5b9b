import { FoundationError, isFoundationError, messageOf, type Node } from '@foundation/core';
import { printable } from '@foundation/core/internal';
import type { SessionInfo, SessionView } from '@foundation/core/mabeam';

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

interface Unanswered {
  readonly node: string;
  readonly code: string;
  readonly message: string;
}

/** Asks every member for its sessions. */
export async function viewSessions(node: Node): Promise<SessionsView> {
  const { answers, unanswered } = await askAll(node, (member) => node.mabeam.sessionsOn(member));
  return {
    sessions: answers.flatMap(([member, { sessions }]) =>
      sessions.map((each) => ({ node: member, ...each })),
    ),
    omitted: answers.reduce((sum, [, { sessions, total }]) => sum + total - sessions.length, 0),
    unanswered,
  };
}

/** What the members know of one session: of several terms of it, the latest. */
export async function viewSession(
  node: Node,
  id: string,
): Promise<SessionView & { readonly node: string }> {
  const { answers, unanswered } = await askAll(node, (member) => node.mabeam.sessionOn(member, id));
  const known = answers.flatMap(([member, view]) =>
    view === undefined ? [] : [{ node: member, ...view }],
  );
  const [latest] = known.toSorted((one, other) => other.info.epoch - one.info.epoch);
  if (latest !== undefined) return latest;
  const silent = unanswered.map(({ node: name }) => name).join(', ');
  throw new FoundationError('UNKNOWN_SESSION', `no node knows a session ${id}`, {
    hint: `Nodes remember the last 100 that have ended.${silent === '' ? '' : ` Not asked: ${silent}.`}`,
  });
}

async function askAll<T>(
  node: Node,
  ask: (member: string) => Promise<T>,
): Promise<{
  readonly answers: readonly (readonly [member: string, answer: T])[];
  readonly unanswered: readonly Unanswered[];
}> {
  const members = node.cluster.members().map((each) => each.node);
  const settled = await Promise.allSettled(members.map(ask));
  const answers: [string, T][] = [];
  const unanswered: Unanswered[] = [];
  for (const [at, answer] of settled.entries()) {
    const member = members[at] ?? '';
    if (answer.status === 'fulfilled') answers.push([member, answer.value]);
    else unanswered.push({ node: member, ...problem(answer.reason) });
  }
  return { answers, unanswered };
}

function problem(reason: unknown): { readonly code: string; readonly message: string } {
  const code = isFoundationError(reason) ? reason.code : 'INTERNAL';
  return { code, message: messageOf(reason) };
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
