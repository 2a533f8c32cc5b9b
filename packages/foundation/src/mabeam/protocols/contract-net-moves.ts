import type { AgentId } from '../message.ts';
import type {
  AskEffect,
  Decision,
  Effect,
  EmitEffect,
  LossReason,
  OutcomeStatus,
  PureEnv,
  SessionEvent,
  Step,
  TellEffect,
} from '../protocol.ts';
import type { CfpQuestion } from './contract-net-questions.ts';
import {
  type MadeProposal,
  pickBest,
  priceOf,
  ranked,
  type Score,
} from './contract-net-ranking.ts';
import {
  askEach,
  type CancelNotice,
  cancellation,
  type ContractNetResult,
  currentTerms,
  type FailedContract,
  type LiveContract,
  type Net,
  type NetReply,
  reasonOfFailure,
  rejections,
  shortfallOf,
  standingOf,
} from './contract-net-state.ts';
import { type ContractNetSpec, termsOf } from './contract-net-terms.ts';

type NetStep = Step<Net, ContractNetResult>;
type Told = readonly (TellEffect | EmitEffect)[];

export function openNet(spec: ContractNetSpec, roster: readonly AgentId[]): Net {
  const terms = termsOf(spec);
  const { retries } = terms;
  return {
    terms,
    roster,
    retries,
    round: 'cfp',
    asked: [],
    call: 0,
    revisions: 0,
    held: [],
    live: [],
    done: [],
    failed: [],
    proposals: [],
    reasons: new Map(),
  };
}

// oxlint-disable-next-line max-params -- in which net, whom, after having said what
export function callFor(before: Net, to: readonly AgentId[], told: Told = []): NetStep {
  const net: Net = { ...before, round: 'cfp', asked: to, held: [], call: before.call + 1 };
  const { task, pricing, weights, performMs, proposeMs: budgetMs } = net.terms;
  const attributes = Object.keys(weights).filter((name) => name !== 'cost');
  const body: CfpQuestion = {
    task,
    call: net.call,
    ...currentTerms(net),
    pricing,
    attributes,
    performMs,
  };
  const ask: AskEffect = { kind: 'ask', to, type: 'cfp', body, budgetMs };
  return { state: net, effects: [...told, ask] };
}

export function onProposals(
  before: Net,
  { event, score }: { event: SessionEvent<NetReply>; score: Score },
  env: PureEnv,
): NetStep {
  const { terms, call } = before;
  const made = event.answers.flatMap(({ from, ...answer }): MadeProposal[] => {
    if (answer.kind !== 'ok' || !('cost' in answer.body)) return [];
    const rated = score(answer.body, terms);
    const proposal = { agent: from, call, ...answer.body };
    return [rated === undefined ? proposal : { ...proposal, score: rated }];
  });
  const queue = ranked(made, currentTerms(before));
  const reasons = new Map(before.reasons);
  for (const { from } of event.answers) reasons.delete(from);
  for (const { agent, score: rated } of made) {
    reasons.set(agent, rated === undefined ? 'invalid' : 'below_reserve');
  }
  for (const { agent } of queue) reasons.set(agent, 'outbid');
  const net: Net = { ...before, reasons, proposals: [...before.proposals, ...made] };
  const told = [...missed(net, event), ...unfit(net, made)];
  if (queue.length < shortfallOf(net) && net.revisions < terms.revisions.length) {
    const revising = rejections(net, queue.map(agentOf), 'revised');
    return callFor({ ...net, revisions: net.revisions + 1 }, net.asked, [...told, ...revising]);
  }
  return award({ ...net, held: queue }, { count: shortfallOf(net), told }, env);
}

/** Tells those who were too late with a proposal, or made two, that it is rejected. */
function missed(net: Net, { answers }: SessionEvent<NetReply>): TellEffect[] {
  const idsOf = (...causes: readonly string[]): AgentId[] =>
    answers.flatMap((each) =>
      each.kind === 'silent' && causes.includes(each.cause) ? [each.from] : [],
    );
  return [
    ...rejections(net, idsOf('timeout', 'late'), 'late'),
    ...rejections(net, idsOf('equivocation'), 'invalid'),
  ];
}

function unfit(net: Net, made: readonly MadeProposal[]): TellEffect[] {
  return (['invalid', 'below_reserve'] as const).flatMap((reason) =>
    rejections(
      net,
      made.map(agentOf).filter((id) => net.reasons.get(id) === reason),
      reason,
    ),
  );
}

/** Awards `count` times to the best of those who are held. */
function award(
  net: Net,
  { count, told }: { readonly count: number; readonly told: Told },
  env: PureEnv,
): NetStep {
  const { terms, live, done, failed, call } = net;
  const draw = { label: `award of ${terms.task}`, env };
  const { winners, rest, tie } = pickBest(net.held, count, draw);
  const first = terms.fencingFrom + live.length + done.length + failed.length;
  const paid = { ...terms, ...currentTerms(net) };
  const awarded = winners.map((winner, place): LiveContract => {
    const { agent } = winner;
    const price = priceOf(winner, rest[0], paid);
    return { agent, price, fencing: first + place, call, heartbeat: 0 };
  });
  const seen = awarded.map(({ agent, price, fencing }): EmitEffect => {
    return { kind: 'emit', name: 'award', facts: { agent, price, fencing } };
  });
  const reasons = new Map(net.reasons);
  for (const agent of tie?.among ?? []) reasons.set(agent, 'tie_lost');
  const next: Net = {
    ...net,
    ...(tie === undefined ? {} : { tie }),
    reasons,
    live: [...live, ...awarded],
    held: rest,
  };
  const isFinal = terms.onFailure !== 'next_best';
  const rejected = isFinal ? rejectHeld(next) : [];
  const open = isFinal ? { ...next, held: [] } : next;
  const effects = [...told, ...rejected, ...seen];
  return awarded.length === 0 ? goOn(open, effects, env) : askAgain(open, awarded, effects);
}

