import type { Ask } from './admission.ts';
import type { AgentId } from './message.ts';
import type { Answer, Decision, LossReason, SilenceCause } from './protocol.ts';
import type { SessionRecord } from './record.ts';

/** Requests by what became of them: `asked` = `ok` + `declined` + `silent` + `invalid`. */
export interface Participation {
  readonly asked: number;
  readonly ok: number;
  readonly declined: number;
  /** No answer in time, late ones and dead participants included. */
  readonly silent: number;
  /** Malformed, not understood, failed, or two different answers. */
  readonly invalid: number;
}

/** How a session ended. It does so by its deadline, whatever the participants do. */
export interface Outcome<Out> extends Decision<Out> {
  readonly participation: Participation;
  /** Why each participant won or did not; the record says more. */
  readonly reasons: Readonly<Record<AgentId, LossReason>>;
  readonly record: SessionRecord;
}

/** Adds to a protocol's decision who took part. Whoever was still being asked counts as silent. */
export function composeOutcome<Out>(
  decision: Decision<Out>,
  asks: readonly Ask[],
  record: SessionRecord,
): Outcome<Out> {
  const counts = { ok: 0, declined: 0, silent: 0, invalid: 0 };
  const { reasons = {} } = decision;
  const absences = new Map<AgentId, LossReason>();
  for (const { request, answer } of asks) {
    const reason = reasonOf(answer);
    if (reason === undefined) absences.delete(request.to);
    else absences.set(request.to, reason);
    counts[columnOf(reason)]++;
  }
  return {
    ...decision,
    participation: { asked: asks.length, ...counts },
    reasons: absences.size === 0 ? reasons : { ...Object.fromEntries(absences), ...reasons },
    record,
  };
}

type Absence = 'declined' | 'silent' | 'late' | 'invalid';

/** Why an answer does not count. One that is still awaited is silent. */
export function reasonOf(answer: Answer<unknown> | undefined): Absence | undefined {
  if (answer === undefined) return 'silent';
  switch (answer.kind) {
    case 'ok':
      return undefined;
    case 'declined':
      return 'declined';
    case 'silent':
      return reasonOfSilence(answer.cause);
  }
}

function reasonOfSilence(cause: SilenceCause): Absence {
  switch (cause) {
    case 'timeout':
    case 'down':
      return 'silent';
    case 'late':
      return 'late';
    case 'invalid':
    case 'equivocation':
      return 'invalid';
  }
}

function columnOf(reason: Absence | undefined): 'ok' | 'declined' | 'silent' | 'invalid' {
  if (reason === undefined) return 'ok';
  return reason === 'late' ? 'silent' : reason;
}
