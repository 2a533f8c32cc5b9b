import type { AgentId } from '../../message.ts';
import { shown } from '../../parse.ts';
import type { LossReason, TellEffect } from '../../protocol.ts';
import type { DcopResult } from './dcop-claim.ts';
import type { ReadDcop } from './dcop-problem.ts';

/** Agents that are not asked any more, and those of them whose answer made no sense. */
export interface Absent {
  readonly gone: ReadonlySet<AgentId>;
  readonly invalid: ReadonlySet<AgentId>;
}

/** @throws Error for a variable whose owner is not in the roster. */
export function checkOwners({ variables }: ReadDcop, roster: readonly AgentId[]): void {
  const members = new Set(roster);
  const stranger = variables.find(({ owner }) => !members.has(owner));
  if (stranger === undefined) return;
  const { owner, name } = stranger;
  throw new Error(`${shown(owner)}, who owns ${shown(name)}, is not in the roster`);
}

/** What became of the owners. */
export function reasonsOf(
  { variables }: ReadDcop,
  { gone, invalid }: Absent,
): Readonly<Record<AgentId, LossReason>> {
  const reasons: Record<AgentId, LossReason> = {};
  for (const { owner } of variables) if (!gone.has(owner)) reasons[owner] = 'won';
  for (const id of invalid) reasons[id] = 'invalid';
  return reasons;
}

/** Variables of those who are gone. */
export function frozenIn({ variables }: ReadDcop, { gone }: Absent): readonly string[] {
  return variables.filter(({ owner }) => gone.has(owner)).map(({ name }) => name);
}

/** Tells each owner, in the order of the roster, which values its variables have in the end. */
export function assignedNotices(
  { problem, variables }: ReadDcop,
  { assignment }: Pick<DcopResult, 'assignment'>,
  roster: readonly AgentId[],
): readonly TellEffect[] {
  return roster.flatMap((id): readonly TellEffect[] => {
    const own = variables.filter(({ owner }) => owner === id);
    const values = Object.fromEntries(own.map(({ name }) => [name, assignment[name] ?? '']));
    return own.length === 0
      ? []
      : [{ kind: 'tell', to: [id], type: 'assigned', body: { problem, values } }];
  });
}
