import type { AgentId } from '../message.ts';
import type { PureEnv, Tie } from '../protocol.ts';
import type { PreferenceList } from './preferences.ts';
import { inOrder } from './ration.ts';

/** Lists without equals, as they were used. */
export type StrictLists = Readonly<Record<AgentId, readonly AgentId[]>>;

/** The lists that were used, in the certificate. */
export interface UsedLists {
  readonly proposers: StrictLists;
  readonly receivers: StrictLists;
}

/** A list without those who are not `known`. */
export function only(list: PreferenceList, known: ReadonlySet<AgentId>): PreferenceList {
  return list.flatMap((each): PreferenceList => {
    if (typeof each === 'string') return known.has(each) ? [each] : [];
    const equals = each.filter((id) => known.has(id));
    return equals.length === 0 ? [] : [equals];
  });
}

/** Where each of those who stand anywhere among equals comes: one order for all lists. None when the rule is to report it. */
export function orderOfEquals(
  lists: Iterable<PreferenceList>,
  env: PureEnv,
): { readonly rank?: ReadonlyMap<AgentId, number>; readonly tie?: Tie } {
  const equals = new Set<AgentId>();
  for (const each of [...lists].flat()) {
    if (typeof each !== 'string' && each.length > 1) for (const id of each) equals.add(id);
  }
  const { order, ...tie } = inOrder([...equals], 'equals in a preference list', env);
  if (equals.size === 0) return { rank: new Map() };
  return order === undefined
    ? tie
    : { rank: new Map(order.map((id, place) => [id, place])), ...tie };
}

/** A list without equals. */
export function inLine(
  list: PreferenceList,
  rank: ReadonlyMap<AgentId, number>,
): readonly AgentId[] {
  return list.flatMap((each) =>
    typeof each === 'string'
      ? [each]
      : each.toSorted((left, right) => (rank.get(left) ?? 0) - (rank.get(right) ?? 0)),
  );
}
