/** Whose majority counts, as one node sees it. All names are those of members; observers have no vote. */
export interface QuorumState {
  readonly self: string;
  /** Named by the configuration; undefined: those of the last stable view. */
  readonly voters: ReadonlySet<string> | undefined;
  /** The last stable view, with whoever has joined since, and without whoever has said goodbye. */
  readonly base: ReadonlySet<string>;
  /** Who is up, this node itself among them. */
  readonly present: ReadonlySet<string>;
}

export type QuorumEvent =
  /** These are up now, beside this node. */
  | { readonly kind: 'view'; readonly names: readonly string[] }
  /** A member has said goodbye: it has no vote any more. */
  | { readonly kind: 'left'; readonly node: string }
  /** The view has not changed for a while. */
  | { readonly kind: 'stable' };

export function newQuorum(self: string, voters: readonly string[] | undefined): QuorumState {
  const alone = new Set([self]);
  return {
    self,
    voters: voters === undefined ? undefined : new Set(voters),
    base: alone,
    present: alone,
  };
}

/**
 * Who counts after an event. The base grows at once and shrinks, but for goodbyes, only where a majority
 * of it has been stable: so of the parts of a split, and of their parts, at most one has a quorum.
 *
 * Without configured voters that holds until parts of different splits mix before all have met again: to
 * exclude that, members would have to agree on each view. Source: dynamic voting (Jajodia and Mutchler 1990).
 */
export function nextQuorum(state: QuorumState, event: QuorumEvent): QuorumState {
  switch (event.kind) {
    case 'view': {
      const present = new Set([state.self, ...event.names]);
      return { ...state, present, base: new Set([...state.base, ...present]) };
    }
    case 'left': {
      const base = new Set([...state.base].filter((node) => node !== event.node));
      return { ...state, base };
    }
    case 'stable':
      return hasQuorum(state) ? { ...state, base: state.present } : state;
  }
}

/** Whether more than half of those who count are here. An even split has no majority. */
export function hasQuorum(state: QuorumState): boolean {
  return 2 * presentVoters(state).length > votersOf(state).size;
}

/** Who counts. */
export function votersOf({ voters, base }: QuorumState): ReadonlySet<string> {
  return voters ?? base;
}

/** Who counts and is not here. */
export function absentVoters(state: QuorumState): readonly string[] {
  return [...votersOf(state)].filter((node) => !state.present.has(node)).toSorted();
}

function presentVoters(state: QuorumState): readonly string[] {
  return [...votersOf(state)].filter((node) => state.present.has(node));
}
