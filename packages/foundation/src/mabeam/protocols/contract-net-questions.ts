import { type Amount, parseAmount } from '../amount.ts';
import { canonical } from '../canonical.ts';
import type { CoordinationRequest } from '../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import { optionalAmount } from './auction-terms.ts';
import {
  attributesMax,
  type TaskPricing,
  taskPricings,
  type TaskTerms,
} from './contract-net-terms.ts';
import { isWhole } from './voting/vote-spec.ts';

/** Longest result of a task, in characters of JSON. */
export const resultCharsMax = 65_536;

/** Body of a `cfp` request, and what a contractor is asked: a call for proposals. */
export interface CfpQuestion extends TaskTerms {
  /** Name of the task. */
  readonly task: string;
  /** Which call it is, from 1: later ones come with other terms, or after a failure. */
  readonly call: number;
  /** What is paid: the own cost (`first`), or as much as one could have asked for (`vickrey`). */
  readonly pricing: TaskPricing;
  /** Attributes that a proposal must have besides its cost. */
  readonly attributes: readonly string[];
  /** Milliseconds there will be to do it. */
  readonly performMs: number;
}

/** What a contractor would do the task for. Body of the answer, too. */
export interface Proposal {
  readonly cost: Amount;
  /** What else it offers, by name. */
  readonly attributes?: Readonly<Record<string, Amount>>;
}

/** Body of `accept_proposal` and `progress` requests, and what a contractor is asked. */
export interface AwardQuestion {
  /** Name of the task. */
  readonly task: string;
  readonly detail?: string;
  /** What is paid for it. */
  readonly price: Amount;
  /**
   * Grows from award to award. Give it to whatever the task writes to, so that this can refuse who was given up and
   * does not know it yet.
   */
  readonly fencing: number;
  /** Asked how often before: 0 is the award itself. */
  readonly heartbeat: number;
  /** Milliseconds to answer, and until it is asked again. */
  readonly heartbeatMs: number;
}

const acts = ['working', 'inform_done', 'inform_result', 'failure'] as const;

/**
 * How far a contractor has come; body of the answer, too. `working`: ask again in a while. `inform_done`,
 * `inform_result`: done. `failure`: it will not be.
 */
export interface Performance {
  readonly act: (typeof acts)[number];
  /** Of `inform_result`: plain data, up to {@link resultCharsMax} characters of JSON. */
  readonly result?: unknown;
  /** Of `failure`: why, up to 1,024 characters. */
  readonly reason?: string;
  /** Token of the award this belongs to; that of an older one is refused. @defaultValue the one that was asked about */
  readonly fencing?: number;
}

/** Asks a contractor for a proposal. */
export const cfpQuestion: Question<CfpQuestion, Proposal> = {
  type: 'cfp',
  parse: parseCfp,
  reply: parseProposal,
};

/** Awards a task, and asks for it. */
export const acceptProposalQuestion: Question<AwardQuestion, Performance> = {
  type: 'accept_proposal',
  parse: parseAward,
  reply: parsePerformance,
};

/** Asks how far it is. */
export const progressQuestion: Question<AwardQuestion, Performance> = {
  ...acceptProposalQuestion,
  type: 'progress',
};

