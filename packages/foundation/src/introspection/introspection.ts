import { FoundationError } from '../errors.ts';
import { invalidOption } from '../options.ts';
import { Note } from '../process/envelope.ts';
import { noProcess } from '../process/exit.ts';
import type { Pid } from '../process/pid.ts';
import type { TracedMessage } from '../process/probe.ts';
import { Probe } from '../process/probe.ts';
import type { Process } from '../process/process.ts';
import type { Runtime } from '../process/runtime.ts';
import { infoOfProcess, type ProcessInfo } from './process-info.ts';

/** Numbers of one process. Times are in milliseconds; waits and busy time come from a sample. */
export interface ProcessStatistics extends ProcessInfo {
  /** The longest that its mailbox was. */
  readonly mailboxHighWater: number;
  /** Messages that it has put off and not handled yet. */
  readonly deferred: number;
  /** Replies that it owes. */
  readonly repliesOwed: number;
  /** How long handlers have held the event loop, estimated. */
  readonly busyMs: number;
  /** How long messages waited in the mailbox; undefined before the first one was timed. */
  readonly waitP50Ms: number | undefined;
  readonly waitP99Ms: number | undefined;
  readonly waitsSampled: number;
  readonly timers: number;
  readonly links: number;
  /** Processes that watch it, and that it watches. */
  readonly monitoredBy: number;
  readonly monitors: number;
  /** The message it is at. */
  readonly current: string | undefined;
  /** Bytes of its state as messages are encoded, where it was asked for. */
  readonly stateBytes: number | undefined;
}

/** What can be asked of a process without its handlers knowing. */
export type Introspection =
  | { readonly kind: 'state' }
  | { readonly kind: 'replace-state'; readonly state: unknown }
  | { readonly kind: 'suspend' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'statistics'; readonly stateBytes: boolean }
  | { readonly kind: 'trace'; readonly to: Pid };

/** Every kind of question. */
export const introspections: readonly Introspection['kind'][] = [
  'state',
  'replace-state',
  'suspend',
  'resume',
  'statistics',
  'trace',
];

/** The message in which a traced message reaches whoever asked for it. */
export const tracedMessage = 'traced';

/**
 * Answers a question about a process of this runtime. State is read and replaced between two messages,
 * the rest at once.
 *
 * @throws FoundationError `NO_PROCESS`, `PROCESS_DOWN` when it ends before its state can be read, `NOT_SERIALIZABLE`
 */
export function introspect(runtime: Runtime, pid: Pid, question: Introspection): unknown {
  const process = runtime.find(pid);
  if (process === undefined) throw noProcess(pid.toString());
  switch (question.kind) {
    case 'state':
      return betweenMessages(process, () => ownCopy(runtime, process.state));
    case 'replace-state': {
      const { state } = question;
      if (typeof state !== 'object' || state === null) {
        throw invalidOption('replaceState', { state }, 'an object');
      }
      const own = ownCopy(runtime, state);
      return betweenMessages(process, () => {
        process.state = own;
        process.durability?.touch();
      });
    }
    case 'suspend':
      return process.suspend();
    case 'resume':
      return process.resume();
    case 'statistics':
      return statisticsOf(process, question.stateBytes);
    case 'trace':
      return trace(process, question.to);
  }
}

/** Nobody outside holds the state itself, also where messages pass by reference. */
function ownCopy(runtime: Runtime, state: object): object {
  const { copiesMessages, stateCodec } = runtime;
  return copiesMessages ? state : (stateCodec.decode(stateCodec.encode(state)) as object);
}

function betweenMessages<R>(process: Process, action: () => R): Promise<R> {
  const { promise, resolve, reject } = Promise.withResolvers<R>();
  const over = (): void => reject(noProcess(process.describe()));
  process.onEnded(over);
  process.execution.whenFree(() => {
    process.offEnded(over);
    resolve(action());
  });
  return promise;
}

export function statisticsOf(process: Process, withBytes: boolean): ProcessStatistics {
  const { probe, execution, relations, runtime } = process;
  const { current } = execution;
  return {
    ...infoOfProcess(process),
    handled: process.handled - execution.deferred.times,
    mailboxHighWater: process.highWater,
    deferred: execution.deferred.waiting,
    repliesOwed: execution.replies.count,
    busyMs: probe?.busyMs ?? 0,
    waitP50Ms: probe?.waits.quantileMs(0.5),
    waitP99Ms: probe?.waits.quantileMs(0.99),
    waitsSampled: probe?.waits.count ?? 0,
    timers: process.timers.count,
    links: relations.links.size,
    monitoredBy: relations.watcherCount,
    monitors: relations.watchedCount,
    current: current && `${current.kind} ${current.name}`,
    stateBytes: withBytes ? runtime.stateCodec.encode(process.state).length : undefined,
  };
}

/** Sends every message that a process handles to another one, as long as both live. */
function trace(process: Process, to: Pid): void {
  const { runtime } = process;
  const probe = (process.probe ??= new Probe(runtime.clock));
  const tell = (message: TracedMessage): void => {
    const collector = runtime.find(to);
    if (collector === undefined) {
      runtime.exchange.cast(to, { name: tracedMessage, args: [message], request: undefined });
    } else collector.deliver(new Note('cast', tracedMessage, [message]));
  };
  const tracing = probe.trace(tell);
  process.relations.monitor(to, () => tracing[Symbol.dispose]());
}

/** What whoever asks gets when there is no answer in time. */
export function unresponsive(who: string, timeoutMs: number, cause?: unknown): FoundationError {
  return new FoundationError('UNRESPONSIVE', `${who} does not answer within ${timeoutMs} ms`, {
    hint: 'A handler of it, or of its thread, is at work: `statistics()` tells which. `maxBusyMs` ends an endless one.',
    details: { process: who, timeoutMs },
    cause,
  });
}
