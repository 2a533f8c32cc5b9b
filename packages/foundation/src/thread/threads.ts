import { Worker } from 'node:worker_threads';

import { runForNobody } from '../context/scope.ts';
import { FoundationError, isFoundationError, messageOf } from '../errors.ts';
import type { ProcessStatistics } from '../introspection/introspection.ts';
import type { RuntimeListing } from '../introspection/process-info.ts';
import type { Station } from '../messaging/exchange.ts';
import { parsePacket, type Packet } from '../messaging/packet.ts';
import { moduleBeside } from '../module-beside.ts';
import type { Behaviour } from '../process/behaviour.ts';
import type { ChildSpec } from '../process/child.ts';
import { firstSerial, Pid } from '../process/pid.ts';
import { startFailed } from '../process/process-errors.ts';
import type { Runtime } from '../process/runtime.ts';
import { shutdownMs } from '../process/shutdown.ts';
import type { Registry } from '../registry/registry.ts';
import { BusyWatch } from './busy-watch.ts';
import { CounterBoard, newBoardMemory } from './counter-board.ts';
import { sharedListing, sharedStatistics, type Housed } from './housed.ts';
import type { FromThread, PacketMessage, ThreadData, ToThread } from './thread-message.ts';
import { threadSystem, type SpawnRequest } from './thread-system.ts';

export interface ThreadsHandlers {
  /** Routes a packet of a thread onwards. */
  route(to: Station, bytes: Uint8Array, packet: Packet): void;
  /** A thread is gone, and its processes with it. */
  onLost(thread: number): void;
}

/** What a thread uses. */
export interface ThreadUsage {
  readonly heapBytes: number;
  /** How long its event loop has been at work since it began. */
  readonly busyMs: number;
  /** How many processes share it. */
  readonly processes: number;
}

interface Thread {
  readonly number: number;
  readonly worker: Worker;
  readonly board: CounterBoard;
  readonly busyWatch: BusyWatch;
  readonly ready: Promise<void>;
  /** Settles when its processes have ended, or the thread itself. */
  readonly ended: PromiseWithResolvers<void>;
  readonly group: string | undefined;
  readonly memoryMb: number | undefined;
  /** What lives in it, by serial number. */
  readonly housed: Map<number, Housed>;
  /** Why it is about to end; `done` when nothing is lost by that. */
  ending: { readonly why: string; readonly pid?: Pid | undefined } | 'done' | undefined;
}

/** What the main thread asks of the first process of a thread. */
interface ThreadSystem {
  spawn(request: SpawnRequest): Promise<Pid>;
  listing(): Promise<RuntimeListing>;
}

/** Milliseconds that a thread may take to begin and to import a module, beside the `init` of a process. */
const threadStartMs = 30_000;
/** The longest that a call may wait: a process may have no limit for its `init`. */
const longestMs = 2 ** 31 - 1;
/** Milliseconds in which a thread must have ended a process it was told to kill. */
const killMs = 200;
/** Milliseconds in which a thread must list its processes; then what it shares is listed. */
const listingMs = 500;

/** Worker threads of one node: each hosts processes behind a message port. */
export class Threads {
  readonly #runtime: Runtime;
  readonly #registry: Registry;
  readonly #handlers: ThreadsHandlers;
  readonly #threads = new Map<number, Thread>();
  #lastNumber = 0;

