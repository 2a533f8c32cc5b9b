import { type Amount, parseAmount } from '../../amount.ts';
import { orDefaults, parseFields, parseMs, parseWhole } from '../../fields.ts';
import type { AgentId } from '../../message.ts';
import { type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import type { Wants } from './assignment-questions.ts';
import { parseGoods } from './utility.ts';

/** What is sold: things that cannot be divided, of which each buyer wants at most one. */
export interface AssignmentSpec {
  /** Names of the things: 1 to 200, each up to 256 characters. */
  readonly goods: readonly string[];
  /** Least price of each. @defaultValue 0 */
  readonly reserves?: readonly Amount[];
  /** Milliseconds that buyers have to answer in each round. @defaultValue 1_000 */
  readonly roundMs?: number;
  /** More rounds than that end it as `limit_reached`: 1 to 10,000. @defaultValue 1_000 */
  readonly maxRounds?: number;
}

/** A buyer, and what it has got. */
export interface AssignedBuyer {
  readonly agent: AgentId;
  /** Absent when nothing is as good to it as anything at these prices. */
  readonly good?: string;
  /** What it has said last, by which it would have nothing rather than this. */
  readonly said: Wants;
}

/** Who has what at which prices. */
export interface AssignmentResult {
  readonly goods: readonly string[];
  /** The lowest at which everybody can have what it likes best; the reserve of what is not sold. */
  readonly prices: readonly Amount[];
  /** In the order of the roster. */
  readonly buyers: readonly AssignedBuyer[];
}

/** A spec whose defaults are filled in. */
export type AssignmentTerms = Required<AssignmentSpec>;

/** Most things of a spec. */
export const assignedGoodsMax = 200;
/** Most rounds that a spec may allow. */
export const assignmentRoundsMax = 10_000;

const defaults = { roundMs: 1_000, maxRounds: 1_000 } as const;

export function parseAssignmentSpec(spec: unknown): Parsed<AssignmentTerms> {
  return parseFields(spec, '{ goods, … }', ({ reserves, ...given }) => {
    const { roundMs, maxRounds } = orDefaults(given, defaults);
    const goods = parseSoldGoods(given['goods']);
    return {
      goods,
      reserves: goods.ok ? parseReserves(reserves, goods.value.length) : parsed([]),
      roundMs: parseMs('roundMs', roundMs),
      maxRounds: parseWhole('maxRounds', maxRounds, { max: assignmentRoundsMax }),
    };
  });
}

function parseSoldGoods(value: unknown): Parsed<readonly string[]> {
  const goods = parseGoods('goods', value);
  return goods.ok && goods.value.length > assignedGoodsMax
    ? unparsed(`goods: expected at most ${assignedGoodsMax}, got ${goods.value.length}`)
    : goods;
}

function parseReserves(value: unknown, goods: number): Parsed<readonly Amount[]> {
  if (value === undefined) return parsed(Array.from<Amount>({ length: goods }).fill(0n));
  if (!Array.isArray(value) || value.length !== goods) {
    return unparsed(`reserves: expected an amount for each of ${goods} goods, got ${shown(value)}`);
  }
  const reserves: Amount[] = [];
  for (const [index, each] of value.entries()) {
    const amount = parseAmount(`reserves[${index}]`, each);
    if (!amount.ok) return amount;
    reserves.push(amount.value);
  }
  return parsed(reserves);
}
