import type { AgentId } from '../message.ts';
import type { Participation } from '../outcome.ts';
import type { OutcomeStatus } from '../protocol.ts';
import type { AgentFacts, SessionFacts } from './session-facts.ts';

/** What an agent has done in the sessions that are counted. */
export interface AgentStatistics extends Participation {
  readonly sessions: number;
  readonly won: number;
  /** Milliseconds between requests and its answers. */
  readonly answerMs: Spread;
  readonly protocols: Readonly<Record<string, number>>;
}

/** How sessions of one protocol went. */
export interface ProtocolFacts {
  readonly sessions: number;
  readonly ended: Readonly<Partial<Record<OutcomeStatus, number>>>;
  readonly participants: Spread;
  readonly rounds: Spread;
  readonly messages: Spread;
  readonly tookMs: Spread;
  readonly participation: Participation;
}

/** Many numbers in three. */
export interface Spread {
  readonly count: number;
  readonly sum: number;
  readonly max: number;
}

const nothing: Spread = { count: 0, sum: 0, max: 0 };
const nobody: Participation = { asked: 0, ok: 0, declined: 0, silent: 0, invalid: 0 };

export const noAgent: AgentStatistics = {
  ...nobody,
  sessions: 0,
  won: 0,
  answerMs: nothing,
  protocols: {},
};

export const noProtocol: ProtocolFacts = {
  sessions: 0,
  ended: {},
  participants: nothing,
  rounds: nothing,
  messages: nothing,
  tookMs: nothing,
  participation: nobody,
};

/** Adds a session to what is known of one who took part in it. */
export function withSession(
  before: AgentStatistics,
  { answerMs, won, ...counts }: AgentFacts,
  protocol: string,
): AgentStatistics {
  const { count, sum, max } = before.answerMs;
  return {
    ...added(before, counts),
    sessions: before.sessions + 1,
    won: before.won + (won ? 1 : 0),
    answerMs: {
      count: count + counts.ok,
      sum: sum + answerMs.sum,
      max: Math.max(max, answerMs.max),
    },
    protocols: { ...before.protocols, [protocol]: (before.protocols[protocol] ?? 0) + 1 },
  };
}

/** Adds a session to what is known of its protocol. */
export function withOutcome(before: ProtocolFacts, facts: SessionFacts): ProtocolFacts {
  const { status, participants, rounds, messages, tookMs, participation } = facts;
  return {
    sessions: before.sessions + 1,
    ended: { ...before.ended, [status]: (before.ended[status] ?? 0) + 1 },
    participants: wider(before.participants, participants),
    rounds: wider(before.rounds, rounds),
    messages: wider(before.messages, messages),
    tookMs: wider(before.tookMs, tookMs),
    participation: added(before.participation, participation),
  };
}

/** Statistics of sessions, from their numbers. */
export interface Statistics {
  readonly agents: ReadonlyMap<AgentId, AgentStatistics>;
  readonly protocols: ReadonlyMap<string, ProtocolFacts>;
}

/** What a node counts while it runs, from the outcomes that somebody has kept. */
export function statisticsOf(sessions: Iterable<SessionFacts>): Statistics {
  const agents = new Map<AgentId, AgentStatistics>();
  const protocols = new Map<string, ProtocolFacts>();
  for (const facts of sessions) {
    const { protocol } = facts;
    protocols.set(protocol, withOutcome(protocols.get(protocol) ?? noProtocol, facts));
    for (const [id, own] of facts.agents) {
      agents.set(id, withSession(agents.get(id) ?? noAgent, own, protocol));
    }
  }
  return { agents, protocols };
}

export function wider({ count, sum, max }: Spread, value: number): Spread {
  return { count: count + 1, sum: sum + value, max: Math.max(max, value) };
}

function added(one: Participation, other: Participation): Participation {
  return {
    asked: one.asked + other.asked,
    ok: one.ok + other.ok,
    declined: one.declined + other.declined,
    silent: one.silent + other.silent,
    invalid: one.invalid + other.invalid,
  };
}
