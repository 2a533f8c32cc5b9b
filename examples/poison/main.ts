import { setTimeout as pause } from 'node:timers/promises';

import {
  defineSupervisor,
  isFoundationError,
  startNode,
  type RestartOptions,
} from '@foundation/core';

import { counter, counters, orders } from './counter.ts';

/** Three restarts, which wait longer and longer; `jitter: 0` so that every run prints the same. */
const rules: RestartOptions = {
  restartsMax: 3,
  backoff: { minMs: 100, factor: 2, jitter: 0 },
};
const tolerant = defineSupervisor('tolerant', {
  ...rules,
  onExceeded: 'quarantine',
  children: counters,
});
const strict = defineSupervisor('strict', { ...rules, onExceeded: 'stop', children: counters });

await using node = await startNode({ cluster: 'off' });
tellTimeline();

console.log("onExceeded: 'quarantine'\n");
const supervisor = await node.processes.start(tolerant);
const unanswered = await askOthersUntil(happens('quarantine'));
console.log(
  `\nMeanwhile apples and plums left ${unanswered} questions unanswered. All of them now:\n`,
);
await printTotals();
for (const { id, status, restarts, lastExit = 'none' } of await supervisor.children()) {
  print(id, `${status}, ${restarts} restarts, last exit: ${lastExit}`);
}

console.log('\nThe order is put right, and the child is started by hand:\n');
orders.get('pears')?.splice(1, 1, '12');
await supervisor.restart('pears');
await printTotals();
await node.processes.stop(supervisor);

console.log("\nonExceeded: 'stop'\n");
orders.get('pears')?.push('many');
await node.processes.start(strict);
await happens('gave-up');
await pause(50); // until all have ended
await printTotals();

/** Prints what the node tells of its supervisors. */
function tellTimeline(): void {
  node.events.on('restart', ({ child, delayMs }) =>
    print(child, delayMs === 0 ? 'starts again at once' : `starts again after ${delayMs} ms`),
  );
  node.events.on('quarantine', ({ child, error }) =>
    print(child, `goes into quarantine: ${error}`),
  );
  node.events.on('gave-up', ({ restartsMax }) =>
    print('all', `are stopped, after ${restartsMax} restarts`),
  );
}

function print(child: string, text: number | string): void {
  console.log(`  ${child.padEnd(7)}${text}`);
}

function happens(name: 'quarantine' | 'gave-up'): Promise<void> {
  return new Promise((resolve) => {
    node.events.on(name, () => resolve());
  });
}

/** Asks those that do not fail, again and again; tells how often there was no answer. */
async function askOthersUntil(event: Promise<void>): Promise<number> {
  let [isOver, failed] = [false, 0];
  void event.then(() => (isOver = true));
  while (!isOver) {
    const answers = [await totalOf('apples'), await totalOf('plums')];
    failed += answers.filter((answer) => typeof answer === 'string').length;
    await pause(5);
  }
  return failed;
}

async function printTotals(): Promise<void> {
  for (const fruit of orders.keys()) print(fruit, await totalOf(fruit));
}

/** What a counter says, or why it says nothing. */
async function totalOf(fruit: string): Promise<number | string> {
  try {
    return await node.ref(counter, fruit).total();
  } catch (error) {
    return isFoundationError(error) ? error.code : String(error);
  }
}
