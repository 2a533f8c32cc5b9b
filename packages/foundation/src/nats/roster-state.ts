import type { Advertisement } from '../cluster/discovery.ts';

/** What a node has said of itself last. */
export interface Sighting extends Advertisement {
  /** Counts what one life of a node says: what comes out of order is old. */
  readonly number: number;
  /** By the clock of whoever has heard it, in milliseconds. */
  readonly heardAt: number;
}

/** Who is there, by name. */
export type Roster = ReadonlyMap<string, Sighting>;

/** What a node says of itself. */
export interface Word extends Advertisement {
  readonly number: number;
  /** `bye`: it goes. */
  readonly kind: 'here' | 'bye';
}

/** What is known after a word was heard; the same as before when it is an old one, or there is no room. */
export function heard(
  roster: Roster,
  word: Word,
  { now, nodesMax }: { readonly now: number; readonly nodesMax: number },
): Roster {
  const known = roster.get(word.node);
  if (known !== undefined && !isNewer(word, known)) return roster;
  if (known === undefined && (roster.size >= nodesMax || word.kind === 'bye')) return roster;
  if (word.kind === 'bye') return without(roster, [word.node]);
  const { node, incarnation, address, number } = word;
  return new Map(roster).set(node, { node, incarnation, address, number, heardAt: now });
}

function isNewer(word: Word, known: Sighting): boolean {
  if (word.incarnation !== known.incarnation) return word.incarnation > known.incarnation;
  return word.number > known.number;
}

/** Who has not been heard since a moment is not there any more. */
export function unexpired(roster: Roster, since: number): Roster {
  const silent = [...roster.values()].filter(({ heardAt }) => heardAt < since);
  return silent.length === 0
    ? roster
    : without(
        roster,
        silent.map(({ node }) => node),
      );
}

/** After an outage of its own a node begins anew to wait for the others. */
export function reprieved(roster: Roster, now: number): Roster {
  return new Map([...roster].map(([node, sighting]) => [node, { ...sighting, heardAt: now }]));
}

/** All of them, in the order of their names. */
export function advertised(roster: Roster): readonly Advertisement[] {
  return [...roster.values()]
    .map(({ node, incarnation, address }) => ({ node, incarnation, address }))
    .toSorted((a, b) => (a.node < b.node ? -1 : 1));
}

function without(roster: Roster, nodes: readonly string[]): Roster {
  return new Map([...roster].filter(([node]) => !nodes.includes(node)));
}
