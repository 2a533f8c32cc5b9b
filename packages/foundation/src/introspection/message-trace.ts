import { checkNumber, refuseUnknown } from '../options.ts';
import { compileInternal, type Behaviour } from '../process/behaviour.ts';
import type { Pid } from '../process/pid.ts';
import type { TracedMessage } from '../process/probe.ts';
import type { Runtime } from '../process/runtime.ts';
import { tracedMessage } from './introspection.ts';

export interface TraceOptions {
  /** Messages kept while nobody takes them; then the oldest go. @defaultValue 1000 */
  readonly max?: number;
}

/** The messages that a process handles, as they are handled. Ends with the process, or when it is disposed. */
export interface MessageTrace extends AsyncIterableIterator<TracedMessage>, AsyncDisposable {
  /** Messages that nobody took in time. */
  readonly dropped: number;
  [Symbol.asyncIterator](): MessageTrace;
}

/** Whom to trace, and how to ask for the trace to be sent to a process. */
export interface Traced {
  readonly pid: Pid;
  readonly ask: (to: Pid) => Promise<void>;
}

/** The cast by which the process that collects is told that no more will come. */
const over = 'over';

/** Collects the messages of a traced process in a process of its own. */
export async function startTrace(
  runtime: Runtime,
  options: TraceOptions,
  { pid, ask }: Traced,
): Promise<MessageTrace> {
  refuseUnknown('inspect.trace', options, ['max']);
  const { max = 1_000 } = options;
  checkNumber('inspect.trace', { max }, { min: 1, integer: true });
  const trace = new Trace(max);
  const process = await runtime.spawn(collectorOf(trace));
  trace.onDispose = () => process.stop({ reason: 'normal' });
  // What it was told before comes first.
  process.relations.monitor(pid, () => process.castToSelf(over, []));
  process.onEnded(() => trace.end());
  try {
    await ask(process.pid);
    return trace;
  } catch (error) {
    trace.onDispose();
    throw error;
  }
}

function collectorOf(trace: Trace): Behaviour {
  return compileInternal('foundation.trace', {
    start: () => ({}),
    casts: {
      [tracedMessage]: (_ctx, message) => trace.push(message as TracedMessage),
      [over]: () => trace.onDispose(),
    },
    overflow: 'drop-oldest',
  });
}

class Trace implements MessageTrace {
  readonly #max: number;
  readonly #messages: TracedMessage[] = [];
  readonly #waiting: ((result: IteratorResult<TracedMessage>) => void)[] = [];
  #isOver = false;
  dropped = 0;
  onDispose: () => void = () => {};

  constructor(max: number) {
    this.#max = max;
  }

  push(value: TracedMessage): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) return waiting({ done: false, value });
    this.#messages.push(value);
    if (this.#messages.length <= this.#max) return undefined;
    this.#messages.shift();
    this.dropped++;
    return undefined;
  }

  end(): void {
    this.#isOver = true;
    for (const each of this.#waiting.splice(0)) each({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<TracedMessage>> {
    const value = this.#messages.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    if (this.#isOver) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  return(): Promise<IteratorResult<TracedMessage>> {
    this.onDispose();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): MessageTrace {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }
}
