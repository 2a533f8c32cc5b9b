import { digest } from '../digest.ts';
import type { AgentId } from '../message.ts';
import type { PureEnv, Tie } from '../protocol.ts';

/** See {@link RationRule}. */
export const rationRules = ['priority', 'pro_rata'] as const;

/** Units somebody would have on equal terms with others. */
export interface Claim {
  readonly agent: AgentId;
  readonly units: number;
}

/**
 * `priority`: claimants are served one after the other, in the order that the tie rule gives. `pro_rata`: each gets
 * its share rounded down, and what is left goes unit by unit to the largest remainders (Hamilton 1792).
 */
export type RationRule = (typeof rationRules)[number];

/** Who gets how many units. */
export interface Ration {
  /** Absent when it takes a tie-break and the rule is to report it. */
  readonly shares?: ReadonlyMap<AgentId, number>;
  readonly tie?: Tie;
}

/**
 * Divides `units` among claims that are worth the same. Several claims of one agent count as one, so that nobody gains
 * by splitting them.
 *
 * @param how - `label`: what is drawn for, so that two draws of one session are independent.
 */
export function ration(
  claims: readonly Claim[],
  how: { readonly units: number; readonly rule: RationRule; readonly label: string },
  env: PureEnv,
): Ration {
  const claimed = new Map<AgentId, number>();
  for (const { agent, units } of claims) claimed.set(agent, (claimed.get(agent) ?? 0) + units);
  const total = sumOf(claimed.values());
  if (how.units >= total) return { shares: claimed };
  if (how.units === 0) return { shares: new Map() };
  return how.rule === 'priority' ? byPriority(claimed, how, env) : proRata(claimed, how, env);
}

interface Draw {
  readonly units: number;
  readonly label: string;
}

// oxlint-disable-next-line max-params -- whom, what, by which rule
function byPriority(
  claimed: ReadonlyMap<AgentId, number>,
  { units, label }: Draw,
  env: PureEnv,
): Ration {
  const { order, ...tie } = inOrder([...claimed.keys()], label, env);
  if (order === undefined) return tie;
  let left = units;
  const shares = new Map<AgentId, number>();
  for (const agent of order) {
    const share = Math.min(left, claimed.get(agent) ?? 0);
    shares.set(agent, share);
    left -= share;
  }
  return { shares, ...tie };
}

function proRata(
  claimed: ReadonlyMap<AgentId, number>,
  { units, label }: Draw,
  env: PureEnv,
): Ration {
  const total = BigInt(sumOf(claimed.values()));
  const shares = new Map<AgentId, number>();
  const byRemainder = new Map<bigint, AgentId[]>();
  let left = units;
  for (const [agent, claim] of claimed) {
    const exact = BigInt(claim) * BigInt(units);
    const whole = Number(exact / total);
    shares.set(agent, whole);
    left -= whole;
    const equals = byRemainder.get(exact % total);
    if (equals === undefined) byRemainder.set(exact % total, [agent]);
    else equals.push(agent);
  }
  const oneMore = (agent: AgentId): unknown => shares.set(agent, (shares.get(agent) ?? 0) + 1);
  for (const remainder of new BigUint64Array(byRemainder.keys()).toSorted().toReversed()) {
    const equals = byRemainder.get(remainder) ?? [];
    if (equals.length <= left) {
      equals.forEach(oneMore);
      left -= equals.length;
      continue;
    }
    if (left === 0) break;
    const { order, ...tie } = inOrder(equals, label, env);
    if (order === undefined) return tie;
    order.slice(0, left).forEach(oneMore);
    return { shares, ...tie };
  }
  return { shares };
}

/** Equals in the order of the session's tie rule; there is none if the rule is to report the tie. */
export function inOrder(
  equals: readonly AgentId[],
  label: string,
  env: PureEnv,
): { readonly order?: readonly AgentId[]; readonly tie?: Tie } {
  const among = equals.toSorted((left, right) => (left < right ? -1 : 1));
  if (among.length < 2) return { order: among };
  const tie: Tie = { among, rule: env.tie };
  switch (env.tie) {
    case 'report':
      return { tie };
    case 'lexicographic':
      return { tie, order: among };
    case 'seeded': {
      const drawn = among.map((agent) => ({ agent, draw: digest(env.seed, label, agent) }));
      drawn.sort((left, right) => (left.draw < right.draw ? -1 : 1));
      return { tie, order: drawn.map(({ agent }) => agent) };
    }
  }
}

/** The sum of whole numbers. */
export function sumOf(units: Iterable<number>): number {
  let sum = 0;
  for (const each of units) sum += each;
  return sum;
}
