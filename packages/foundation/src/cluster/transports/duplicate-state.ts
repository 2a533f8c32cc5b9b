/** What a dialler knows when the other side has welcomed it. */
export interface DialView {
  readonly self: string;
  readonly peer: string;
  /** Connections that the peer holds with us: links, and dials of ours that it has welcomed. */
  readonly theirs: readonly string[];
  /** Our link with the peer. */
  readonly held: string | undefined;
  /** Dials of the peer that we have welcomed and that it has not confirmed yet. */
  readonly greeted: readonly string[];
}

/**
 * Whether a dial goes on, or makes way for a connection that both sides have.
 *
 * Only the dialler decides, as it confirms last. A connection that both know wins over a new one; one
 * that only one side knows is dead, and the new one replaces it. Of two dials that cross, the one made
 * by the node with the lower name wins: each side sees the other's dial before its own is welcomed, or
 * else finds it among `theirs`, so both come to the same answer.
 */
export function dialGoesOn(view: DialView): boolean {
  const known = view.held === undefined ? view.greeted : [view.held, ...view.greeted];
  if (known.some((session) => view.theirs.includes(session))) return false;
  return view.greeted.length === 0 || view.self < view.peer;
}
