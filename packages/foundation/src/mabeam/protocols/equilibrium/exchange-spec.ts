import type { AgentId } from '../../message.ts';
import {
  isOneOf,
  isRecord,
  type Parsed,
  parsed,
  shown,
  unknownField,
  unparsed,
} from '../../parse.ts';
import { definedIn, parseWhole } from '../open-auction.ts';
import { messageRoundsMax, parseTolerance } from './fisher-spec.ts';
import { parseGoods, parseNumbers, totalsOf, type Utility } from './utility.ts';

const modes = ['utility', 'demand'] as const;
const methods = ['tatonnement', 'lazy_proportional_response'] as const;
const rules = ['multiplicative', 'additive'] as const;

/** What is traded, who brings what, and how prices are searched for. */
export interface ExchangeSpec {
  /** Names of divisible goods: 1 to 1,000, each up to 256 characters. */
  readonly goods: readonly string[];
  /** What each member of the roster brings of each good, 0 to 1e9; of each good somebody brings something. */
  readonly endowments: Readonly<Record<AgentId, readonly number[]>>;
  /**
   * `utility`: traders say once what goods are worth to them. `demand`: they say in each round what they would have at
   * the prices that are called.
   *
   * @defaultValue `utility`
   */
  readonly mode?: (typeof modes)[number];
  /**
   * How prices are found. `tatonnement`: they are called, and what is missing gets dearer. `lazy_proportional_response`,
   * only in the mode `utility`, for linear utilities: traders bid for each good in proportion to what it gave them.
   *
   * @defaultValue `tatonnement`
   */
  readonly method?: (typeof methods)[number];
  /**
   * Of a tâtonnement, as `step` and `start`: how a price moves with the part r of a good that is missing: `multiplicative` to p·exp(step·r), `additive` to
   * p + step·r. Prices always add up to 1.
   *
   * @defaultValue `multiplicative`
   */
  readonly rule?: (typeof rules)[number];
  /** How far a price moves, 1e-6 to 1. @defaultValue 0.2 */
  readonly step?: number;
  /** Prices that are called first, above 0; only their proportions matter. @defaultValue equal ones */
  readonly start?: readonly number[];
  /** The part of a good that may be missing, 1e-9 to 0.1. @defaultValue 1e-6 */
  readonly tolerance?: number;
  /** Prices that are called: in messages up to 1,000, in computing up to 100,000. @defaultValue 1_000 */
  readonly maxRounds?: number;
  /** Milliseconds that traders have to answer in each round. @defaultValue 1_000 */
  readonly roundMs?: number;
}

/** A trader, and what it ends up with. */
export interface ExchangeTrader {
  readonly agent: AgentId;
  readonly endowment: readonly number[];
  /** What it would have at these prices; it costs what the endowment is worth. */
  readonly demand: readonly number[];
  /** What it has: its demand, but for its part of what is missing. */
  readonly bundle: readonly number[];
  /** As it has answered; only in the mode `utility`. */
  readonly utility?: Utility;
}

/** An equilibrium of an exchange, within the tolerance of its spec. There may be others. */
export interface ExchangeResult {
  readonly goods: readonly string[];
  /** They add up to 1. */
  readonly prices: readonly number[];
  /** Who has traded, in the order of the roster. Who is not among them keeps its endowment. */
  readonly traders: readonly ExchangeTrader[];
  /** Prices that were called. */
  readonly rounds: number;
}

/** A spec whose defaults are filled in. */
export type ExchangeTerms = Required<ExchangeSpec>;

const computedRoundsMax = 100_000;
const defaults = {
  mode: 'utility',
  method: 'tatonnement',
  rule: 'multiplicative',
  step: 0.2,
  tolerance: 1e-6,
  maxRounds: 1_000,
  roundMs: 1_000,
} as const;

