import type { AgentId } from '../message.ts';
import type { Outcome, Participation } from '../outcome.ts';
import type { OutcomeStatus } from '../protocol.ts';
import type { AnswerEntry, LostEntry, SessionRecord } from '../record.ts';

/** What one agent did in a session. */
export interface AgentFacts extends Participation {
  /** Milliseconds between requests and the answers that count. */
  readonly answerMs: { readonly sum: number; readonly max: number };
  readonly won: boolean;
}

/** The numbers of a session. */
export interface SessionFacts {
  readonly session: string;
  readonly protocol: string;
  readonly status: OutcomeStatus;
  readonly participants: number;
  readonly rounds: number;
  /** Requests, notices and answers. */
  readonly messages: number;
  readonly participation: Participation;
  /** Milliseconds from the start to the last entry of the record. */
  readonly tookMs: number;
  readonly agents: ReadonlyMap<AgentId, AgentFacts>;
}

type Column = 'ok' | 'declined' | 'silent' | 'invalid';

/** A request, and what became of it. */
interface Asked {
  readonly to: AgentId;
  readonly at: number;
  column?: Column;
  answeredAt?: number;
}

/** Counts a session out of its outcome and nothing else: whoever has that comes to the same numbers. */
export function sessionFacts(outcome: Outcome<unknown>): SessionFacts {
  const { record, status, participation, reasons } = outcome;
  const { session, protocol, roster } = record.setup;
  const asked = [...requestsOf(record).values()];
  const byAgent = Map.groupBy(asked, ({ to }) => to);
  const agents = roster.map(
    (id) => [id, factsOf(byAgent.get(id) ?? [], reasons[id] === 'won')] as const,
  );
  const said = record.entries.filter(({ kind }) => kind !== 'emit');
  const requests = record.entries.flatMap((entry) =>
    entry.kind === 'request' ? [entry.request.round] : [],
  );
  return {
    session,
    protocol,
    status,
    participants: roster.length,
    rounds: requests.at(-1) ?? 0,
    messages: said.filter(({ kind }) => isMessage(kind)).length,
    participation,
    tookMs: record.entries.at(-1)?.at ?? 0,
    agents: new Map(agents),
  };
}

function isMessage(kind: string): boolean {
  return kind === 'request' || kind === 'notice' || kind === 'answer';
}

function requestsOf({ entries }: SessionRecord): ReadonlyMap<string, Asked> {
  const asked = new Map<string, Asked>();
  for (const entry of entries) {
    if (entry.kind === 'request') {
      const { nonce, to } = entry.request;
      // Asked again by another coordinator, it is the same request.
      if (!asked.has(nonce)) asked.set(nonce, { to, at: entry.at });
    } else if (entry.kind === 'answer') answered(asked, entry);
    else if (entry.kind === 'lost') lost(asked.get(entry.nonce), entry);
  }
  return asked;
}

/** As the engine decides about an answer, by the verdict that it has written down. */
function answered(asked: ReadonlyMap<string, Asked>, entry: AnswerEntry): void {
  const { verdict, reply, nonce, at } = entry;
  const quoted = asked.get(reply?.nonce ?? '');
  if (quoted !== undefined && verdict === 'accepted') {
    [quoted.column, quoted.answeredAt] = ['ok', at];
  } else if (quoted !== undefined && verdict === 'declined') quoted.column = 'declined';
  else if (quoted !== undefined && verdict === 'equivocation') quoted.column = 'invalid';
  const own = nonce === undefined ? undefined : asked.get(nonce);
  if (own === undefined) return;
  own.column ??= verdict === 'late' && own === quoted ? 'silent' : 'invalid';
}

function lost(request: Asked | undefined, { cause }: LostEntry): void {
  if (request !== undefined) request.column ??= cause === 'error' ? 'invalid' : 'silent';
}

function factsOf(requests: readonly Asked[], won: boolean): AgentFacts {
  const counts = { ok: 0, declined: 0, silent: 0, invalid: 0 };
  const answerMs = { sum: 0, max: 0 };
  for (const { at, column = 'silent', answeredAt } of requests) {
    counts[column]++;
    if (column !== 'ok' || answeredAt === undefined) continue;
    answerMs.sum += answeredAt - at;
    answerMs.max = Math.max(answerMs.max, answeredAt - at);
  }
  return { asked: requests.length, ...counts, answerMs, won };
}