  constructor(runtime: Runtime, registry: Registry, handlers: ThreadsHandlers) {
    this.#runtime = runtime;
    this.#registry = registry;
    this.#handlers = handlers;
    registry.onChange((change) => this.#tellAll({ kind: 'change', change }));
  }

  get count(): number {
    return this.#threads.size;
  }

  // ── processes ──────────────────────────────────────────────────────────────

  /** Starts a process in a thread: that of its group, or one of its own. */
  async spawn(
    behaviour: Behaviour,
    options: ChildSpec['options'] & { readonly restarts?: number },
    linkTo: Pid | undefined,
  ): Promise<Pid> {
    using _claim =
      options.name === undefined
        ? undefined
        : this.#registry.claim(options.name, options.lease?.token);
    const thread = this.#threadFor(behaviour);
    using _watch = thread.busyWatch.watch(behaviour);
    try {
      await thread.ready;
      const pid = await this.#ask(thread, behaviour, { ...options, linkTo });
      this.#house(thread, behaviour, { pid, name: options.name, linkTo });
      return pid;
    } catch (error) {
      if (thread.group === undefined) void terminate(thread, 'done');
      // The process that starts others in the thread is not whom anybody wanted to start.
      const isLost = isFoundationError(error) && error.code === 'PROCESS_DOWN';
      throw isLost ? startFailed(behaviour.name, error) : error;
    }
  }

  async #ask(
    thread: Thread,
    behaviour: Behaviour,
    options: ChildSpec['options'] & { restarts?: number; linkTo: Pid | undefined },
  ): Promise<Pid> {
    const { init, name, capabilities, metadata, restarts, lease, linkTo } = options;
    const module = behaviour.spec.module ?? '';
    const definition = behaviour.name;
    const listing = { name, capabilities, metadata, fencingToken: lease?.token };
    const { own } = behaviour;
    const request: SpawnRequest = { module, definition, init, linkTo, restarts, own, ...listing };
    const timeoutMs = Math.min(longestMs, behaviour.limits.initTimeoutMs + threadStartMs);
    // The process is to live on, whether or not somebody still waits for its start.
    return runForNobody(() => this.#system(thread, timeoutMs).spawn(request));
  }

  #system({ number }: Thread, timeoutMs: number): ThreadSystem {
    const { name, incarnation } = this.#runtime;
    const pid = new Pid(name, incarnation, firstSerial(number));
    return this.#runtime.refTo(threadSystem, { pid, timeoutMs }) as ThreadSystem;
  }

