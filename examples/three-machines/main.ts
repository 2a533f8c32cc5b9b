import { fork, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { freePorts, startEtcd } from '@foundation/testing/servers';

const root = mkdtempSync(join(tmpdir(), 'three-machines-'));
const children: ChildProcess[] = [];
try {
  await play();
} finally {
  for (const child of children) child.kill('SIGKILL');
  rmSync(root, { recursive: true });
}

async function play(): Promise<void> {
  await using etcd = await startEtcd();
  const ports = await freePorts(3);
  const common = {
    FOUNDATION_CLUSTER_ADDRESSES: ports.map((port) => `127.0.0.1:${port}`).join(','),
    FOUNDATION_STORE_ENDPOINTS: etcd.endpoints.join(','),
    FOUNDATION_SECRET: randomBytes(32).toString('base64url'),
    FOUNDATION_PROFILE: 'production',
  };
  const [north, south, east] = ['north', 'south', 'east'].map((name, at) =>
    start(name, {
      ...common,
      FOUNDATION_NAME: name,
      // In place of machines: a directory and an address for each.
      FOUNDATION_HOME: join(root, name),
      FOUNDATION_LISTEN_HOST: '127.0.0.1',
      FOUNDATION_LISTEN_PORT: String(ports[at]),
    }),
  );
  if (north === undefined || south === undefined || east === undefined) return;

  console.log('Three machines find each other by the addresses that are written down:\n');
  await Promise.all([north, south, east].map((each) => each.does('join')));
  for (const each of [north, south, east]) console.log(`  ${each.name}  ${each.last}`);

  console.log('\nAll of them count at the same time, in one variable:\n');
  await Promise.all([north, south, east].map((each) => each.does('count')));
  await north.tells('sum');

  console.log('\nOne leads, the others wait for its lease; the desk is there once:\n');
  await north.tells('lead');
  await north.tells('open');
  await south.tells('ask');
  const next = Promise.race([south.does('lead'), east.does('lead')]);

  console.log('\nThe machine that leads and has the desk is gone, without a word:\n');
  north.child.kill('SIGKILL');
  await next;
  console.log('  another one leads');
  const later = start('later', {
    ...common,
    FOUNDATION_NAME: 'later',
    FOUNDATION_HOME: join(root, 'later'),
    FOUNDATION_LISTEN_HOST: '127.0.0.1',
    FOUNDATION_LISTEN_PORT: String(ports[0]),
  });
  console.log('\nA new machine in its place finds the desk, and every visit:\n');
  await later.tells('join');
  await later.tells('ask');
  await later.tells('sum');
}

/** Starts the program of a machine. */
function start(name: string, variables: Readonly<Record<string, string>>) {
  const child = fork(new URL('./machine.ts', import.meta.url), {
    env: { ...process.env, ...variables },
    cwd: import.meta.dirname, // where its foundation.config.ts is
  });
  children.push(child);
  const ended = once(child, 'exit').then(() => Promise.reject(new Error(`${name} has ended`)));
  ended.catch(() => undefined); // nobody waits for one that is killed
  const machine = {
    name,
    child,
    last: '',
    async does(deed: string): Promise<void> {
      child.send(deed);
      const [said] = await Promise.race([once(child, 'message'), ended]);
      machine.last = String(said);
    },
    async tells(deed: string): Promise<void> {
      await machine.does(deed);
      console.log(`  ${name}  ${machine.last}`);
    },
  };
  return machine;
}
