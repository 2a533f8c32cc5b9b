import type { AgentId } from '../message.ts';
import { shown } from '../parse.ts';
import type {
  Answer,
  Certificate,
  Decision,
  Effect,
  LossReason,
  Protocol,
  PureEnv,
} from '../protocol.ts';
import { inLine, only, orderOfEquals, type StrictLists } from './matching-lists.ts';
import { type MatchingSpec, own, parseMatchingSpec } from './matching-spec.ts';
import {
  parsePreferences,
  type PreferenceList,
  type PreferencesQuestion,
  type PreferencesReply,
} from './preferences.ts';
import {
  marketOf,
  matched,
  matchingProblems,
  type MatchingResult,
  type MatchingSides,
} from './stable-claim.ts';

/** Body of a `matched` notice. */
export interface MatchedNotice {
  readonly matching: string;
  readonly with: readonly AgentId[];
}

/**
 * Matches two sides by what each wants, so that no two would rather have each other than what they have: everybody
 * is asked for a list once, then proposers propose down their lists and receivers hold the best (deferred acceptance,
 * Gale and Shapley 1962). Of all such matchings it is the best one for every proposer. No proposer gains by another
 * list than its own (Dubins and Freedman 1981; Roth 1982); a receiver may.
 *
 * Equals in a list are put in one order for all lists, by the session's tie rule, before anything is matched.
 */
export const deferredAcceptanceMatching: Protocol<
  MatchingSpec,
  PreferencesReply,
  MatchingSides,
  MatchingResult
> = {
  name: 'match.deferred_acceptance',
  version: '1.0.0',
  traits: {
    // For proposers it is.
    dominantStrategyTruthful: false,
    individuallyRational: true,
    budget: 'n/a',
    sealed: true,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 1,
    maxMessages: (n) => 3 * n,
  },
  parseSpec: parseMatchingSpec,
  parseReply: (_type, body) => parsePreferences(body),
  init(spec, roster) {
    const members = new Set(roster);
    const mute = spec.receivers.find((id) => !members.has(id) && own(spec.lists, id) === undefined);
    if (mute !== undefined) {
      throw new Error(`receiver ${shown(mute)} is not in the roster and has no list in the spec`);
    }
    const receivers = new Set(spec.receivers);
    const proposers = roster.filter((id) => !receivers.has(id));
    return { state: { spec, proposers }, effects: questions(spec, roster, proposers) };
  },
  on(progress, { answers }, env) {
    const { lists, strangers } = listsFrom(progress, answers);
    const settled = settle(progress, lists, env);
    const reasons = reasonsOf(answers, { result: settled.result, strangers });
    const effects = closing(progress.spec, answers, { ...settled, reasons });
    return { state: progress, effects };
  },
  verify: matchingProblems,
};

/** One body for all proposers, and one for all receivers of a quota. */
function questions(
  spec: MatchingSpec,
  roster: readonly AgentId[],
  proposers: readonly AgentId[],
): readonly Effect<MatchingResult>[] {
  const { matching, receivers } = spec;
  const isReceiver = new Set(receivers);
  const byQuota = Map.groupBy(
    roster.filter((id) => isReceiver.has(id)),
    (id) => own(spec.quotas, id) ?? 1,
  );
  return [
    ask(proposers, { matching, side: 'proposer', others: receivers }),
    ...[...byQuota].map(([quota, to]) =>
      ask(to, { matching, side: 'receiver', others: proposers, quota }),
    ),
  ];
}

function ask(to: readonly AgentId[], body: PreferencesQuestion): Effect<MatchingResult> {
  return { kind: 'ask', to, type: 'get_preferences', body };
}

/**
 * The list of everybody that counts. One that names somebody who is not on the other side is no list; of a
 * receiver that gave none counts what the spec says, unless it declined.
 */
