import { isFoundationError } from '../errors.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import { anyBehaviour } from '../process/behaviour.ts';
import { targetOf } from '../process/client.ts';
import { noProcess } from '../process/exit.ts';
import { firstSerial, Pid } from '../process/pid.ts';
import type { AnyRef } from '../process/ref-types.ts';
import type { Runtime } from '../process/runtime.ts';
import { unresponsive, type Introspection, type ProcessStatistics } from './introspection.ts';
import { startTrace, type MessageTrace, type TraceOptions } from './message-trace.ts';

/** How an inspector asks. */
export interface InspectOptions {
  /** Milliseconds to wait for an answer. @defaultValue 1000 */
  readonly timeoutMs?: number;
}

/**
 * Looks into a process, wherever it lives, without its handlers knowing. Questions jump the queue of
 * its mailbox. Each fails with `UNRESPONSIVE` when there is no answer in time: a handler of it, or of
 * its thread, does not end.
 */
export interface ProcessInspector {
  /** The state, as a message would carry it. */
  state(): Promise<unknown>;
  /** Puts another state in its place, between two messages. Suspend it first to build on the one it has. */
  replaceState(state: object): Promise<void>;
  /** Has it handle no messages until `resume`; they wait in the mailbox. */
  suspend(): Promise<void>;
  resume(): Promise<void>;
  /** Of a process in a thread that does not answer, what the thread shares: its status is `unresponsive`. */
  statistics(options?: { readonly stateBytes?: boolean }): Promise<ProcessStatistics>;
  /** Follows the messages that it handles. */
  trace(options?: TraceOptions): Promise<MessageTrace>;
}

/** What the system process of each runtime answers. */
interface SystemApi {
  introspect(pid: Pid, question: Introspection): Promise<unknown>;
  sharedStatistics(pid: Pid): Promise<ProcessStatistics | undefined>;
}

const inspectOptions = ['timeoutMs'];
const systemBehaviour = anyBehaviour('foundation.node');

export class Inspector implements ProcessInspector {
  readonly #runtime: Runtime;
  readonly #target: AnyRef | Pid;
  readonly #timeoutMs: number;

  constructor(runtime: Runtime, target: AnyRef | Pid, options: InspectOptions = {}) {
    refuseUnknown('processes.inspect', options, inspectOptions);
    const { timeoutMs = 1_000 } = options;
    checkNumber('processes.inspect', { timeoutMs }, { above: 0 });
    targetOf('processes.inspect', target);
    this.#runtime = runtime;
    this.#target = target;
    this.#timeoutMs = timeoutMs;
  }

  state(): Promise<unknown> {
    return this.#ask({ kind: 'state' });
  }

  async replaceState(state: object): Promise<void> {
    if (typeof state !== 'object' || state === null || Array.isArray(state)) {
      throw invalidOption('replaceState', { state }, 'an object');
    }
    await this.#ask({ kind: 'replace-state', state });
  }

  async suspend(): Promise<void> {
    await this.#ask({ kind: 'suspend' });
  }

  async resume(): Promise<void> {
    await this.#ask({ kind: 'resume' });
  }

  async statistics(options: { readonly stateBytes?: boolean } = {}): Promise<ProcessStatistics> {
    refuseUnknown('statistics', options, ['stateBytes']);
    const stateBytes = options.stateBytes ?? false;
    try {
      return (await this.#ask({ kind: 'statistics', stateBytes })) as ProcessStatistics;
    } catch (error) {
      const shared = isUnresponsive(error) ? await this.#shared() : undefined;
      if (shared === undefined) throw error;
      return shared;
    }
  }

  trace(options: TraceOptions = {}): Promise<MessageTrace> {
    const pid = this.#pid();
    const ask = async (to: Pid): Promise<void> => void (await this.#ask({ kind: 'trace', to }));
    return startTrace(this.#runtime, options, { pid, ask });
  }

  #pid(): Pid {
    const { pid, name } = targetOf('processes.inspect', this.#target);
    if (pid === undefined) throw noProcess(`"${name}"`);
    return pid;
  }

  async #ask(question: Introspection): Promise<unknown> {
    const pid = this.#pid();
    try {
      return await this.#system(pid, pid.thread).introspect(pid, question);
    } catch (error) {
      throw isTimeout(error) ? unresponsive(pid.toString(), this.#timeoutMs, error) : error;
    }
  }

  /** What the thread of a process shares with the main thread of its node. */
  #shared(): Promise<ProcessStatistics | undefined> {
    const pid = this.#pid();
    return pid.thread === 0
      ? Promise.resolve(undefined)
      : this.#system(pid, 0).sharedStatistics(pid);
  }

  /** The first process of each thread of a node: it answers for the others, ahead of their mailboxes. */
  #system({ node, incarnation }: Pid, thread: number): SystemApi {
    const pid = new Pid(node, incarnation, firstSerial(thread));
    const how = { pid, timeoutMs: this.#timeoutMs };
    return this.#runtime.refTo(systemBehaviour, how) as SystemApi;
  }
}

function isTimeout(error: unknown): boolean {
  return isFoundationError(error) && error.code === 'CALL_TIMEOUT';
}

function isUnresponsive(error: unknown): boolean {
  return isFoundationError(error) && error.code === 'UNRESPONSIVE';
}
