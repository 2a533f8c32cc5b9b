// Deeds that start and end processes.
import type { Ref } from '@foundation/core';

import { gone, uncertain } from './books.ts';
import {
  brief,
  crews,
  keptGroup,
  ledger,
  plain,
  secluded,
  smalls,
  threaded,
  type Beginning,
  type SubjectDefinition,
} from './subject.ts';
import { addTo, chance, oneOf, someone, type Deed, type World } from './world.ts';

const good: readonly Beginning[] = [{}, {}, {}, {}, { how: 'late' }];
const bad: readonly Beginning[] = [{ how: 'throws' }, { how: 'throws late' }, { how: 'refuses' }];

/** Milliseconds to wait for an answer: some are suspended, and give none. */
const timeoutMs = 500;

/** Codes of calls to a supervisor that may end meanwhile, or whose child may not start. */
const supervised = [...uncertain, 'START_FAILED', 'NAME_TAKEN', 'REFUSED'] as const;

async function startOne(
  { node, books, herd }: World,
  definition: SubjectDefinition,
  init: Beginning,
): Promise<void> {
  if (herd.isFull) return;
  const started = await books.call('start', () => node.processes.start(definition, { init }), []);
  if (started.isAnswered) herd.add(started.value.with({ timeoutMs }));
}

const startPlain: Deed = (world, dice) => startOne(world, plain, oneOf(good, dice));
const startSmall: Deed = (world, dice) => startOne(world, oneOf(smalls, dice), oneOf(good, dice));
const startThreaded: Deed = (world, dice) => startOne(world, threaded, oneOf(good, dice));

/** Its name may be taken. */
const startNamed: Deed = async ({ node, books, herd }, dice) => {
  const name = `named-${dice.int(30)}`;
  const init = oneOf(good, dice);
  const start = (): Promise<unknown> => node.processes.start(plain, { name, init });
  const started = await books.call('start named', start, ['NAME_TAKEN', 'START_FAILED']);
  if (started.isAnswered) herd.add(node.ref(plain, name).with({ timeoutMs }));
};

/** With a supervisor of its own. */
const startKept: Deed = async ({ node, books, herd }, dice) => {
  const name = `kept-${dice.int(20)}`;
  const restart = oneOf(['permanent', 'transient'] as const, dice);
  const init = oneOf(good, dice);
  const definition = oneOf([plain, plain, threaded], dice);
  const start = (): Promise<unknown> => node.processes.start(definition, { name, restart, init });
  const started = await books.call('start kept', start, ['NAME_TAKEN', 'START_FAILED']);
  if (started.isAnswered) herd.add(node.ref(definition, name).with({ timeoutMs }));
};

const startBad: Deed = async ({ node, books }, dice) => {
  const definition = oneOf([plain, plain, plain, threaded], dice);
  const options = { init: oneOf(bad, dice), ...(chance(0.5, dice) ? { name: 'bad' } : {}) };
  const start = (): Promise<unknown> => node.processes.start(definition, options);
  const started = await books.call('start', start, ['START_FAILED', 'REFUSED', 'NAME_TAKEN']);
  if (started.isAnswered) books.problem('a process started that should not');
};

/** Ends by itself when nobody has asked it anything for a while. */
const startBrief: Deed = async ({ node, books }, dice) => {
  const init = dice.int(20);
  const started = await books.call('start', () => node.processes.start(brief, { init }), []);
  if (started.isAnswered && chance(0.5, dice)) started.value.cast.touch();
};

const startSecluded: Deed = async ({ node, books }) => {
  const started = await books.call('start alone', () => node.processes.start(secluded), []);
  if (!started.isAnswered) return;
  const ref = started.value;
  await books.call('echo alone', () => ref.echo(1), []);
  await books.call('stop alone', () => node.processes.stop(ref), []);
};

/** It goes on from where it was stopped, or crashed. */
const tendLedger: Deed = async (world, dice) => {
  const { node, books, ledgers } = world;
  const [name, sent] = oneOf([...ledgers], dice);
  const start = (): Promise<unknown> => node.processes.start(ledger, { name });
  await books.call('start ledger', start, ['NAME_TAKEN']);
  const ref = node.ref(ledger, name);
  await Promise.all([1, 2, 3].map(() => addTo(world, sent, (by) => ref.add(by))));
  const stop = (): Promise<void> => node.processes.stop(ref);
  const end = oneOf([undefined, () => ref.fail(), stop], dice);
  if (end !== undefined) await books.call('end ledger', end);
};

// ── supervisors ──────────────────────────────────────────────────────────────

const startChild: Deed = async ({ books, pool }, dice) => {
  const init = { ...oneOf([...good, ...bad], dice), group: keptGroup };
  const options = chance(0.5, dice) ? { init, name: `child-${dice.int(30)}` } : { init };
  await books.call('start child', () => pool.try.start(options), supervised);
};

