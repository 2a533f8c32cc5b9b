import { isFoundationError, messageOf, type Node } from '@foundation/core';

/** A node that could not be asked, and why. */
export interface Unanswered {
  readonly node: string;
  readonly code: string;
  readonly message: string;
}

/** What the members answer, and who does not. */
export interface Answers<T> {
  /** By node. */
  readonly answers: ReadonlyMap<string, T>;
  readonly unanswered: readonly Unanswered[];
}

/** Asks every member. */
export async function askAll<T>(
  node: Node,
  ask: (member: string) => Promise<T>,
): Promise<Answers<T>> {
  const members = node.cluster.members().map((each) => each.node);
  const settled = await Promise.allSettled(members.map(ask));
  const answers = new Map<string, T>();
  const unanswered: Unanswered[] = [];
  for (const [at, answer] of settled.entries()) {
    const member = members[at] ?? '';
    if (answer.status === 'fulfilled') answers.set(member, answer.value);
    else unanswered.push({ node: member, ...problem(answer.reason) });
  }
  return { answers, unanswered };
}

function problem(reason: unknown): Omit<Unanswered, 'node'> {
  const code = isFoundationError(reason) ? reason.code : 'INTERNAL';
  return { code, message: messageOf(reason) };
}
