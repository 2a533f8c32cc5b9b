// Deeds about links, monitors and groups, and deeds that look into processes.
import { uncertain } from './books.ts';
import { groupNames, plain } from './subject.ts';
import { chance, oneOf, someone, type Deed } from './world.ts';

/** Codes of questions about a process that may end, or be kept busy. */
const unknowable = [...uncertain, 'UNRESPONSIVE'] as const;

const link: Deed = async (world, dice) => {
  const [from, to] = [someone(world, dice), someone(world, dice)];
  if (from === undefined || to === undefined) return;
  const linked = chance(0.3, dice) ? oneOf(world.anchors.slice(0, 2), dice).ref : from;
  await world.books.call('link', () => linked.link(to));
  if (chance(0.5, dice)) await world.books.call('unlink', () => linked.unlink(to));
};

const monitor: Deed = async (world, dice) => {
  const [from, to] = [someone(world, dice), someone(world, dice)];
  if (from === undefined || to === undefined) return;
  const watching = chance(0.5, dice) ? oneOf(world.anchors, dice).ref : from;
  await world.books.call('monitor', () => watching.monitor(to));
  if (chance(0.3, dice)) await world.books.call('demonitor', () => watching.demonitor());
};

const join: Deed = async (world, dice) => {
  const group = oneOf(groupNames, dice);
  const ref = chance(0.2, dice) ? oneOf(world.anchors, dice).ref : someone(world, dice);
  if (ref === undefined) return;
  await world.books.call('join', () => ref.join(group));
  if (chance(0.5, dice)) await world.books.call('leave', () => ref.leave(group));
};

/** No more can take a cast than there are. */
const tellGroup: Deed = async ({ node, books }, dice) => {
  const group = node.group(plain, oneOf(groupNames, dice));
  const [members, taken] = [group.members().length, group.cast.note(1)];
  if (taken > members) books.problem(`${taken} of ${members} members took a cast`);
};

const suspend: Deed = async (world, dice) => {
  const ref = someone(world, dice);
  if (ref === undefined) return;
  const inspector = world.node.processes.inspect(ref);
  await world.books.call('suspend', () => inspector.suspend(), unknowable);
  await world.books.call('echo', () => ref.with({ timeoutMs: 20 }).echo(1));
  await world.books.call('resume', () => inspector.resume(), unknowable);
};

/** Who is suspended can be stopped; some are left to the calm. */
const suspendForGood: Deed = async ({ books, herd, node }, dice) => {
  const ref = herd.take(dice);
  if (ref === undefined) return;
  const inspector = node.processes.inspect(ref);
  await books.call('suspend', () => inspector.suspend(), unknowable);
  const asked = books.call('echo', () => ref.with({ timeoutMs: 20 }).echo(1));
  if (chance(0.5, dice)) {
    await books.call('stop suspended', () => node.processes.stop(ref), ['NO_PROCESS']);
  }
  await asked;
};

/** The anchors most of all: they live long enough to show what a question leaves behind. */
const inspect: Deed = async (world, dice) => {
  const { books, node } = world;
  const ref = chance(0.6, dice) ? oneOf(world.anchors, dice).ref : someone(world, dice);
  if (ref === undefined) return;
  const inspector = node.processes.inspect(ref);
  const stateBytes = chance(0.2, dice);
  await books.call('statistics', () => inspector.statistics({ stateBytes }), unknowable);
  await books.call('state', () => inspector.state(), unknowable);
};

const trace: Deed = async (world, dice) => {
  const { books, node } = world;
  const anchor = chance(0.5, dice) ? oneOf(world.anchors, dice).ref : undefined;
  const ref = anchor ?? someone(world, dice);
  if (ref === undefined) return;
  const traced = await books.call('trace', () => node.processes.inspect(ref).trace(), unknowable);
  if (!traced.isAnswered) return;
  await using messages = traced.value;
  // It ends with the process, so this does not wait for ever.
  const next = messages.next();
  const asked = await books.call('echo', () => ref.echo(1));
  if (asked.isAnswered && (await next).done === true && anchor !== undefined) {
    books.problem('a trace has missed a message');
  }
};

const list: Deed = async ({ node, books }) => {
  const listed = await books.call('list', () => node.processes.list(), []);
  await books.call('tree', () => node.processes.tree(), []);
  if (listed.isAnswered && listed.value.length < 5) books.problem('a list misses processes');
};

/** Each with its weight. */
export const relations: readonly (readonly [weight: number, name: string, deed: Deed])[] = [
  [6, 'link', link],
  [10, 'monitor', monitor],
  [8, 'join', join],
  [4, 'tell group', tellGroup],
  [4, 'suspend', suspend],
  [2, 'suspend for good', suspendForGood],
  [8, 'inspect', inspect],
  [2, 'trace', trace],
  [1, 'list', list],
];