/** Each with its own reason. */
function rejectHeld(net: Net): TellEffect[] {
  const losing = (reason: LossReason): AgentId[] =>
    net.held
      .map(agentOf)
      .filter((id) => (net.reasons.get(id) === 'tie_lost') === (reason === 'tie_lost'));
  return [
    ...rejections(net, losing('outbid'), 'outbid'),
    ...rejections(net, losing('tie_lost'), 'tie_lost'),
  ];
}

// oxlint-disable-next-line max-params -- in which net, about what, after having said what
export function askAgain(net: Net, contracts: readonly LiveContract[], told: Told = []): NetStep {
  const asked = contracts.map(agentOf);
  const effects: Effect<never>[] = [...told, ...askEach(net, contracts)];
  return { state: { ...net, round: 'perform', asked }, effects };
}

export function onPerformances(
  before: Net,
  { answers }: SessionEvent<NetReply>,
  env: PureEnv,
): NetStep {
  const reasons = new Map(before.reasons);
  const told: TellEffect[] = [];
  const heard = new Map(answers.map((answer) => [answer.from, answer]));
  const live: LiveContract[] = [];
  const [done, failed] = [[...before.done], [...before.failed]];
  for (const contract of before.live) {
    const answer = heard.get(contract.agent);
    if (answer === undefined) {
      live.push(contract);
      continue;
    }
    const standing = standingOf(contract, answer, before.terms.heartbeats);
    if (standing.kind === 'live') live.push(standing.contract);
    else if (standing.kind === 'done') {
      done.push(standing.contract);
      reasons.set(contract.agent, 'won');
    } else {
      failed.push(standing.contract);
      reasons.set(contract.agent, reasonOfFailure(standing.contract.cause));
      told.push(...dismissal(before, standing.contract));
    }
  }
  return goOn({ ...before, reasons, live, done, failed }, told, env);
}

/** Tells whoever may not know it that its award holds no longer. */
function dismissal(net: Net, contract: FailedContract): TellEffect[] {
  const { cause } = contract;
  if (cause === 'failure' || cause === 'declined') return [];
  return [cancellation(net, contract, cause === 'deadline' ? 'deadline' : 'stale_fencing')];
}

/** Replaces failed awards as far as the policy goes, and waits for those under way. */
// oxlint-disable-next-line max-params -- in which net, after having said what, by which rules
function goOn(net: Net, told: Told, env: PureEnv): NetStep {
  const { terms, live, held, retries, failed, call } = net;
  const shortfall = shortfallOf(net);
  if (shortfall > 0 && retries > 0 && net.tie?.rule !== 'report') {
    const count = Math.min(shortfall, retries, held.length);
    if (count > 0) return award({ ...net, retries: retries - count }, { count, told }, env);
    const hasFailed = failed.some((contract) => contract.call === call);
    if (terms.onFailure === 're_cfp' && hasFailed && live.length === 0) {
      return callFor({ ...net, retries: retries - 1 }, freeOf(net), told);
    }
  }
  if (live.length === 0) return conclude(net, told);
  const wait = { kind: 'wait', forMs: terms.heartbeatMs } as const;
  return { state: { ...net, round: 'wait', asked: [] }, effects: [...told, wait] };
}

/** Those who have neither done the task nor failed in it. */
function freeOf({ roster, done, failed }: Net): readonly AgentId[] {
  const taken = new Set([...done, ...failed].map(agentOf));
  return roster.filter((id) => !taken.has(id));
}

function conclude(net: Net, told: Told): NetStep {
  const { terms, done, failed, proposals, call } = net;
  const isTied = net.tie?.rule === 'report' && done.length < terms.awards;
  const { task } = terms;
  const result: ContractNetResult = { task, done, failed, proposals, calls: call };
  const status = statusOf(net, isTied);
  const decision: Decision<ContractNetResult> = {
    status,
    ...(status === 'no_deal' ? {} : { result }),
    ...(net.tie === undefined ? {} : { tie: net.tie }),
    ...(status === 'limit_reached' ? { detail: `${done.length} of ${terms.awards} done` } : {}),
    reasons: Object.fromEntries(net.reasons),
  };
  return { state: net, effects: [...told, ...rejectHeld(net), { kind: 'finish', decision }] };
}

function statusOf({ terms, done, failed }: Net, isTied: boolean): OutcomeStatus {
  if (done.length === terms.awards) return 'decided';
  if (isTied) return 'tied';
  return done.length + failed.length === 0 ? 'no_deal' : 'limit_reached';
}

/** Whoever works on it is told to stop, and whoever waits for an answer gets one. */
export function farewells(net: Net): readonly TellEffect[] {
  if (net.round === 'cfp') {
    const body: CancelNotice = { task: net.terms.task, reason: 'cancelled' };
    return [{ kind: 'tell', to: net.asked, type: 'cancel', body }];
  }
  return [
    ...net.live.map((contract) => cancellation(net, contract, 'cancelled')),
    ...rejections(net, net.held.map(agentOf), 'cancelled'),
  ];
}

function agentOf({ agent }: { readonly agent: AgentId }): AgentId {
  return agent;
}
