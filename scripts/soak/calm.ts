import { getEventListeners } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';

import { Pid, type ProcessInfo } from '@foundation/core';

import { settleAnchor } from './messages.ts';
import { anchor, groupNames, ledger, plain, threaded } from './subject.ts';
import { checkSum, type Anchor, type World } from './world.ts';

/** Milliseconds within which everything must have come to rest. */
const restMs = 5_000;
const system = ['foundation.node', 'foundation.thread'];

/** Ends everything but the anchors and the pool, and sees whether all adds up. */
export async function calm(world: World): Promise<void> {
  await endAll(world);
  const open = await lastOf(
    async () => world.books.open,
    (count) => count === 0,
  );
  world.books.expectEqual('calls that have not settled', open, 0);
  for (const each of world.anchors) await settleAnchor(world, each);
  for (const each of world.anchors) await checkAnchor(world, each);
  await checkLedgers(world);
  await checkRest(world);
}

// ── coming to rest ───────────────────────────────────────────────────────────

async function endAll(world: World): Promise<void> {
  world.herd.clear();
  const left = await lastOf(
    () => endSome(world),
    ({ length }) => length === 0,
  );
  for (const { process, status } of left) world.books.problem(`did not end: ${process} ${status}`);
}

/** Asks whoever lives to end, and returns who that was. */
async function endSome(world: World): Promise<readonly ProcessInfo[]> {
  const { node, books, pool } = world;
  const left = await strangers(world);
  const roots = left.filter(({ parent }) => parent === undefined);
  await Promise.all(
    roots.map((root) => {
      const stop = (): Promise<void> => node.processes.stop(pidOf(root), { reason: 'shutdown' });
      return books.call(`stop ${root.process}`, stop, ['NO_PROCESS']);
    }),
  );
  for (const { id } of await pool.children()) await pool.try.stop(id);
  return left;
}

/** Processes that do not live as long as the soak. */
async function strangers({ node, anchors }: World): Promise<readonly ProcessInfo[]> {
  const names = new Set(['pool', ...anchors.map(({ name }) => name)]);
  const all = await node.processes.list();
  return all.filter(({ name = '', process }) => !names.has(name) && !system.includes(process));
}

function pidOf({ pid }: Pick<ProcessInfo, 'pid'>): Pid {
  const [, node = '', incarnation, serial] = /^<(.+)\.(\d+)\.(\d+)>$/u.exec(pid) ?? [];
  return new Pid(node, Number(incarnation), Number(serial));
}

/** Asks again and again until an answer is fine, or should have been; returns the last one. */
async function lastOf<T>(ask: () => Promise<T>, isFine: (answer: T) => boolean): Promise<T> {
  const deadline = performance.now() + restMs;
  for (;;) {
    const answer = await ask();
    if (isFine(answer) || performance.now() > deadline) return answer;
    await wait(10);
  }
}

// ── what must be so at rest ──────────────────────────────────────────────────

/** Of these an anchor has none at rest. */
const atRest = ['mailbox', 'timers', 'links', 'monitors', 'deferred'] as const;

async function checkAnchor(world: World, { name, ref, sent }: Anchor): Promise<void> {
  const { books } = world;
  const expectEqual = (what: string, found: unknown, expected: unknown): void =>
    books.expectEqual(`${name}: ${what}`, found, expected);
  for (const group of groupNames) await ref.leave(group);
  const statistics = await lastOf(
    () => world.node.processes.inspect(ref).statistics(),
    (found) => atRest.every((key) => found[key] === 0),
  );
  for (const key of atRest) expectEqual(key, statistics[key], 0);
  // The node watches those that live in a thread.
  expectEqual('monitoredBy', statistics.monitoredBy, statistics.thread === 0 ? 0 : 1);
  const counts = await ref.counts();
  expectEqual('notes', counts.notes, sent.notes + counts.selfNotes);
  expectEqual('puts', counts.puts, sent.puts);
  expectEqual('timers set', counts.timersSet, counts.timersFired + counts.timersEnded);
  checkSum(world, name, { sum: counts.sum, sent });
  const { monitored, demonitored, downs } = counts;
  if (downs > monitored || downs < monitored - demonitored) {
    books.problem(`${name}: ${downs} of ${monitored} monitors told, ${demonitored} ended`);
  }
  for (const problem of await ref.problems()) books.problem(`${name}: ${problem}`);
}

/** What was stored is found again. */
async function checkLedgers(world: World): Promise<void> {
  const { node, ledgers } = world;
  for (const [name, sent] of ledgers) {
    const ref = await node.processes.start(ledger, { name });
    checkSum(world, name, { sum: await ref.sum(), sent });
    await node.processes.stop(ref);
  }
}

async function checkRest(world: World): Promise<void> {
  const { node, books, pool, anchors, witness, patience } = world;
  const lasting = anchors.length + 1;
  const all = await lastOf(
    () => node.processes.list(),
    // A thread ends a little after the only process that it was for.
    ({ length }) => length === lasting + system.length,
  );
  books.expectEqual('processes', all.length, lasting + system.length);
  books.expectEqual('registrations', node.registry.all().length, lasting);
  // The node's own process was there before anybody listened; it watches the anchor in the thread.
  witness.check(node, all.filter(({ thread }) => thread === 0).length - 1);
  const own = all.find(({ process }) => process === 'foundation.node');
  const statistics = own && (await node.processes.inspect(pidOf(own)).statistics());
  books.expectEqual('monitors of the node', statistics?.monitors, 1);
  books.expectEqual('children', await pool.count(), 0);
  const members = groupNames.flatMap((group) =>
    [plain, anchor, threaded].flatMap((each) => node.group(each, group).members()),
  );
  books.expectEqual('members of groups', members.length, 0);
  books.expectEqual('listeners of a signal', getEventListeners(patience, 'abort').length, 0);
}
