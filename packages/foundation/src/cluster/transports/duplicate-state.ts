/** What a dialler knows when the other side has welcomed it. */
export interface DialView {
  readonly self: string;
  readonly peer: string;
  /** Connections that the peer holds with us: links, and dials of ours that it has welcomed. */
  readonly theirs: readonly string[];
  /** Our link with the peer: when we introduced ourselves, and now. */
  readonly heldBefore: string | undefined;
  readonly held: string | undefined;
  /** Dials of the peer that we have welcomed and that it has not confirmed yet. */
  readonly greeted: readonly string[];
}

/**
 * Whether a dial goes on, or makes way for a connection that both sides have.
 *
 * Only the dialler decides, as it confirms last. A connection that both know wins over a new one, and so
 * does one that came up while the dial was under way. A link that we had before and the peer does not
 * know is dead: the new one replaces it. Of two dials that cross, the one made by the node with the lower
 * name wins: a side that has not seen the other's dial yet finds it among `theirs`, or up, later.
 */
export function dialGoesOn(view: DialView): boolean {
  const { held, heldBefore, theirs, greeted } = view;
  if (held !== undefined && (held !== heldBefore || theirs.includes(held))) return false;
  if (greeted.some((session) => theirs.includes(session))) return false;
  return greeted.length === 0 || view.self < view.peer;
}
