import { fork, type ChildProcess } from 'node:child_process';
import { on } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { startNode } from '@foundation/core';

const directory = mkdtempSync(join(tmpdir(), 'stale-leader-'));
const cashiers: ChildProcess[] = [];
try {
  await play();
} finally {
  for (const cashier of cashiers) cashier.kill('SIGKILL');
  rmSync(directory, { recursive: true });
}

async function play(): Promise<void> {
  const ann = hire('ann');
  await ann.says('has the till');
  const bob = hire('bob');

  console.log('\nAnn books, and is stopped between her look and the next booking:\n');
  ann.order(100);
  await ann.says('looks');
  ann.order('go on');
  await ann.says('books');
  ann.order(50);
  await ann.says('looks');
  ann.child.kill('SIGSTOP');
  ann.order('go on');

  console.log('\nNothing is heard of her any more, so the till goes to Bob:\n');
  await bob.says('has the till');
  bob.order(20);
  bob.order('go on');
  await bob.says('books');

  console.log('\nAnn goes on where she was. What she does now rests on a look long ago:\n');
  ann.child.kill('SIGCONT');
  await ann.says('may not');
  await ann.says('has lost');

  console.log('\nBob is killed. Ann waits for the till like everybody:\n');
  bob.child.kill('SIGKILL');
  await ann.says('has the till');
  ann.order(50);
  ann.order('go on');
  await ann.says('books');

  await using node = await startNode({ name: 'reader', clusterName: 'stale-leader', directory });
  const balance = await node.variables.strong<number>('balance').get();
  console.log(`\nBalance: ${balance} = 100 + 20 + 50`);
}

/** Starts a process of the operating system, which prints what it says. */
function hire(name: string) {
  const program = new URL('./cashier-node.ts', import.meta.url);
  const child = fork(program, [name, directory]);
  cashiers.push(child);
  const words = on(child, 'message');
  return {
    child,
    order: (what: number | string): boolean => child.send(what),
    /** Waits until it says something that begins so. */
    async says(beginning: string): Promise<void> {
      for (;;) {
        const { value } = await words.next();
        const text = String(value?.[0]);
        console.log(`  ${name}  ${text}`);
        if (text.startsWith(beginning)) return;
      }
    },
  };
}
