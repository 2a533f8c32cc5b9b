import { parentPort, workerData } from 'node:worker_threads';

import { systemClock } from '../clock.ts';
import { runForNobody } from '../context/scope.ts';
import { messageOf } from '../errors.ts';
import { Events, type NodeEvents } from '../events.ts';
import { Exchange, type Router } from '../messaging/exchange.ts';
import { encodePacket, parsePacket } from '../messaging/packet.ts';
import { codecFor } from '../messaging/runtime-codec.ts';
import { systemOf } from '../node-system.ts';
import type { Snapshots } from '../process/durability.ts';
import { catchFloatingRejections } from '../process/floating-rejections.ts';
import type { Pid } from '../process/pid.ts';
import { Runtime, type Directory } from '../process/runtime.ts';
import { endAll } from '../process/shutdown.ts';
import { RegistryState } from '../registry/registry-state.ts';
import type { Change } from '../registry/registry.ts';
import { CounterBoard } from './counter-board.ts';
import type { FromThread, ThreadData, ToThread } from './thread-message.ts';
import { threadSystem } from './thread-system.ts';

/** The inside of a worker thread: a runtime whose only way out is the port to the main thread. */
async function run(data: ThreadData): Promise<void> {
  const replica = new RegistryState();
  for (const change of data.shares) follow(replica, change);
  const board = new CounterBoard(data.board);
  const runtime: Runtime = new Runtime({
    name: data.node,
    incarnation: data.incarnation,
    thread: data.thread,
    clock: systemClock,
    events: new Events(),
    copiesMessages: data.copiesMessages,
    directory: threadDirectory(replica),
    codec: codecFor,
    exchange: (made) => new Exchange(made, portRouter(made)),
    snapshots: snapshotsOf(() => runtime),
    board,
  });
  forwardEvents(runtime);
  catchFloatingRejections(runtime);
  parentPort?.on('message', (message: ToThread) => {
    if (message.kind === 'beat') beat(board, message.everyMs);
    else receive(runtime, replica, message);
  });
  await runtime.spawn(threadSystem);
  post({ kind: 'ready' });
}

/** The first beat comes at once: what follows may not come round any more. */
function beat(board: CounterBoard, everyMs: number): void {
  board.beat();
  systemClock.every(everyMs, () => board.beat());
}

function post(message: FromThread): void {
  parentPort?.postMessage(message);
}

type Received = Exclude<ToThread, { readonly kind: 'beat' }>;

function receive(runtime: Runtime, replica: RegistryState, message: Received): void {
  switch (message.kind) {
    case 'packet': {
      const packet = parsePacket(runtime.codec.decode(message.bytes));
      if (packet === undefined) runtime.counters.malformed++;
      else runtime.exchange.receive(message, packet);
      return;
    }
    case 'change':
      return follow(replica, message.change);
    case 'lost':
      return lost(runtime, message);
    case 'rejoin':
      runtime.incarnation = message.incarnation;
      return;
    case 'stop':
      void stop(runtime);
  }
}

async function stop(runtime: Runtime): Promise<void> {
  const roots = [...runtime.processes()].filter(
    ({ parent, behaviour }) => parent === undefined && behaviour !== threadSystem,
  );
  await endAll(roots, runtime.clock);
  post({ kind: 'ended' });
}

function lost(
  runtime: Runtime,
  { node, thread }: { node: string; thread: number | undefined },
): void {
  const isLost = (pid: Pid): boolean =>
    pid.node === node && (thread === undefined || pid.thread === thread);
  runtime.exchange.lost(isLost, { reason: thread === undefined ? 'node_down' : 'thread_lost' });
}

function follow(replica: RegistryState, change: Change): void {
  if (change.kind === 'share') replica.replace(change.node, change.share);
  else if (change.kind === 'delta') replica.apply(change.node, change.delta);
  else replica.drop(change.node);
}

function portRouter(runtime: Runtime): Router {
  return {
    send({ node, incarnation }, packet) {
      post({ kind: 'packet', node, incarnation, bytes: encodePacket(runtime.codec, packet) });
      return 'sent';
    },
  };
}

/** Names are kept by the main thread; reads are of the replica. */
function threadDirectory(replica: RegistryState): Directory {
  const published = new Set<number>();
  return {
    lookup: (name) => replica.holders(name)[0]?.pid,
    // The main thread has checked the name before it asked for the process.
    reserve: () => {},
    publish: ({ pid, behaviour, lease }, listing) => {
      published.add(pid.serial);
      const { name, capabilities, metadata } = listing;
      post({
        kind: 'publish',
        serial: pid.serial,
        process: behaviour.name,
        listing: { name, capabilities, metadata, fencingToken: lease?.token },
      });
    },
    release: ({ pid }) => {
      if (published.delete(pid.serial)) post({ kind: 'release', serial: pid.serial });
    },
    join: ({ pid, behaviour }, group) => {
      published.add(pid.serial);
      post({ kind: 'join', serial: pid.serial, process: behaviour.name, group });
    },
    leave: ({ pid }, group) => post({ kind: 'leave', serial: pid.serial, group }),
    members: (group, process) =>
      replica.members(group).flatMap((each) => (each.process === process ? each.pid : [])),
    onGroupChange: (group, listener) => replica.onGroupChange(group, listener),
  };
}

/** Milliseconds for the main thread to read or write a snapshot. */
const snapshotTimeoutMs = 5_000;

/** The store is the main thread's: its system process reads and writes for this one. */
function snapshotsOf(runtime: () => Runtime): Snapshots {
  const main = (): ReturnType<typeof systemOf> => {
    const { name, incarnation } = runtime();
    return systemOf(runtime(), { node: name, incarnation }, snapshotTimeoutMs);
  };
  return {
    load: (key) => runForNobody(() => main().loadSnapshot(key)),
    save: (key, version, state) => runForNobody(() => main().saveSnapshot(key, version, state)),
  };
}

const forwarded: readonly (keyof NodeEvents)[] = [
  'crash',
  'exit',
  'stuck',
  'overflow',
  'unknown-message',
  'invalid-message',
  'invalid-reply',
  'restart',
  'quarantine',
  'gave-up',
  'abandoned',
  'problem',
];

function forwardEvents(runtime: Runtime): void {
  for (const name of forwarded) {
    runtime.events.on(name, (event) => {
      // Whatever a problem's error is, it must not become another problem.
      const sent = 'error' in event ? { ...event, error: messageOf(event.error) } : event;
      post({ kind: 'event', name, bytes: runtime.codec.encode(sent) });
    });
  }
}

await run(workerData as ThreadData);
