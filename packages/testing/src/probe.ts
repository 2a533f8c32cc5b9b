import type {
  AnyDefinition,
  AnyRef,
  Api,
  Definition,
  ExitReason,
  Node,
  Pid,
  Ref,
} from '@foundation/core';
import { compileAny, type AnyHandler, type ProcessContext } from '@foundation/core/internal';

import { eventually } from './eventually.ts';

/** What a probe was sent or told. */
export type Probed =
  | {
      readonly kind: 'call' | 'cast';
      readonly name: string;
      readonly args: readonly unknown[];
    }
  | {
      readonly kind: 'down' | 'exit';
      readonly pid: Pid;
      readonly reason: ExitReason;
      readonly error?: unknown;
    };

/** The messages of a definition (`probe<typeof account>`), or those of an interface. */
type ApiOf<D> = D extends Definition<infer _I, infer A> ? A : D;

/** The replies that a probe gives, by call; at once or later. */
type Replies<A> = A extends { calls: infer C } ? { readonly [K in keyof C]?: Reply<C[K]> } : never;
type Reply<F> = F extends (...args: infer A) => infer R ? (...args: A) => R | Promise<R> : never;

export interface ProbeOptions<D> {
  /** Takes the place of the process of that name. */
  readonly name?: string;
  /** What it answers. A call without an answer here is answered with `undefined`. */
  readonly calls?: Replies<ApiOf<D>>;
}

/** A process of a test: stands in for one that others talk to, and keeps what it hears. */
export interface Probe<D> {
  /** To be given to the process under test. */
  readonly ref: Ref<D>;
  /** All that it has heard, oldest first. */
  readonly received: readonly Probed[];
  /** The next thing it hears, or has heard and not given here yet. @throws Error when nothing comes in time */
  next(timeoutMs?: number): Promise<Probed>;
  /** Watches a process: its end is heard as `down`. */
  monitor(target: AnyRef | Pid): Promise<void>;
  /** Links itself to a process: an end of it is heard as `exit`, and does not end the probe. */
  link(target: AnyRef | Pid): Promise<void>;
}

type Doing = (ctx: ProcessContext) => void;

/** Starts a probe on a node. */
export async function probe<D extends Api | AnyDefinition>(
  node: Node,
  options: ProbeOptions<D> = {},
): Promise<Probe<D>> {
  const received: Probed[] = [];
  let taken = 0;
  const replies = options.calls as Readonly<Record<string, (...args: unknown[]) => unknown>>;
  const hear: AnyHandler = (context, ...args) => {
    const { message } = context as ProcessContext;
    const name = message?.name ?? '';
    received.push({ kind: message?.kind === 'call' ? 'call' : 'cast', name, args });
    return replies?.[name]?.(...args);
  };
  const notice =
    (kind: 'down' | 'exit'): AnyHandler =>
    (_context, told) =>
      void received.push({ kind, ...(told as { pid: Pid; reason: ExitReason }) });
  // Functions do not cross nodes, and need not: the probe is of this node.
  const todo: Doing[] = [];
  const definition = compileAny('probe', {
    trapExits: true,
    start: () => ({}),
    otherwise: hear,
    calls: { [doName]: (context) => todo.shift()?.(context as ProcessContext) },
    info: { down: notice('down'), exit: notice('exit') },
  });
  const ref = await node.processes.start(
    definition,
    options.name === undefined ? {} : { name: options.name },
  );
  const inside = async (action: Doing): Promise<void> => {
    todo.push(action);
    // A call: it fails where the probe has ended.
    await (ref as unknown as Record<string, () => Promise<void>>)[doName]?.();
  };
  return {
    ref: ref as unknown as Ref<D>,
    received,
    async next(timeoutMs = 5_000) {
      await eventually('the probe hears something', () => received.length > taken, { timeoutMs });
      return received[taken++] as Probed;
    },
    monitor: (target) => inside((context) => void context.monitor(target)),
    link: (target) => inside((context) => context.link(target)),
  };
}

/** The call by which a probe is told what to do from inside. */
const doName = 'foundation.probe.do';