export function parseExchangeSpec(spec: unknown): Parsed<ExchangeTerms> {
  if (!isRecord(spec)) return unparsed(`expected { goods, endowments, … }, got ${shown(spec)}`);
  const extra = unknownField(spec, ['goods', 'endowments', 'start', ...Object.keys(defaults)]);
  if (extra !== undefined) return unparsed(`unknown field ${shown(extra)}`);
  const given: Readonly<Record<string, unknown>> = { ...defaults, ...definedIn(spec) };
  const goods = parseGoods('goods', spec['goods']);
  if (!goods.ok) return goods;
  const endowments = parseEndowments(spec['endowments'], goods.value);
  if (!endowments.ok) return endowments;
  const { mode, method, rule } = given;
  if (!isOneOf(modes, mode))
    return unparsed(`mode: expected utility or demand, got ${shown(mode)}`);
  if (!isOneOf(rules, rule)) {
    return unparsed(`rule: expected multiplicative or additive, got ${shown(rule)}`);
  }
  if (!isOneOf(methods, method) || (method !== 'tatonnement' && mode === 'demand')) {
    const choices = mode === 'demand' ? 'tatonnement in the mode demand' : methods.join(' or ');
    return unparsed(`method: expected ${choices}, got ${shown(method)}`);
  }
  const numbers = parseSearch(given, goods.value.length);
  if (!numbers.ok) return numbers;
  const roundsMax = mode === 'demand' ? messageRoundsMax : computedRoundsMax;
  const maxRounds = parseWhole('maxRounds', given['maxRounds'], roundsMax);
  if (!maxRounds.ok) return maxRounds;
  const roundMs = parseWhole('roundMs', given['roundMs'], 2 ** 31 - 1);
  if (!roundMs.ok) return roundMs;
  return parsed({
    goods: goods.value,
    endowments: endowments.value,
    mode,
    method,
    rule,
    ...numbers.value,
    maxRounds: maxRounds.value,
    roundMs: roundMs.value,
  });
}

function parseSearch(
  { step, start, tolerance: wanted }: Readonly<Record<string, unknown>>,
  goods: number,
): Parsed<Pick<ExchangeTerms, 'step' | 'start' | 'tolerance'>> {
  if (typeof step !== 'number' || !(step >= 1e-6 && step <= 1)) {
    return unparsed(`step: expected a number from 1e-6 to 1, got ${shown(step)}`);
  }
  const tolerance = parseTolerance(wanted);
  if (!tolerance.ok) return tolerance;
  const prices = parseNumbers('start', start ?? Array.from<number>({ length: goods }).fill(1));
  if (!prices.ok) return prices;
  const low = prices.value.find((price) => !(price >= 1e-6 && price <= 1e6));
  if (prices.value.length !== goods || low !== undefined) {
    return unparsed(
      `start: expected a price from 1e-6 to 1e6 for each good, got ${shown(low ?? start)}`,
    );
  }
  return parsed({ step, tolerance: tolerance.value, start: prices.value });
}

function parseEndowments(
  value: unknown,
  goods: readonly string[],
): Parsed<ExchangeSpec['endowments']> {
  if (!isRecord(value)) return unparsed(`endowments: expected lists by id, got ${shown(value)}`);
  const endowments = new Map<AgentId, readonly number[]>();
  for (const [id, list] of Object.entries(value)) {
    const field = `endowments.${id.slice(0, 60)}`;
    const amounts = parseNumbers(field, list);
    if (!amounts.ok) return amounts;
    const isWrong = amounts.value.length !== goods.length || amounts.value.some((x) => x > 1e9);
    if (isWrong)
      return unparsed(`${field}: expected an amount up to 1e9 for each of ${goods.length} goods`);
    endowments.set(id, amounts.value);
  }
  const missing = totalsOf(endowments.values(), goods.length).findIndex((total) => total <= 0);
  return missing < 0
    ? parsed(Object.fromEntries(endowments))
    : unparsed(`endowments: nobody brings any ${shown(goods[missing])}`);
}

/**
 * What somebody brings.
 *
 * @throws Error for a member of the roster of whom the spec does not say.
 */
export function endowmentOf({ endowments }: ExchangeTerms, agent: AgentId): readonly number[] {
  const own = Object.hasOwn(endowments, agent) ? endowments[agent] : undefined;
  if (own !== undefined) return own;
  throw new Error(`endowments: there is none for ${agent}`);
}
