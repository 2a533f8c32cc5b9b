import type { AgentId } from '../../message.ts';
import { type Ratio, termsOf } from './ratio.ts';

/** What each vote weighs, in whole units of which `scale` make one of the spec's. */
export interface Weighing {
  readonly weights: ReadonlyMap<AgentId, number>;
  readonly scale: number;
  /** Of the whole roster, in whole units. */
  readonly total: number;
}

/**
 * Weighs the votes of a roster.
 *
 * To cut weights at a part of their sum makes the sum smaller, and the part is exceeded again. So all are cut at the
 * one level that is exactly this part of the sum after cutting: of 10, 1 and 1 with a cap of 1/2, 2, 1 and 1 is left.
 *
 * @returns nothing when no weights keep the cap, as two voters cannot have at most a third each.
 */
export function weigh(
  roster: readonly AgentId[],
  {
    weights = {},
    cap,
  }: { readonly weights?: Readonly<Record<AgentId, number>>; readonly cap?: Ratio },
): Weighing | undefined {
  const given = new Map(Object.entries(weights));
  const plain = roster.map((id) => given.get(id) ?? 1);
  if (cap === undefined) return weighing(roster, plain, 1);
  const level = levelOf(plain, cap);
  if (level === undefined) return undefined;
  const { units, scale } = level;
  const cut = plain.map((weight) => Math.min(weight * scale, units));
  return weighing(roster, cut, scale);
}

// oxlint-disable-next-line max-params -- who, how much, in which unit
function weighing(roster: readonly AgentId[], units: readonly number[], scale: number): Weighing {
  const weights = new Map(roster.map((id, seat) => [id, units[seat] ?? 0]));
  return { weights, scale, total: units.reduce((sum, each) => sum + each, 0) };
}

/**
 * The highest level at which a cut keeps the cap, as `units / scale`. What a level has to spare is concave in it and
 * starts at nothing: from the highest weight down, the first segment in which it is enough holds the level.
 */
function levelOf(
  weights: readonly number[],
  cap: Ratio,
): { readonly units: number; readonly scale: number } | undefined {
  const [part, whole] = termsOf(cap);
  const falling = weights.toSorted((left, right) => right - left);
  let rest = falling.reduce((sum, weight) => sum + weight, 0);
  if (rest === 0) return { units: 0, scale: 1 };
  for (const [above, weight] of falling.entries()) {
    // Cut at this weight, `above` voters have it and the others what they had.
    if (part * (above * weight + rest) >= whole * weight) {
      if (weight === 0) return undefined;
      return above === 0
        ? { units: weight, scale: 1 }
        : { units: part * rest, scale: whole - part * above };
    }
    rest -= weight;
  }
  return undefined;
}
