import { orDefaults, parseChoice, parseFields, parseMs, parseWhole } from '../../fields.ts';
import type { AgentId } from '../../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import { parseGoods, type Utility } from './utility.ts';

const modes = ['utility', 'bids'] as const;

/** What is divided, and among whom with which budgets. */
export interface FisherSpec {
  /** Names of divisible goods, each there once: 1 to 1,000, each up to 256 characters. */
  readonly goods: readonly string[];
  /** What each member of the roster may spend, 1e-9 to 1e12. @defaultValue 1 each */
  readonly budgets?: Readonly<Record<AgentId, number>>;
  /**
   * `utility`: buyers say once what goods are worth to them, and the coordinator computes the equilibrium. `bids`:
   * they keep that to themselves, and say in each round what they would spend on each good.
   *
   * @defaultValue `utility`
   */
  readonly mode?: (typeof modes)[number];
  /** The gap, as a part of all budgets, within which prices are an equilibrium: 1e-9 to 0.1. @defaultValue 1e-3 */
  readonly tolerance?: number;
  /**
   * Rounds of bids after which there is no equilibrium: of messages up to 1,000, of computing up to 100,000.
   *
   * @defaultValue 1_000
   */
  readonly maxRounds?: number;
  /** Milliseconds that buyers have to answer in each round. @defaultValue 1_000 */
  readonly roundMs?: number;
}

/** A buyer and what it gets. */
export interface FisherBuyer {
  readonly agent: AgentId;
  /** What it spends, all of it. */
  readonly budget: number;
  /** What of it is spent on each good. */
  readonly bids: readonly number[];
  /** The part of each good that it gets. */
  readonly shares: readonly number[];
  /** By which part its utility falls short of the best that its budget could buy; as it says itself in the mode `bids`. */
  readonly regret: number;
  /** As it has answered; only in the mode `utility`. */
  readonly utility?: Utility;
}

/** An equilibrium of a Fisher market, within the tolerance of its spec. */
export interface FisherResult {
  readonly goods: readonly string[];
  /** Of each good as a whole; 0 for what nobody wants. */
  readonly prices: readonly number[];
  /** Who has bought, in the order of the roster. Who is not among them has its budget back. */
  readonly buyers: readonly FisherBuyer[];
  /** Rounds of bids that it took. */
  readonly rounds: number;
}

/** A spec whose defaults are filled in. */
export type FisherTerms = Required<Omit<FisherSpec, 'budgets'>> & Pick<FisherSpec, 'budgets'>;

/** Most rounds of messages. */
export const messageRoundsMax = 1_000;

const computedRoundsMax = 100_000;
const budgetMin = 1e-9;
const budgetMax = 1e12;

const defaults = { mode: 'utility', tolerance: 1e-3, maxRounds: 1_000, roundMs: 1_000 } as const;

export function parseFisherSpec(spec: unknown): Parsed<FisherTerms> {
  return parseFields(spec, '{ goods, … }', ({ goods, budgets, ...given }) => {
    const { mode, tolerance, maxRounds, roundMs } = orDefaults(given, defaults);
    return {
      goods: parseGoods('goods', goods),
      budgets: parseBudgets(budgets),
      mode: parseChoice('mode', modes, mode),
      tolerance: parseTolerance(tolerance),
      maxRounds: parseWhole('maxRounds', maxRounds, {
        max: mode === 'bids' ? messageRoundsMax : computedRoundsMax,
      }),
      roundMs: parseMs('roundMs', roundMs),
    };
  });
}

/** Reads how far from an equilibrium is near enough. */
export function parseTolerance(value: unknown): Parsed<number> {
  return typeof value === 'number' && value >= 1e-9 && value <= 0.1
    ? parsed(value)
    : unparsed(`tolerance: expected a number from 1e-9 to 0.1, got ${shown(value)}`);
}

function parseBudgets(value: unknown): Parsed<FisherSpec['budgets']> {
  if (value === undefined) return parsed(undefined);
  if (!isRecord(value)) return unparsed(`budgets: expected a budget by id, got ${shown(value)}`);
  const budgets: Record<AgentId, number> = {};
  for (const [id, budget] of Object.entries(value)) {
    if (typeof budget !== 'number' || !(budget >= budgetMin && budget <= budgetMax)) {
      return unparsed(
        `budgets.${id.slice(0, 60)}: expected ${budgetMin} to ${budgetMax}, got ${shown(budget)}`,
      );
    }
    budgets[id] = budget;
  }
  return parsed(budgets);
}

/**
 * What somebody may spend.
 *
 * @throws Error for a member of the roster that the spec has no budget for.
 */
export function budgetOf({ budgets }: Pick<FisherSpec, 'budgets'>, agent: AgentId): number {
  if (budgets === undefined) return 1;
  const budget = Object.hasOwn(budgets, agent) ? budgets[agent] : undefined;
  if (budget !== undefined) return budget;
  throw new Error(`budgets: there is none for ${agent}`);
}
