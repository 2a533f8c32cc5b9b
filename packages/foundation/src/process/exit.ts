import { FoundationError, messageOf } from '../errors.ts';

/** Every reason why a process can end. */
export const exitReasons = [
  'normal',
  'shutdown',
  'killed',
  'crash',
  'start_failed',
  'stuck',
  'thread_lost',
  'node_down',
  'no_process',
  'name_conflict',
  'migrated',
] as const;

/** Reasons that a user may end a process for. */
export const stopReasons = ['normal', 'shutdown', 'killed'] as const;

/** Why a process ended. */
export type ExitReason = (typeof exitReasons)[number];

/** The end of a process: why, and with which error where there is one. */
export interface Exit {
  readonly reason: ExitReason;
  readonly error?: unknown;
}

/** A normal end: links are not told to die with it, and a transient child is not restarted. */
export function isNormal(exit: Exit): boolean {
  return exit.reason === 'normal' || exit.reason === 'shutdown' || exit.reason === 'migrated';
}

/** What a caller gets whose call was with the process when it ended. */
export function processDown(who: string, exit: Exit): FoundationError {
  const why = exit.error === undefined ? '' : `: ${messageOf(exit.error)}`;
  const details = { process: who, reason: exit.reason };
  if (exit.reason === 'node_down') {
    return new FoundationError('NODE_DOWN', `the node of ${who} went down during the call`, {
      hint: 'The call may have been carried out. Repeat it only if it is idempotent.',
      details,
    });
  }
  return new FoundationError(
    'PROCESS_DOWN',
    `${who} ended during the call (${exit.reason}${why})`,
    {
      hint: 'The call may have been carried out. Repeat it only if it is idempotent.',
      details,
      cause: exit.error,
    },
  );
}

/** What a caller gets when there is nobody at the address. */
export function noProcess(who: string): FoundationError {
  return new FoundationError('NO_PROCESS', `there is no process ${who}`, {
    hint: 'It has ended, was never started, or its name has not arrived here yet; only a ref with a name follows a restart. Nothing was executed.',
    details: { process: who },
  });
}
