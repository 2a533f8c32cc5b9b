import { Worker } from 'node:worker_threads';

import { runForNobody } from '../context.ts';
import { FoundationError, isFoundationError } from '../errors.ts';
import type { Station } from '../messaging/exchange.ts';
import { parsePacket, type Packet } from '../messaging/packet.ts';
import type { Behaviour } from '../process/definition.ts';
import { firstSerial, Pid } from '../process/pid.ts';
import type { Runtime } from '../process/runtime.ts';
import { shutdownMs } from '../process/shutdown.ts';
import type { ChildSpec } from '../process/supervisor.ts';
import type { Registry } from '../registry/registry.ts';
import type { FromThread, PacketMessage, ThreadData, ToThread } from './thread-message.ts';
import { threadSystem, type SpawnRequest } from './thread-system.ts';

export interface ThreadsHandlers {
  /** Routes a packet of a thread onwards. */
  route(to: Station, bytes: Uint8Array, packet: Packet): void;
  /** A thread is gone, and its processes with it. */
  onLost(thread: number): void;
}

interface Thread {
  readonly number: number;
  readonly worker: Worker;
  readonly ready: Promise<void>;
  /** Settles when its processes have ended, or the thread itself. */
  readonly ended: PromiseWithResolvers<void>;
  readonly group: string | undefined;
}

const workerFile = import.meta.url.endsWith('.ts') ? './thread-worker.ts' : './thread-worker.js';
/** Milliseconds that `init` of a process in a thread may take; a model may have to be loaded. */
const spawnTimeoutMs = 120_000;
/** Milliseconds in which a thread must have ended a process it was told to kill. */
const killMs = 200;

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

  /** Starts a process in a thread: that of its group, or one of its own. */
  async spawn(
    behaviour: Behaviour,
    options: ChildSpec['options'],
    linkTo: Pid | undefined,
  ): Promise<Pid> {
    using _claim = options.name === undefined ? undefined : this.#registry.claim(options.name);
    const thread = this.#threadFor(behaviour.spec.thread);
    const request: SpawnRequest = {
      module: behaviour.spec.module ?? '',
      definition: behaviour.name,
      init: options.init,
      linkTo,
      name: options.name,
      capabilities: options.capabilities,
      metadata: options.metadata,
    };
    try {
      await thread.ready;
      const pid = await this.#ask(thread, request);
      if (thread.group === undefined) this.#endWith(thread, pid);
      return pid;
    } catch (error) {
      if (thread.group === undefined) void thread.worker.terminate();
      throw error;
    }
  }

  /** A thread of its own ends a little after its process, so that all are told why it ended. */
  #endWith(thread: Thread, pid: Pid): void {
    const end = (): void => void thread.worker.terminate();
    this.#watch(pid, () => void this.#runtime.clock.after(killMs, end, 'background'));
  }

  /** Runs when a process of a thread has ended. */
  #watch(pid: Pid, onDown: () => void): void {
    const [system] = this.#runtime.processes();
    system?.relations.monitor(pid, onDown);
  }

  async #ask(thread: Thread, request: SpawnRequest): Promise<Pid> {
    const { name, incarnation } = this.#runtime;
    const pid = new Pid(name, incarnation, firstSerial(thread.number));
    const ref = this.#runtime.refTo(threadSystem, { pid }) as {
      with(options: { timeoutMs: number }): { spawn(request: SpawnRequest): Promise<unknown> };
    };
    // The process is to live on, whether or not somebody still waits for its start.
    const answer = await runForNobody(() => ref.with({ timeoutMs: spawnTimeoutMs }).spawn(request));
    if (answer instanceof Pid) return answer;
    throw isFoundationError(answer) ? answer : new FoundationError('START_FAILED', String(answer));
  }

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

  /** Ends a process that did not stop when asked; if its thread does not listen, the thread. */
  async abandon(pid: Pid): Promise<void> {
    const thread = this.#threads.get(pid.thread);
    if (thread === undefined) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = this.#runtime.clock.after(killMs, () => {
      void thread.worker.terminate().then(() => resolve());
    });
    this.#watch(pid, resolve);
    this.#runtime.signal(pid, { kind: 'stop', exit: { reason: 'killed' } });
    await promise;
    timer.cancel();
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
    await Promise.all([...this.#threads.values()].map(({ worker }) => worker.terminate()));
  }

  #threadFor(group: string | undefined): Thread {
    if (group !== undefined) {
      for (const thread of this.#threads.values()) if (thread.group === group) return thread;
    }
    return this.#start(group);
  }

  #start(group: string | undefined): Thread {
    const number = ++this.#lastNumber;
    const { name, incarnation, copiesMessages } = this.#runtime;
    const data: ThreadData = {
      kind: 'foundation.thread',
      node: name,
      incarnation,
      thread: number,
      copiesMessages,
      shares: this.#registry.shares(),
    };
    const worker = new Worker(new URL(workerFile, import.meta.url), { workerData: data });
    const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    const thread: Thread = { number, worker, ready, ended, group };
    this.#threads.set(number, thread);
    worker.on('message', (message: FromThread) => {
      if (message.kind === 'ready') resolve();
      else if (message.kind === 'ended') ended.resolve();
      else this.#receive(message);
    });
    worker.on('error', (error) => {
      this.#runtime.events.emit('problem', { what: `thread ${number}`, error });
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

  #receive(message: Exclude<FromThread, { readonly kind: 'ready' | 'ended' }>): void {
    switch (message.kind) {
      case 'packet':
        return this.#receivePacket(message);
      case 'publish':
        return this.#registry.register(message.serial, message.process, message.listing);
      case 'release':
        return this.#registry.unregister(message.serial);
      case 'event':
        return this.#receiveEvent(message);
    }
  }

  #receivePacket(message: PacketMessage): void {
    const packet = parsePacket(this.#runtime.codec.decode(message.bytes));
    if (packet !== undefined) this.#handlers.route(message, message.bytes, packet);
  }

  #lost(thread: Thread): void {
    this.#threads.delete(thread.number);
    this.#registry.unregisterWhere(({ pid }) => pid.thread === thread.number);
    this.#handlers.onLost(thread.number);
  }

  /** What happens in a thread is told and counted by the node. */
  #receiveEvent({ name, bytes }: FromThread & { readonly kind: 'event' }): void {
    const { counters, codec, events } = this.#runtime;
    if (name === 'overflow') counters.overflow++;
    if (name === 'unknown-message') counters.unknownMessages++;
    if (name === 'invalid-message') counters.invalidMessages++;
    events.emit(name, codec.decode(bytes) as never);
  }

  #tellAll(message: ToThread): void {
    for (const thread of this.#threads.values()) send(thread, message);
  }
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