function listsFrom(
  { spec, proposers }: MatchingSides,
  answers: readonly Answer<PreferencesReply>[],
): { lists: Map<AgentId, PreferenceList>; strangers: Set<AgentId> } {
  const lists = new Map<AgentId, PreferenceList>(Object.entries(spec.lists ?? {}));
  const strangers = new Set<AgentId>();
  const sides = [new Set(spec.receivers), new Set(proposers)] as const;
  for (const answer of answers) {
    if (answer.kind === 'declined') lists.delete(answer.from);
    if (answer.kind !== 'ok') continue;
    const { from } = answer;
    const { list } = answer.body;
    const others = sides[sides[0].has(from) ? 1 : 0];
    if (list.flat().every((id) => others.has(id))) lists.set(from, list);
    else strangers.add(from);
  }
  // What the spec says of receivers may name proposers of another roster: they are not here to be taken.
  for (const id of spec.receivers) {
    const list = lists.get(id);
    if (list !== undefined) lists.set(id, only(list, sides[1]));
  }
  return { lists, strangers };
}

function settle(
  progress: MatchingSides,
  lists: ReadonlyMap<AgentId, PreferenceList>,
  env: PureEnv,
): Decision<MatchingResult> {
  const { spec, proposers } = progress;
  const order = orderOfEquals(lists.values(), env);
  if (order.rank === undefined) return { status: 'tied', ...order };
  const { rank, ...tie } = order;
  const strict = (ids: readonly AgentId[]): StrictLists =>
    Object.fromEntries(ids.map((id) => [id, inLine(lists.get(id) ?? [], rank)]));
  const used = { proposers: strict(proposers), receivers: strict(spec.receivers) };
  const certificate: Certificate = { kind: 'stability', data: used };
  const result = matched(progress, marketOf(progress, used));
  if (result.matches.length === 0) return { status: 'no_deal', ...tie, certificate };
  return { status: 'decided', result, ...tie, certificate };
}

/** Tells each who has somebody with whom. */
function closing(
  { matching }: MatchingSpec,
  answers: readonly Answer<unknown>[],
  decision: Decision<MatchingResult>,
): readonly Effect<MatchingResult>[] {
  const partners = partnersIn(decision.result);
  const notices = answers.flatMap(({ from }): readonly Effect<MatchingResult>[] => {
    const others = partners.get(from);
    if (others === undefined) return [];
    const body: MatchedNotice = { matching, with: others };
    return [{ kind: 'tell', to: [from], type: 'matched', body }];
  });
  const { matches = [], proposals = 0 } = decision.result ?? {};
  const facts = { matches: matches.length, proposals };
  return [...notices, { kind: 'emit', name: 'matched', facts }, { kind: 'finish', decision }];
}

function partnersIn(result: MatchingResult | undefined): ReadonlyMap<AgentId, readonly AgentId[]> {
  const partners = new Map<AgentId, AgentId[]>();
  const add = (id: AgentId, other: AgentId): void => {
    const others = partners.get(id);
    if (others === undefined) partners.set(id, [other]);
    else others.push(other);
  };
  for (const { proposer, receiver } of result?.matches ?? []) {
    add(proposer, receiver);
    add(receiver, proposer);
  }
  return partners;
}

/** Of those who gave a list; the engine names the others. Who would have had nobody is `not_eligible`. */
function reasonsOf(
  answers: readonly Answer<PreferencesReply>[],
  { result, strangers }: { result: MatchingResult | undefined; strangers: ReadonlySet<AgentId> },
): Readonly<Record<AgentId, LossReason>> {
  const partners = partnersIn(result);
  return Object.fromEntries(
    answers.flatMap((answer): (readonly [AgentId, LossReason])[] => {
      if (answer.kind !== 'ok') return [];
      const { from, body } = answer;
      if (strangers.has(from)) return [[from, 'invalid']];
      if (partners.has(from)) return [[from, 'won']];
      return [[from, body.list.length === 0 ? 'not_eligible' : 'outbid']];
    }),
  );
}