export function parseProposal(body: unknown): Parsed<Proposal> {
  if (!isRecord(body)) return unparsed(`body: expected { cost, … }, got ${shown(body)}`);
  const extra = unknownField(body, ['cost', 'attributes']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const cost = parseAmount('body.cost', body['cost']);
  if (!cost.ok) return cost;
  const { attributes } = body;
  if (attributes === undefined) return parsed({ cost: cost.value });
  if (!isRecord(attributes) || Object.keys(attributes).length > attributesMax) {
    return unparsed(`body.attributes: expected at most ${attributesMax}, got ${shown(attributes)}`);
  }
  const read: [string, Amount][] = [];
  for (const [name, value] of Object.entries(attributes)) {
    const amount = parseAmount(`body.attributes: ${shown(name)}`, value);
    if (!amount.ok) return amount;
    read.push([name, amount.value]);
  }
  return parsed({ cost: cost.value, attributes: Object.fromEntries(read) });
}

export function parsePerformance(body: unknown): Parsed<Performance> {
  if (!isRecord(body)) return unparsed(`body: expected { act, … }, got ${shown(body)}`);
  const extra = unknownField(body, ['act', 'result', 'reason', 'fencing']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const { act, result, reason, fencing } = body;
  if (!isOneOf(acts, act)) {
    return unparsed(`body.act: expected ${acts.join(', ')}, got ${shown(act)}`);
  }
  if (reason !== undefined && (typeof reason !== 'string' || reason.length > 1_024)) {
    return unparsed(`body.reason: expected a text of at most 1024, got ${shown(reason)}`);
  }
  if (fencing !== undefined && !isWhole(fencing, 1, Number.MAX_SAFE_INTEGER)) {
    return unparsed(`body.fencing: expected a whole number from 1, got ${shown(fencing)}`);
  }
  if ((result !== undefined) !== (act === 'inform_result')) {
    return unparsed(`body.result: there is one of inform_result only, got ${shown(result)}`);
  }
  if (result !== undefined && canonical(result).length > resultCharsMax) {
    return unparsed(`body.result: expected at most ${resultCharsMax} characters of JSON`);
  }
  return parsed({
    act,
    ...(result === undefined ? {} : { result }),
    ...(reason === undefined ? {} : { reason }),
    ...(fencing === undefined ? {} : { fencing }),
  });
}

function parseCfp({ body }: CoordinationRequest): Parsed<CfpQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { task, … }, got ${shown(body)}`);
  const { pricing, attributes, performMs } = body;
  const task = parseTask(body);
  if (!task.ok) return task;
  const call = parseCount('call', body);
  if (!call.ok) return call;
  if (!isOneOf(taskPricings, pricing)) {
    return unparsed(`body.pricing: expected ${taskPricings.join(' or ')}, got ${shown(pricing)}`);
  }
  if (!Array.isArray(attributes)) {
    return unparsed(`body.attributes: expected names, got ${shown(attributes)}`);
  }
  if (typeof performMs !== 'number') {
    return unparsed(`body.performMs: expected milliseconds, got ${shown(performMs)}`);
  }
  const maxCost = optionalAmount('body.maxCost', body['maxCost']);
  if (!maxCost.ok) return maxCost;
  return parsed({
    ...task.value,
    call: call.value,
    pricing,
    attributes: attributes.map(String),
    performMs,
    ...(maxCost.value === undefined ? {} : { maxCost: maxCost.value }),
  });
}

function parseAward({ body }: CoordinationRequest): Parsed<AwardQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { task, … }, got ${shown(body)}`);
  const task = parseTask(body);
  if (!task.ok) return task;
  const price = parseAmount('body.price', body['price']);
  if (!price.ok) return price;
  const fencing = parseCount('fencing', body);
  if (!fencing.ok) return fencing;
  const heartbeat = parseCount('heartbeat', body);
  if (!heartbeat.ok) return heartbeat;
  const heartbeatMs = parseCount('heartbeatMs', body);
  if (!heartbeatMs.ok) return heartbeatMs;
  return parsed({
    ...task.value,
    price: price.value,
    fencing: fencing.value,
    heartbeat: heartbeat.value,
    heartbeatMs: heartbeatMs.value,
  });
}

function parseTask(
  body: Readonly<Record<string, unknown>>,
): Parsed<{ readonly task: string; readonly detail?: string }> {
  const { task, detail } = body;
  if (typeof task !== 'string') return unparsed(`body.task: expected a text, got ${shown(task)}`);
  if (detail !== undefined && typeof detail !== 'string') {
    return unparsed(`body.detail: expected a text, got ${shown(detail)}`);
  }
  return parsed({ task, ...(detail === undefined ? {} : { detail }) });
}

function parseCount(field: string, body: Readonly<Record<string, unknown>>): Parsed<number> {
  const count = body[field];
  return isWhole(count, 0, Number.MAX_SAFE_INTEGER)
    ? parsed(count)
    : unparsed(`body.${field}: expected a whole number, got ${shown(count)}`);
}
