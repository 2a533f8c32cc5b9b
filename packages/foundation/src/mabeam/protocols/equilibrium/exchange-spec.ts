import { orDefaults, parseChoice, parseFields, parseMs, parseWhole } from '../../fields.ts';
import type { AgentId } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
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
  return parseFields(
    spec,
    '{ goods, endowments, … }',
    ({ goods: names, endowments, start, ...given }) => {
      const { mode, method, rule, step, tolerance, maxRounds, roundMs } = orDefaults(
        given,
        defaults,
      );
      const goods = parseGoods('goods', names);
      return {
        goods,
        endowments: goods.ok ? parseEndowments(endowments, goods.value) : parsed({}),
        mode: parseChoice('mode', modes, mode),
        method:
          mode === 'demand'
            ? parseChoice('method', ['tatonnement'], method)
            : parseChoice('method', methods, method),
        rule: parseChoice('rule', rules, rule),
        step:
          typeof step === 'number' && step >= 1e-6 && step <= 1
            ? parsed(step)
            : unparsed(`step: expected a number from 1e-6 to 1, got ${shown(step)}`),
        start: goods.ok ? parseStart(goods.value.length, start) : parsed([]),
        tolerance: parseTolerance(tolerance),
        maxRounds: parseWhole('maxRounds', maxRounds, {
          max: mode === 'demand' ? messageRoundsMax : computedRoundsMax,
        }),
        roundMs: parseMs('roundMs', roundMs),
      };
    },
  );
}

function parseStart(
  goods: number,
  start: unknown = Array.from<number>({ length: goods }).fill(1),
): Parsed<readonly number[]> {
  const prices = parseNumbers('start', start);
  if (!prices.ok) return prices;
  const low = prices.value.find((price) => !(price >= 1e-6 && price <= 1e6));
  return prices.value.length === goods && low === undefined
    ? prices
    : unparsed(
        `start: expected a price from 1e-6 to 1e6 for each good, got ${shown(low ?? start)}`,
      );
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