/** Also one that is only starting, waits for its restart, or is in quarantine. */
const tendChild: Deed = async ({ books, pool }, dice) => {
  const id = chance(0.5, dice) ? `child-${dice.int(30)}` : undefined;
  const all = id === undefined ? await books.call('children', () => pool.children()) : undefined;
  const found = all?.isAnswered === true && all.value.length > 0 ? oneOf(all.value, dice).id : '';
  const tend = chance(0.7, dice) ? pool.try.stop : pool.try.restart;
  await books.call('tend child', () => tend.call(pool.try, id ?? found), supervised);
};

const startCrew: Deed = async ({ node, books }, dice) => {
  const name = `crew-${dice.int(3)}`;
  const start = (): Promise<unknown> => node.processes.start(oneOf(crews, dice), { name });
  await books.call('start crew', start, ['NAME_TAKEN', 'START_FAILED']);
};

const tendCrew: Deed = async ({ node, books }, dice) => {
  const name = `crew-${dice.int(3)}`;
  const crew: Ref<(typeof crews)[number]> = node.ref(oneOf(crews, dice), name);
  const id = oneOf(['subject.plain', 'subject.plain#2', 'subject.plain#3'], dice);
  const tend = oneOf(
    [() => crew.children(), () => crew.try.restart(id), () => crew.try.stop(id)],
    dice,
  );
  await books.call('tend crew', async () => void (await tend()), supervised);
};

// ── ends ─────────────────────────────────────────────────────────────────────

const stopOne: Deed = async ({ node, books, herd }, dice) => {
  const ref = herd.take(dice);
  if (ref === undefined) return;
  const reason = oneOf(['normal', 'shutdown', 'killed'] as const, dice);
  const stop = (): Promise<void> => node.processes.stop(ref, { reason });
  await books.call(`stop (${reason})`, stop, ['NO_PROCESS']);
};

/** Two who stop the same one are both told when it has ended. */
const stopTwice: Deed = async (world, dice) => {
  const ref = world.herd.take(dice);
  if (ref === undefined) return;
  const stop = (): Promise<void> => world.node.processes.stop(ref);
  const stops = [1, 2].map(() => world.books.call('stop twice', stop, ['NO_PROCESS']));
  await Promise.all(stops);
};

const crashOne: Deed = async (world, dice) => {
  const ref = someone(world, dice);
  if (ref === undefined) return;
  const ms = dice.int(20);
  const crash = oneOf(
    [
      () => ref.fail(),
      () => ref.failSlowly(ms),
      () => ref.failInLater(ms),
      () => ref.failAfloat(ms),
      () => ref.failAtEnd(),
      async () => void ref.cast.crash(),
      async () => void ref.cast.end(oneOf(['normal', 'shutdown', 'killed'], dice)),
    ],
    dice,
  );
  await world.books.call('crash', crash);
};

/** Ends it while others wait for it. */
const stopInTheMiddle: Deed = async (world, dice) => {
  const ref = world.herd.take(dice);
  if (ref === undefined) return;
  const waiting = [1, 2, 3].map((value) =>
    world.books.call('echo', () => ref.with({ timeoutMs: 300 }).echoSlowly(value, 20)),
  );
  const reason = oneOf(['normal', 'killed'] as const, dice);
  const stop = (): Promise<void> => world.node.processes.stop(ref, { reason });
  await world.books.call(`stop in the middle (${reason})`, stop, ['NO_PROCESS']);
  await Promise.all(waiting);
};

const pingTheGone: Deed = async ({ node, books }) => {
  const nobody = node.ref(plain, 'nobody');
  const asked = await books.call('ask nobody', () => nobody.echo(1), gone);
  if (asked.isAnswered || nobody.cast.put()) books.problem('nobody answered');
};

/** Each with its weight. */
export const lives: readonly (readonly [weight: number, name: string, deed: Deed])[] = [
  [30, 'start', startPlain],
  [8, 'start small', startSmall],
  [6, 'start in thread', startThreaded],
  [10, 'start named', startNamed],
  [4, 'start kept', startKept],
  [4, 'start bad', startBad],
  [4, 'start brief', startBrief],
  [0.02, 'start alone', startSecluded],
  [4, 'tend ledger', tendLedger],
  [8, 'start child', startChild],
  [6, 'tend child', tendChild],
  [1, 'start crew', startCrew],
  [2, 'tend crew', tendCrew],
  [10, 'stop', stopOne],
  [2, 'stop twice', stopTwice],
  [12, 'crash', crashOne],
  [4, 'stop in the middle', stopInTheMiddle],
  [1, 'ask nobody', pingTheGone],
];
