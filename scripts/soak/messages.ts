// Deeds that send messages.
import type { Random } from '@foundation/core';

import { uncertain } from './books.ts';
import type { Subject, TimerName } from './subject.ts';
import { addTo, chance, oneOf, someone, type Anchor, type Deed, type World } from './world.ts';

const givenUp = [...uncertain, 'ABORTED'] as const;

/** Anybody, and the anchors more often than others. */
function anyone(world: World, dice: Random): Subject {
  const ref = chance(0.3, dice) ? undefined : someone(world, dice);
  return ref ?? oneOf(world.anchors, dice).ref;
}

// ── to anybody ───────────────────────────────────────────────────────────────

/** Answers must be to what was asked. */
async function ask(
  { books, herd }: World,
  ref: Subject,
  way: (value: number) => Promise<number>,
): Promise<void> {
  const value = books.nextNumber();
  const asked = await books.call('echo', () => way(value), givenUp);
  if (asked.isAnswered) books.expectEqual('an echo', asked.value, value);
  else if (asked.code === 'NO_PROCESS') herd.forget(ref);
}

const echo: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  await ask(world, ref, (value) => ref.echo(value));
};

const echoMany: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  const asks = Array.from({ length: 30 }, () => ask(world, ref, (value) => ref.echo(value)));
  await Promise.all(asks);
};

/** The time may not be enough. */
const echoInTime: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  const timed = ref.with({ timeoutMs: 1 + dice.int(40) });
  const ms = dice.int(40);
  const way = chance(0.5, dice)
    ? (value: number): Promise<number> => timed.echoSlowly(value, ms)
    : (value: number): Promise<number> => timed.echoLater(value, ms);
  await ask(world, ref, way);
};

const echoUntilAborted: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  const abort = new AbortController();
  const patient = ref.with({ timeoutMs: 300, signal: abort.signal });
  const asked = ask(world, ref, (value) => patient.echoLater(value, 10));
  if (chance(0.2, dice)) abort.abort();
  else setTimeout(() => abort.abort(), dice.int(15));
  await asked;
};

/** All follow one signal, which must not remember them. */
const echoPatiently: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  const patient = ref.with({ timeoutMs: 300, signal: world.patience });
  await ask(world, ref, (value) => patient.echo(value));
};

const askUntilGivenUp: Deed = async (world, dice) => {
  const ref = anyone(world, dice).with({ timeoutMs: 1 + dice.int(20) });
  await world.books.call('ask until given up', () => ref.untilGivenUp());
};

const askForRefusal: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  const asked = await world.books.call('refuse', () => ref.refuse(), [...uncertain, 'REFUSED']);
  if (asked.isAnswered) world.books.problem('a refusal was an answer');
};

const relay: Deed = async (world, dice) => {
  const [from, to] = [anyone(world, dice), anyone(world, dice)];
  const value = world.books.nextNumber();
  const way = chance(0.5, dice) ? from.relay : from.relayLater;
  const asked = await world.books.call('relay', () => way.call(from, to, value));
  if (asked.isAnswered && typeof asked.value === 'number') {
    world.books.expectEqual('a relayed echo', asked.value, value);
  }
};

/** What was started in a context is known to everybody who is asked on its behalf. */
const relayInContext: Deed = async (world, dice) => {
  const { node, books } = world;
  const [from, to] = [anyone(world, dice), anyone(world, dice)];
  const requestId = `request-${world.books.nextNumber()}`;
  const options = { requestId, timeoutMs: 1 + dice.int(100), values: { by: 'soak' } };
  const asked = await books.call('relay in a context', () =>
    node.context.run(options, () => from.relayRequestId(to)),
  );
  const isId = asked.isAnswered && asked.value?.startsWith('request') === true;
  if (isId) books.expectEqual('a request id', asked.value, requestId);
  if (asked.isAnswered && asked.value === undefined) books.problem('a request was lost');
};