  #house(
    thread: Thread,
    behaviour: Behaviour,
    { pid, name, linkTo }: { pid: Pid; name: string | undefined; linkTo: Pid | undefined },
  ): void {
    const watch = thread.busyWatch.watch(behaviour, pid);
    thread.housed.set(pid.serial, { pid, process: behaviour.name, name, parent: linkTo });
    this.#runtime.watch(pid, () => {
      watch[Symbol.dispose]();
      thread.housed.delete(pid.serial);
      if (thread.group !== undefined) return;
      // A thread of its own ends a little after its process, so that all are told why it ended.
      const end = (): void => void terminate(thread, 'done');
      this.#runtime.clock.after(killMs, end, 'background');
    });
  }

  /** Ends a process that did not stop when asked; if its thread does not listen, the thread. */
  async abandon(pid: Pid): Promise<'abandoned' | 'terminated'> {
    const thread = this.#threads.get(pid.thread);
    if (thread === undefined) return 'terminated';
    const { promise, resolve } = Promise.withResolvers<'abandoned' | 'terminated'>();
    const timer = this.#runtime.clock.after(killMs, () => {
      const why = `${pid.toString()} did not stop`;
      void terminate(thread, { why, pid }).then(() => resolve('terminated'));
    });
    // What an asynchronous handler still does goes on in a thread that others share.
    this.#runtime.watch(pid, () =>
      resolve(thread.group === undefined ? 'terminated' : 'abandoned'),
    );
    this.#runtime.signal(pid, { kind: 'stop', exit: { reason: 'killed' } });
    const how = await promise;
    timer.cancel();
    return how;
  }

  /** Ends the processes that no supervisor ends; the limit of a thread that does not listen is the same. */
  async endProcesses(): Promise<void> {
    const threads = [...this.#threads.values()];
    if (threads.length === 0) return;
    const { promise: limit, resolve } = Promise.withResolvers<void>();
    const timer = this.#runtime.clock.after(shutdownMs, resolve);
    for (const each of threads) send(each, { kind: 'stop' });
    await Promise.race([limit, Promise.all(threads.map(({ ended }) => ended.promise))]);
    timer.cancel();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#threads.values()].map((each) => terminate(each, 'done')));
  }

  // ── introspection ──────────────────────────────────────────────────────────

  /** What every thread tells of itself; of one that does not answer, what it shares. */
  listings(): Promise<readonly RuntimeListing[]> {
    return Promise.all(
      [...this.#threads.values()].map((thread) =>
        this.#system(thread, listingMs)
          .listing()
          .catch(() => sharedListing(thread.housed, thread.board)),
      ),
    );
  }

  /** The supervisor of a process in a thread. */
  parentOf(pid: Pid): Pid | undefined {
    return this.#threads.get(pid.thread)?.housed.get(pid.serial)?.parent;
  }

  /** The counters of a process that its thread shares. */
  sharedStatistics(pid: Pid): ProcessStatistics | undefined {
    const thread = this.#threads.get(pid.thread);
    return thread && sharedStatistics(thread.housed.get(pid.serial), thread.board);
  }

  /** What a thread uses, with all that lives in it. */
  async usage(number: number): Promise<ThreadUsage | undefined> {
    const thread = this.#threads.get(number);
    if (thread === undefined) return undefined;
    const { worker, housed } = thread;
    const { active } = worker.performance.eventLoopUtilization();
    const { used_heap_size: heapBytes } = await worker.getHeapStatistics();
    return { heapBytes, busyMs: active, processes: housed.size };
  }

  // ── packets ────────────────────────────────────────────────────────────────

  /** Passes a packet on to the thread that it is for. Returns false when there is none. */
  post(thread: number, from: Station, bytes: Uint8Array): boolean {
    const found = this.#threads.get(thread);
    if (found === undefined) return false;
    const { node, incarnation } = from;
    // The bytes belong to a buffer that is used again.
    send(found, { kind: 'packet', node, incarnation, bytes: new Uint8Array(bytes) });
    return true;
  }

  tellLost(node: string, thread?: number): void {
    this.#tellAll({ kind: 'lost', node, thread });
  }

  tellRejoin(incarnation: number): void {
    this.#tellAll({ kind: 'rejoin', incarnation });
  }

  #tellAll(message: ToThread): void {
    for (const thread of this.#threads.values()) send(thread, message);
  }

  /** What a thread says must not disturb the others, whatever is wrong with it. */
  #receive(message: Exclude<FromThread, { readonly kind: 'ready' | 'ended' }>): void {
    try {
      this.#take(message);
    } catch (error) {
      this.#runtime.events.emit('problem', { what: `a thread's message ${message.kind}`, error });
    }
  }

  #take(message: Exclude<FromThread, { readonly kind: 'ready' | 'ended' }>): void {
    switch (message.kind) {
      case 'packet':
        return this.#receivePacket(message);
      case 'publish':
        return this.#registry.register(message.serial, message.process, message.listing);
      case 'release':
        return this.#registry.unregister(message.serial);
      case 'join':
        return this.#registry.joinGroup(message.serial, message.process, message.group);
      case 'leave':
        return this.#registry.leaveGroup(message.serial, message.group);
      case 'event':
        return this.#receiveEvent(message);
    }
  }

  #receivePacket(message: PacketMessage): void {
    const packet = parsePacket(this.#runtime.codec.decode(message.bytes));
    if (packet === undefined) this.#runtime.counters.malformed++;
    else this.#handlers.route(message, message.bytes, packet);
  }

  /** What happens in a thread is told and counted by the node. */
  #receiveEvent({ name, bytes }: FromThread & { readonly kind: 'event' }): void {
    const { counters, codec, events } = this.#runtime;
    if (name === 'overflow') counters.overflow++;
    if (name === 'unknown-message') counters.unknownMessages++;
    if (name === 'invalid-message') counters.invalidMessages++;
    if (name === 'invalid-reply') counters.invalidReplies++;
    if (name === 'crash') counters.crashes++;
    if (name === 'restart') counters.restarts++;
    events.emit(name, codec.decode(bytes) as never);
  }

  // ── threads ────────────────────────────────────────────────────────────────

  #threadFor({ name, spec }: Behaviour): Thread {
    const { thread: group, threadMemoryMb } = spec;
    for (const thread of this.#threads.values()) {
      if (group === undefined || thread.group !== group || thread.ending !== undefined) continue;
      if (thread.memoryMb !== threadMemoryMb) throw otherMemory(name, thread, threadMemoryMb);
      return thread;
    }
    return this.#start(group, threadMemoryMb);
  }

  #start(group: string | undefined, memoryMb: number | undefined): Thread {
    const number = ++this.#lastNumber;
    const { name, incarnation, copiesMessages, clock } = this.#runtime;
    const memory = newBoardMemory();
    const data: ThreadData = {
      kind: 'foundation.thread',
      node: name,
      incarnation,
      thread: number,
      copiesMessages,
      shares: this.#registry.shares(),
      board: memory,
    };
    const worker = new Worker(moduleBeside(import.meta.url, 'thread-worker'), {
      workerData: data,
      ...(memoryMb === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: memoryMb } }),
    });
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const board = new CounterBoard(memory);
    const busyWatch = new BusyWatch(board, clock, {
      begin: (everyMs) => send(thread, { kind: 'beat', everyMs }),
      onBusy: (busyMs, pid) => {
        const why = `a handler held it for ${Math.round(busyMs)} ms`;
        void terminate(thread, { why, pid });
      },
    });
    const housed = new Map<number, Housed>();
    const parts = { number, worker, board, busyWatch, ready, ended, group, memoryMb, housed };
    const thread: Thread = { ...parts, ending: undefined };
    this.#threads.set(number, thread);
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'ended') ended.resolve();
      else this.#receive(message);
    });
    worker.on('error', (error) => {
      thread.ending ??= { why: messageOf(error) };
      reject(threadLost(number, error));
    });
    worker.on('exit', () => {
      reject(threadLost(number, undefined));
      ended.resolve();
      this.#lost(thread);
    });
    ready.catch(() => {});
    return thread;
  }

  #lost(thread: Thread): void {
    const { number, group, ending } = thread;
    this.#threads.delete(number);
    thread.busyWatch.end();
    this.#registry.unregisterWhere(({ pid }) => pid.thread === number);
    if (ending !== 'done') {
      const { why, pid } = ending ?? { why: 'it ended by itself', pid: undefined };
      const { events, name: node } = this.#runtime;
      events.emit('thread-lost', { node, thread: number, group, why, pid });
    }
    this.#handlers.onLost(number);
  }
}

function terminate(thread: Thread, ending: Exclude<Thread['ending'], undefined>): Promise<number> {
  thread.ending ??= ending;
  return thread.worker.terminate();
}

function send(thread: Thread, message: ToThread): void {
  thread.worker.postMessage(message);
}

function threadLost(number: number, cause: unknown): FoundationError {
  return new FoundationError('START_FAILED', `thread ${number} ended`, {
    hint: 'The cause tells why; a thread that runs out of memory ends alone.',
    cause,
  });
}

function otherMemory(name: string, thread: Thread, memoryMb: number | undefined): FoundationError {
  const [wanted, has] = [memoryMb, thread.memoryMb].map((mb) => mb ?? 'none');
  return new FoundationError(
    'INVALID_OPTION',
    `"${name}" wants \`threadMemoryMb\` ${wanted}, but its group "${thread.group}" has ${has}`,
    { hint: 'Give all definitions of one thread group the same limit.', details: { wanted, has } },
  );
}
