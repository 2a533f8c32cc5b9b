import { digest } from './digest.ts';
import type { AgentId } from './message.ts';
import type { PureEnv, Tie } from './protocol.ts';

/** Who comes first among equals. */
export interface TieBreak {
  /** Absent when the rule is to report the tie. */
  readonly first?: AgentId;
  /** Absent when there was only one. */
  readonly tie?: Tie;
}

/**
 * Picks one of `equals` by the session's rule, whatever order they are listed in.
 *
 * @param label - What is drawn for, so that two draws of one session are independent.
 * @remarks Anyone who has the seed can recompute a seeded draw. Who knows it beforehand can choose
 * an id that wins: keep the seed to yourself until the answers are in, or leave it to chance.
 */
export function breakTie(equals: readonly AgentId[], label: string, env: PureEnv): TieBreak {
  const among = equals.toSorted(byId);
  const [only] = among;
  if (only === undefined) return {};
  if (among.length === 1) return { first: only };
  const tie: Tie = { among, rule: env.tie };
  switch (env.tie) {
    case 'report':
      return { tie };
    case 'lexicographic':
      return { tie, first: only };
    case 'seeded':
      return { tie, first: smallestDraw(among, label, env.seed) ?? only };
  }
}

function smallestDraw(among: readonly AgentId[], label: string, seed: string): AgentId | undefined {
  let first: { readonly id: AgentId; readonly draw: string } | undefined;
  for (const id of among) {
    const draw = digest(seed, label, id);
    if (first === undefined || draw < first.draw) first = { id, draw };
  }
  return first?.id;
}

function byId(left: AgentId, right: AgentId): number {
  return left < right ? -1 : Number(left > right);
}