const holdAndAnswer: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  const patient = ref.with({ timeoutMs: 50 });
  const held = [1, 2, 3, 4].map(() => world.books.call('hold', () => patient.hold()));
  await world.books.call('answer', () => ref.answerHeld(1 + dice.int(3)));
  await Promise.all(held);
};

const delegate: Deed = async (world, dice) => {
  const [from, to] = [anyone(world, dice), anyone(world, dice)];
  const value = world.books.nextNumber();
  const patient = from.with({ timeoutMs: 50 });
  const asked = await world.books.call('delegate', () => patient.delegate(to, value));
  if (asked.isAnswered) world.books.expectEqual('an answer of another', asked.value, value);
};

/** What is not there yet is waited for. */
const takeAndPut: Deed = async (world, dice) => {
  const ref = anyone(world, dice);
  const takes = [1, 2].map(() =>
    world.books.call('take', () => ref.with({ timeoutMs: 20 + dice.int(50) }).take()),
  );
  if (chance(0.8, dice)) put(world, ref);
  if (chance(0.5, dice)) put(world, ref);
  await Promise.all(takes);
};

/** Casts that may find the mailbox full. */
const flood: Deed = async (world, dice) => {
  const ref = someone(world, dice);
  if (ref === undefined) return;
  for (let count = dice.int(100); count > 0; count--) ref.cast.note(1);
  await ask(world, ref, (value) => ref.echo(value));
};

// ── to anchors, which are counted ────────────────────────────────────────────

function put({ anchors }: World, ref: Subject): void {
  const isTaken = ref.cast.put();
  const anchor = anchors.find((each) => each.ref === ref);
  if (isTaken && anchor !== undefined) anchor.sent.puts++;
}

const add: Deed = async (world, dice) => {
  const { ref, sent } = oneOf(world.anchors, dice);
  const hurried = ref.with({ timeoutMs: chance(0.5, dice) ? 1 : 1_000 });
  await addTo(world, sent, (by) => hurried.add(by));
};

const noteAll: Deed = async ({ anchors, books }, dice) => {
  const { ref, sent } = oneOf(anchors, dice);
  for (let count = dice.int(20); count > 0; count--) if (ref.cast.note(1)) sent.notes++;
  await books.call('note twice', () => ref.noteTwice(1), []);
};

const setTimers: Deed = async (world, dice) => {
  const { ref } = chance(0.7, dice) ? oneOf(world.anchors, dice) : { ref: anyone(world, dice) };
  const timer = oneOf<TimerName>(['once', 'beat', 'locked'], dice);
  const ms = 1 + dice.int(60);
  await world.books.call('set a timer', () => ref.setTimer(timer, ms));
  if (timer === 'locked' || chance(0.5, dice)) return;
  await world.books.call('end a timer', () => ref.endTimer(timer));
};

/** Brings an anchor to rest: what it counts follows from what it was sent. */
export async function settleAnchor(world: World, { ref }: Anchor): Promise<void> {
  put(world, ref);
  for (const timer of ['once', 'beat'] as const) {
    await world.books.call('end a timer', () => ref.endTimer(timer), []);
  }
}

/** Each with its weight. */
export const messages: readonly (readonly [weight: number, name: string, deed: Deed])[] = [
  [60, 'echo', echo],
  [6, 'echo many', echoMany],
  [10, 'echo in time', echoInTime],
  [10, 'echo until aborted', echoUntilAborted],
  [10, 'echo patiently', echoPatiently],
  [3, 'ask until given up', askUntilGivenUp],
  [4, 'ask for refusal', askForRefusal],
  [10, 'relay', relay],
  [10, 'relay in context', relayInContext],
  [8, 'hold and answer', holdAndAnswer],
  [8, 'delegate', delegate],
  [8, 'take and put', takeAndPut],
  [4, 'flood', flood],
  [20, 'add', add],
  [10, 'note', noteAll],
  [10, 'set timers', setTimers],
];
