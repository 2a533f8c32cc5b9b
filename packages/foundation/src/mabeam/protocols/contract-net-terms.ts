import { type Amount } from '../amount.ts';
import {
  type FieldsOf,
  oneOf,
  parseFields,
  parseOptional,
  parseText,
  parseWhole,
} from '../fields.ts';
import { isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import { optionalAmount } from './auction-terms.ts';

/** Most awards of one contract net. */
export const awardsMax = 1_000;
/** Most awards that take the place of failed ones. */
export const retriesMax = 100;
/** Most times that terms are revised. */
export const revisionsMax = 20;
/** Most heartbeats of one award. */
export const heartbeatsMax = 1_000;
/** Most attributes that a score is made of. */
export const attributesMax = 20;
/** Longest description of a task, in characters. */
const detailMax = 8_192;
/** Largest weight, either way. */
const weightMax = 10n ** 9n;

/** `first`: a contractor is paid its own cost. `vickrey`: as much as it could have asked for and still won. */
export const taskPricings = ['first', 'vickrey'] as const;
export type TaskPricing = (typeof taskPricings)[number];

/**
 * What becomes of an award that failed. `next_best`: it goes to the best proposal that is left. `re_cfp`: proposals are
 * called for again, from all but those who failed. `fail`: nothing.
 */
export const failurePolicies = ['next_best', 're_cfp', 'fail'] as const;
export type FailurePolicy = (typeof failurePolicies)[number];

/** What contractors are told of a task, and what may change from call to call. */
export interface TaskTerms {
  /** What is to be done, up to 8,192 characters. @defaultValue nothing but the name */
  readonly detail?: string;
  /** Most that is paid. Contractors are told. @defaultValue any cost will do */
  readonly maxCost?: Amount;
}

/** A task to be let. */
export interface ContractNetSpec extends TaskTerms {
  /** Name of the task, up to 256 characters. */
  readonly task: string;
  /** How many contractors are to do it, 1 to {@link awardsMax}, each for itself. @defaultValue 1 */
  readonly awards?: number;
  /**
   * Whole weights of a proposal's attributes, of which `cost` is one: the least weighted sum is the best. What there
   * should be much of has a negative weight. A proposal that lacks an attribute does not count.
   *
   * @defaultValue `{ cost: 1n }`: the least cost is the best
   */
  readonly weights?: Readonly<Record<string, bigint>>;
  /** @defaultValue `first` */
  readonly pricing?: TaskPricing;
  /**
   * Terms of further calls, up to {@link revisionsMax}, each on top of the one before: for as long as there are fewer
   * acceptable proposals than awards.
   *
   * @defaultValue none
   */
  readonly revisions?: readonly TaskTerms[];
  /** Milliseconds to make a proposal. @defaultValue 1000 */
  readonly proposeMs?: number;
  /** Milliseconds to do the task, in whole heartbeats, up to {@link heartbeatsMax} of them. @defaultValue 60000 */
  readonly performMs?: number;
  /**
   * Milliseconds a contractor may be out of touch: who works is asked each so often, and has as long to answer.
   *
   * @defaultValue 1000, or `performMs` if that is less
   */
  readonly heartbeatMs?: number;
  /** @defaultValue `next_best` */
  readonly onFailure?: FailurePolicy;
  /** Most awards (`re_cfp`: calls) on top of the first, 0 to {@link retriesMax}. @defaultValue 3 */
  readonly retries?: number;
  /** First fencing token. Who goes on where another session has ended, takes one above its last. @defaultValue 1 */
  readonly fencingFrom?: number;
}

/** A spec with everything in place. */
export type ContractNetTerms = ContractNetSpec &
  Required<Omit<ContractNetSpec, keyof TaskTerms>> & {
    /** Asked for at most so often whether it is done. */
    readonly heartbeats: number;
  };

export function termsOf(spec: ContractNetSpec): ContractNetTerms {
  const { performMs = 60_000 } = spec;
  const heartbeatMs = spec.heartbeatMs ?? Math.min(1_000, performMs);
  return {
    awards: 1,
    weights: { cost: 1n },
    pricing: 'first',
    revisions: [],
    proposeMs: 1_000,
    onFailure: 'next_best',
    retries: 3,
    fencingFrom: 1,
    ...spec,
    performMs,
    heartbeatMs,
    heartbeats: Math.floor(performMs / heartbeatMs),
  };
}

/** What holds after so many revisions. */
export function revised(terms: ContractNetTerms, revisions: number): TaskTerms {
  const stages: readonly TaskTerms[] = [terms, ...terms.revisions.slice(0, revisions)];
  const detail = stages.findLast((stage) => stage.detail !== undefined)?.detail;
  const maxCost = stages.findLast((stage) => stage.maxCost !== undefined)?.maxCost;
  return {
    ...(detail === undefined ? {} : { detail }),
    ...(maxCost === undefined ? {} : { maxCost }),
  };
}

const wholes = {
  awards: [1, awardsMax],
  proposeMs: [1, 2 ** 31 - 1],
  performMs: [1, 2 ** 31 - 1],
  heartbeatMs: [1, 2 ** 31 - 1],
  retries: [0, retriesMax],
  fencingFrom: [1, 2 ** 53 - 1 - awardsMax - retriesMax],
} as const;
export function parseContractNetSpec(value: unknown): Parsed<ContractNetSpec> {
  const read = parseFields(value, '{ task, … }', ({ pricing, onFailure, ...given }) => ({
    task: parseText('task', given['task']),
    ...termsFields('', given),
    ...wholeFields(given),
    pricing: parseOptional('pricing', pricing, oneOf(taskPricings)),
    onFailure: parseOptional('onFailure', onFailure, oneOf(failurePolicies)),
    weights: parseWeights(given['weights']),
    revisions: parseRevisions(given['revisions']),
  }));
  return read.ok ? checked(read.value) : read;
}

function wholeFields(
  given: Readonly<Record<string, unknown>>,
): Readonly<Record<keyof typeof wholes, Parsed<number | undefined>>> {
  const read = (field: keyof typeof wholes): Parsed<number | undefined> => {
    const [min, max] = wholes[field];
    return parseOptional(field, given[field], (name, value) =>
      parseWhole(name, value, { min, max }),
    );
  };
  return {
    awards: read('awards'),
    proposeMs: read('proposeMs'),
    performMs: read('performMs'),
    heartbeatMs: read('heartbeatMs'),
    retries: read('retries'),
    fencingFrom: read('fencingFrom'),
  };
}

/** What fits only together. */
function checked(spec: ContractNetSpec): Parsed<ContractNetSpec> {
  const { heartbeats, heartbeatMs, pricing, weights } = termsOf(spec);
  if (heartbeats < 1 || heartbeats > heartbeatsMax) {
    return unparsed(
      `heartbeatMs: expected 1 to ${heartbeatsMax} heartbeats within performMs, got ${shown(heartbeatMs)}`,
    );
  }
  return pricing === 'vickrey' && (weights['cost'] ?? 0n) < 1n
    ? unparsed(`weights.cost: vickrey needs one from 1, got ${shown(weights['cost'])}`)
    : parsed(spec);
}

function termsFields(
  where: string,
  { detail, maxCost }: Readonly<Record<string, unknown>>,
): FieldsOf<TaskTerms> {
  const isText = detail === undefined || (typeof detail === 'string' && detail.length <= detailMax);
  return {
    detail: isText
      ? parsed(detail)
      : unparsed(`${where}detail: expected a text of at most ${detailMax}, got ${shown(detail)}`),
    maxCost: optionalAmount(`${where}maxCost`, maxCost),
  };
}

function parseRevisions(value: unknown): Parsed<readonly TaskTerms[] | undefined> {
  if (value === undefined) return parsed(undefined);
  if (!Array.isArray(value) || value.length > revisionsMax) {
    return unparsed(`revisions: expected at most ${revisionsMax} terms, got ${shown(value)}`);
  }
  const revisions: TaskTerms[] = [];
  for (const [index, each] of value.entries()) {
    const where = `revisions[${index}]`;
    if (!isRecord(each)) return unparsed(`${where}: expected terms, got ${shown(each)}`);
    const extra = unknownField(each, ['detail', 'maxCost']);
    if (extra !== undefined) return unparsed(`${where}: unknown field ${shown(extra)}`);
    const terms = parseFields(each, 'terms', () => termsFields(`${where}.`, each));
    if (!terms.ok) return terms;
    revisions.push(terms.value);
  }
  return parsed(revisions);
}

function parseWeights(value: unknown): Parsed<Readonly<Record<string, bigint>> | undefined> {
  if (value === undefined) return parsed(undefined);
  const names = isRecord(value) ? Object.keys(value) : [];
  if (!isRecord(value) || names.length === 0 || names.length > attributesMax) {
    return unparsed(`weights: expected 1 to ${attributesMax} weights, got ${shown(value)}`);
  }
  const weights: [string, bigint][] = [];
  for (const [name, each] of Object.entries(value)) {
    const weight = wholeNumber(each);
    if (name.length > 64 || weight === undefined || weight > weightMax || -weight > weightMax) {
      return unparsed(
        `weights: expected a whole number of at most ${weightMax} for ${shown(name)}, got ${shown(each)}`,
      );
    }
    weights.push([name, weight]);
  }
  return parsed(Object.fromEntries(weights));
}

/** A bigint, or a decimal string with a sign. */
function wholeNumber(value: unknown): bigint | undefined {
  if (typeof value === 'bigint') return value;
  return typeof value === 'string' && /^(?:0|-?[1-9]\d{0,9})$/.test(value)
    ? BigInt(value)
    : undefined;
}
