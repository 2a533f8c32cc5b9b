/**
 * Foundation itself, in the production profile: processes of one node, of two nodes that found each
 * other, clusters, and the store of one machine. Every run has a home of its own, so that it meets no other cluster.
 *
 * @packageDocumentation
 */
import { randomBytes } from 'node:crypto';
import { channel } from 'node:diagnostics_channel';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { defineProcess, startNode } from '@foundation/core';

import { clusterSessions, serveMember } from './cluster.ts';
import { openCounters } from './foundation-counters.ts';
import { openCountStore } from './foundation-store.ts';
import { localSessions } from './local.ts';
import { bulkBytes, remoteSessions, serveParent, startServer } from './remote.ts';
import type { Remote, ServerProcess } from './remote.ts';
import { storeSessions } from './store.ts';
import { serveSubject } from './subject.ts';

const echo = defineProcess('echo', {
  init: () => ({ count: 0 }),
  calls: { say: (_ctx, text: string) => text, arrived: ({ state }) => state.count },
  casts: {
    note({ state }, text: string) {
      state.count += text.length === 100 ? 1 : 0;
    },
  },
});

const sink = defineProcess('sink', {
  init: () => ({}),
  calls: { take: (_ctx, bytes: Uint8Array) => bytes.length },
});

const program = fileURLToPath(import.meta.url);
const [role, home = '', name = ''] = process.argv.slice(2);
/** How long the client waits until the server's process is known to it, in milliseconds. */
const discoveryMs = 20_000;

if (role === 'server') await serve();
else if (role === 'member') await serveMember(joinCluster);
else {
  const directory = await mkdtemp(join(tmpdir(), 'foundation-bench-'));
  process.env['FOUNDATION_HOME'] = directory;
  // In production no secret is made by itself.
  process.env['FOUNDATION_SECRET'] = randomBytes(32).toString('base64url');
  // Members find what earlier ones have compiled, as a program that starts again does.
  process.env['NODE_COMPILE_CACHE'] = join(directory, 'compiled');
  const member = [...process.execArgv, program, 'member'];
  await serveSubject(
    'this working tree',
    {
      ...localSessions(openCounters),
      ...remoteSessions(openRemote),
      ...storeSessions(program, openCountStore),
      ...clusterSessions((cluster, index) => ({
        command: process.execPath,
        args: [...member, join(directory, cluster), `member-${index}`],
      })),
    },
    { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) },
  );
}

async function serve(): Promise<void> {
  const node = await startNode({ name: 'server', profile: 'production', processes: [echo, sink] });
  await node.processes.start(sink, { name: 'sink' });
  await node.processes.start(echo, { name: 'echo' });
  serveParent('ready');
}

async function openRemote(): Promise<[Remote, ServerProcess]> {
  const server = await startServer(program); // finds the same home in its environment
  const node = await startNode({ name: 'client', profile: 'production', processes: [echo] });
  const ref = node.ref(echo, 'echo');
  const receiver = node.ref(sink, 'sink');
  const bytes = new Uint8Array(bulkBytes);
  const end = performance.now() + discoveryMs;
  while (ref.pid === undefined) {
    if (performance.now() > end) throw new Error('the client has not found the server');
    await sleep(5);
  }
  const remote: Remote = {
    call: (text) => ref.say(text),
    send: (text) => ref.cast.note(text),
    arrived: () => ref.arrived(),
    bulk: () => receiver.take(bytes),
    close: () => node[Symbol.asyncDispose](),
  };
  return [remote, server];
}

/** Joins the cluster of this round's home; the member events tell whom it sees. */
async function joinCluster(onMembers: (count: number) => void): Promise<void> {
  process.env['FOUNDATION_HOME'] = home;
  const seen = new Set([name]);
  channel('foundation:member-up').subscribe((event) => {
    seen.add(nodeOf(event));
    onMembers(seen.size);
  });
  channel('foundation:member-down').subscribe((event) => {
    seen.delete(nodeOf(event));
    onMembers(seen.size);
  });
  await startNode({ name, profile: 'production' });
}

function nodeOf(event: unknown): string {
  if (typeof event === 'object' && event !== null && 'node' in event) return String(event.node);
  throw new Error('a member event without a node');
}
