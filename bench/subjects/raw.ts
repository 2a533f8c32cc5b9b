/**
 * The bare baseline: a hand-written mailbox locally, a framed TLS socket between two OS processes, and
 * SQLite as it is.
 *
 * @packageDocumentation
 */
import { fileURLToPath } from 'node:url';

import { connectFrames, listenFrames } from './frame-socket.ts';
import { idleSessions, type Crowd } from './idle.ts';
import { lifeSessions, type Lives } from './lives.ts';
import { localSessions, type Counters } from './local.ts';
import { MailboxCounter } from './mailbox.ts';
import { openRawStore } from './raw-store.ts';
import { bulkBytes, payload, remoteSessions, serveParent, startServer } from './remote.ts';
import type { Remote, ServerProcess } from './remote.ts';
import { storeSessions } from './store.ts';
import { serveSubject } from './subject.ts';

const program = fileURLToPath(import.meta.url);
const bytes = Buffer.from(payload);
const kinds = { call: 1, oneWay: 2, count: 3, bulk: 4 } as const;

if (process.argv[2] === 'server') await serve();
else {
  const version = `Node ${process.version}`;
  await serveSubject(version, {
    ...localSessions(openCounters),
    ...lifeSessions(openLives),
    ...idleSessions(openCrowd),
    ...remoteSessions(openRemote),
    ...storeSessions(program, openRawStore),
  });
}

async function openCounters(length: number): Promise<Counters> {
  const counters = Array.from({ length }, () => new MailboxCounter());
  return Promise.resolve({
    call: (index) => counters[index]?.call(1),
    cast: (index) => counters[index]?.cast(1),
    count: (index) => counters[index]?.call(0),
    close: async () => {},
  });
}

/** A life is an object that is put into a map, and taken out of it. */
async function openLives(): Promise<Lives> {
  const named = new Map<string, MailboxCounter>();
  let begun = 0;
  return Promise.resolve({
    live(name) {
      named.set(name, new MailboxCounter());
      begun++;
      named.delete(name);
    },
    begun: () => begun,
    left: () => named.size,
    close: async () => {},
  });
}

async function openCrowd(): Promise<Crowd<MailboxCounter>> {
  const crowd = new Set<MailboxCounter>();
  return Promise.resolve({
    start() {
      const counter = new MailboxCounter();
      crowd.add(counter);
      return counter;
    },
    call: (counter) => counter.call(1),
    living: () => crowd.size,
    close: async () => crowd.clear(),
  });
}

async function serve(): Promise<void> {
  let oneWayCount = 0;
  const count = Buffer.alloc(8);
  const server = await listenFrames((send) => ({ kind, id, body }) => {
    if (kind === kinds.call) send(kind, id, body);
    else if (kind === kinds.oneWay) oneWayCount += body.length === 100 ? 1 : 0;
    else {
      count.writeDoubleLE(kind === kinds.bulk ? body.length : oneWayCount);
      send(kind, id, count);
    }
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  serveParent(address.port);
}

async function openRemote(): Promise<[Remote, ServerProcess]> {
  const server = await startServer(program);
  const pending = new Map<number, (body: Buffer) => void>();
  const socket = await connectFrames(Number(server.ready), ({ id, body }) => {
    const resolve = pending.get(id);
    pending.delete(id);
    resolve?.(body);
  });
  let id = 0;
  function ask<Answer>(
    kind: number,
    body: Buffer,
    read: (answer: Buffer) => Answer,
  ): Promise<Answer> {
    return new Promise((resolve) => {
      id = (id + 1) >>> 0;
      pending.set(id, (answer) => resolve(read(answer)));
      socket.send(kind, id, body);
    });
  }
  const none = Buffer.alloc(0);
  const large = Buffer.alloc(bulkBytes);
  const remote: Remote = {
    call: () => ask(kinds.call, bytes, (answer) => answer.toString('latin1')),
    send: () => socket.send(kinds.oneWay, 0, bytes),
    arrived: () => ask(kinds.count, none, (answer) => answer.readDoubleLE()),
    bulk: () => ask(kinds.bulk, large, (answer) => answer.readDoubleLE()),
    close: async () => socket.close(),
  };
  return [remote, server];
}
