import { seededRandom, startNode, type Node, type Random, type Ref } from '@foundation/core';

import { Books } from './books.ts';
import { Herd } from './herd.ts';
import {
  anchor,
  keptGroup,
  plain,
  pool,
  threaded,
  type Subject,
  type SubjectDefinition,
} from './subject.ts';
import { Witness } from './witness.ts';

/** Subjects that a deed may be done to, at most; supervisors have some more. */
const herdMax = 200;

/** A subject that lives as long as the soak and never fails, with what it was sent. */
export interface Anchor {
  readonly name: string;
  readonly ref: Subject;
  readonly sent: Added & { notes: number; puts: number };
}

/** What a sum must be made of. */
export interface Added {
  added: number;
  /** By calls whose callers do not know whether they were carried out. */
  maybeAdded: number;
}

/** One node, what lives on it, and what is written down about it. */
export interface World {
  readonly node: Node;
  readonly books: Books;
  readonly witness: Witness;
  readonly herd: Herd<Subject>;
  /** The last one lives in the thread. */
  readonly anchors: readonly [Anchor, Anchor, Anchor];
  readonly pool: Ref<typeof pool>;
  /** What was added to durable processes, by their names. */
  readonly ledgers: ReadonlyMap<string, Added>;
  /** Followed by many calls, and never aborted. */
  readonly patience: AbortSignal;
}

const ledgerNames = ['ledger-1', 'ledger-2', 'ledger-3'];

/** Something that is done to the world. It ends before the next one of the same player. */
export type Deed = (world: World, dice: Random) => Promise<void>;

export async function startWorld(seed: string): Promise<World> {
  const random = seededRandom(`${seed} node`);
  const node = await startNode({ cluster: 'off', profile: 'production', name: 'soak', random });
  const books = new Books();
  const witness = new Witness(node, books);
  const anchors: World['anchors'] = [
    await startAnchor(node, anchor, 'anchor-1'),
    await startAnchor(node, anchor, 'anchor-2'),
    await startAnchor(node, threaded, 'anchor-in-thread'),
  ];
  return {
    node,
    books,
    witness,
    herd: new Herd(herdMax),
    anchors,
    pool: await node.processes.start(pool, { name: 'pool' }),
    ledgers: new Map(ledgerNames.map((name) => [name, { added: 0, maybeAdded: 0 }])),
    patience: new AbortController().signal,
  };
}

async function startAnchor(
  node: Node,
  definition: SubjectDefinition,
  name: string,
): Promise<Anchor> {
  const sent = { added: 0, maybeAdded: 0, notes: 0, puts: 0 };
  return { name, ref: await node.processes.start(definition, { name }), sent };
}

/** Adds to a sum, and notes what certainly or perhaps became of it. */
export async function addTo(
  { books }: World,
  sent: Added,
  add: (by: number) => Promise<unknown>,
): Promise<void> {
  const by = books.nextNumber() % 10;
  const added = await books.call('add', () => add(by));
  if (added.isAnswered) sent.added += by;
  else if (!added.isHarmless) sent.maybeAdded += by;
}

/** Whether a sum is made of what was sent. */
export function checkSum({ books }: World, name: string, { sum, sent }: Sum): void {
  const most = sent.added + sent.maybeAdded;
  if (sum >= sent.added && sum <= most) return;
  books.problem(`${name}: the sum is ${sum}, not ${sent.added} to ${most}`);
}

interface Sum {
  readonly sum: number;
  readonly sent: Added;
}

/** Anyone who may be harmed: of the herd, or a child of a supervisor. */
export function someone({ node, herd }: World, dice: Random): Subject | undefined {
  if (!chance(0.1, dice)) return herd.any(dice);
  const children = node.group(plain, keptGroup).members();
  return children.length === 0 ? undefined : oneOf(children, dice);
}

/** One of several, none of which is undefined. */
export function oneOf<T>(choices: readonly T[], dice: Random): T {
  // An index below the length is there.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return choices[dice.int(choices.length)] as T;
}

/** True as often as the share says. */
export function chance(share: number, dice: Random): boolean {
  return dice.next() < share;
}
