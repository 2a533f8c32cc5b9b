import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import type { StrongVariable } from '../../values/strong-variable.ts';
import type { Coordination } from '../coordination.ts';
import type { AgentId } from '../message.ts';
import {
  type AgentActions,
  actionsByType,
  activeAfter,
  type AgentControl,
  carryOut,
} from './agent-actions.ts';
import { cross, insideBand } from './hysteresis-state.ts';
import type { NamedFunctions } from './named-functions.ts';
import {
  type AnyVariable,
  type ApplyFunction,
  type CoordinateContext,
  type CoordinateFunction,
  type Named,
  orchestrationDefaults,
  type SystemLoad,
} from './orchestration-variable.ts';
import { problemOfConstraints, problemOfForm } from './variable-rules.ts';
import type { ChangeCause, KeptValue, VariableLock, VariableStore } from './variable-store.ts';

/**
 * What became of a change.
 *
 * `changed`: the value is new, and applied. `unchanged`: it stays; agents that were not as it says are again.
 * `refused`: it broke a constraint. `failed`: deciding or applying went wrong, and what was done was taken back.
 * `timeout`: not done by its deadline. `busy`: it is being changed, here or on another node. `conflict`: it is not of
 * the version that was expected any more. In all but the first the old value stays.
 */
export type VariableStatus =
  | 'changed'
  | 'unchanged'
  | 'refused'
  | 'failed'
  | 'timeout'
  | 'busy'
  | 'conflict';

/** What became of a change of one variable. */
export interface VariableResult {
  readonly id: string;
  readonly status: VariableStatus;
  readonly cause: ChangeCause;
  /** After it; undefined when it was not found out. */
  readonly version?: number;
  readonly value?: unknown;
  /** Why not. */
  readonly detail?: string;
  readonly tookMs: number;
}

/** What a variable stands on. */
export interface VariableParts {
  readonly node: string;
  readonly clock: Clock;
  readonly control: AgentControl;
  readonly coordination: Pick<Coordination, 'start'>;
  readonly functions: NamedFunctions;
  readonly load: () => SystemLoad;
  readonly store: VariableStore;
}

/** What a change is made of. */
export interface ChangeOrder {
  readonly cause: ChangeCause;
  readonly decide: CoordinateFunction<unknown>;
  readonly context?: unknown;
  readonly metrics?: Readonly<Record<string, number>>;
  /** In whose name. */
  readonly by?: AgentId;
  /** The version that is to be replaced. */
  readonly version?: number;
}

/** Values of a variable that are kept, the newest included. */
export const historyMax = 50;

type Changed = Pick<VariableResult, 'status' | 'version' | 'value'>;

/** Until when a change may take. */
interface Limit {
  readonly signal: AbortSignal;
  readonly endsAt: number;
}

/** Ends a change early, with what it comes to. */
class Ended extends Error {
  readonly status: VariableStatus;

  constructor(status: VariableStatus, detail: string) {
    super(detail);
    this.status = status;
  }
}

/** One variable at work: decides, checks, applies and writes, one change at a time over the cluster. */
export class LiveVariable {
  readonly definition: AnyVariable;
  readonly #parts: VariableParts;
  readonly #kept: StrongVariable<KeptValue>;
  #band = insideBand;

  constructor(definition: AnyVariable, parts: VariableParts) {
    this.definition = definition;
    this.#parts = parts;
    this.#kept = parts.store.open(definition.id, {
      value: definition.initial,
      version: 0,
      history: [],
    });
  }

  read(): Promise<KeptValue> {
    return this.#kept.get();
  }

  /** @yields the value of now, then each newer one */
  async *watch(signal?: AbortSignal): AsyncGenerator<KeptValue, void> {
    let seen = -1;
    for await (const { value } of this.#kept.watch(signal === undefined ? {} : { signal })) {
      if (value.version > seen) yield value;
      seen = value.version;
    }
  }

  /** Changes it when a metric has left its band. Undefined when nothing was set off. */
  adapt(metrics: Readonly<Record<string, number>>): Promise<VariableResult> | undefined {
    const { adapt } = this.definition;
    const value = adapt && metrics[adapt.metric];
    if (adapt === undefined || value === undefined) return undefined;
    const nowMs = this.#parts.clock.now();
    const { state, crossed } = cross(this.#band, adapt, { value, nowMs });
    this.#band = state;
    const named = crossed === 'high' ? adapt.onHigh : adapt.onLow;
    if (crossed === undefined || named === undefined) return undefined;
    return this.change({ cause: 'adapted', decide: this.#deciding(named), metrics });
  }

  coordinate(order: Pick<ChangeOrder, 'context' | 'metrics'>): Promise<VariableResult> {
    const decide = this.#deciding(this.definition.coordinate);
    return this.change({ ...order, cause: 'coordinated', decide });
  }

  /** Never rejects. */
  async change(order: ChangeOrder): Promise<VariableResult> {
    const { clock, store } = this.#parts;
    const { id } = this.definition;
    const begin = clock.now();
    const end = (result: Partial<VariableResult> & Pick<VariableResult, 'status'>) => ({
      id,
      cause: order.cause,
      ...result,
      tookMs: clock.now() - begin,
    });
    let lock: VariableLock | undefined;
    try {
      lock = await store.lock(id);
      if (lock === undefined) return end({ status: 'busy', detail: 'it is being changed' });
      return end(await this.#changeWith(lock, order));
    } catch (error) {
      const status = error instanceof Ended ? error.status : 'failed';
      return end({ status, detail: messageOf(error) });
    } finally {
      await lock?.release();
    }
  }

  #deciding(named: Named<CoordinateFunction<unknown>>): CoordinateFunction<unknown> {
    return (context) => this.#parts.functions.find(named)(context);
  }

  /** Ends at the deadline, and when the lock is lost. */
  async #changeWith(lock: VariableLock, order: ChangeOrder): Promise<Changed> {
    const { clock } = this.#parts;
    const { deadlineMs = orchestrationDefaults.deadlineMs } = this.definition;
    const ended = new AbortController();
    const { signal } = ended;
    const late = new Ended('timeout', `not done within ${deadlineMs} ms`);
    const timer = clock.after(deadlineMs, () => ended.abort(late));
    const lost = (): void => ended.abort(lock.signal.reason);
    lock.signal.addEventListener('abort', lost, { once: true });
    try {
      return await this.#attempt(lock, order, { signal, endsAt: clock.now() + deadlineMs });
    } catch (error) {
      const isLate = signal.reason === late && !(error instanceof Ended);
      throw isLate ? new Ended('timeout', messageOf(error)) : error;
    } finally {
      timer.cancel();
      lock.signal.removeEventListener('abort', lost);
    }
  }

  // oxlint-disable-next-line max-params -- by what right, what, until when
  async #attempt(lock: VariableLock, order: ChangeOrder, limit: Limit): Promise<Changed> {
    const kept = await this.#kept.get();
    const { value: before, version } = kept;
    if (order.version !== undefined && order.version !== version) {
      throw new Ended('conflict', `it is of version ${version}, not ${order.version}`);
    }
    const decided = await unlessAborted(limit.signal, () =>
      order.decide(this.#contextOf(order, kept, limit)),
    );
    const value = decided === undefined ? before : decided;
    const [actions, back] = this.#checked(value, before);
    const applied = await carryOut(actions, back, this.#parts.control, limit.signal);
    if (isDeepStrictEqual(value, before)) return { status: 'unchanged', version, value };
    try {
      limit.signal.throwIfAborted();
      const next = this.#next(kept, value, order);
      if (await this.#write(lock, version, next)) {
        return { status: 'changed', version: next.version, value };
      }
      throw new Ended('conflict', 'it was changed by another meanwhile');
    } catch (error) {
      const left = await applied.takeBack();
      if (left.length === 0) throw error;
      const rest = `; could not be taken back: ${left.join(', ')}`;
      throw new Ended('failed', `${messageOf(error)}${rest}`);
    }
  }

  // oxlint-disable-next-line max-params -- after what, what, on whose order
  #next({ version, history }: KeptValue, value: unknown, { cause, by }: ChangeOrder): KeptValue {
    const { node, clock } = this.#parts;
    const name = by === undefined ? {} : { by };
    const change = { version: version + 1, value, cause, node, ...name, at: clock.wallNow() };
    return { value, version: version + 1, history: [...history, change].slice(-historyMax) };
  }

  /** Whoever had the lock before cannot write any more. @returns whether it was still of that version */
  async #write({ token }: VariableLock, version: number, next: KeptValue): Promise<boolean> {
    const kept = token === undefined ? this.#kept : await this.#kept.fencedBy(token);
    const now = await kept.read();
    if (now.value.version !== version) return false;
    return (await kept.compareAndSet(now.version, next)) !== undefined;
  }

  /** What a value means for the agents, and what would lead back; refused when a rule is broken. */
  #checked(value: unknown, before: unknown): readonly [AgentActions, AgentActions] {
    const { type, agents, constraints = {} } = this.definition;
    const { functions, control } = this.#parts;
    const candidate = { type, value, agents };
    const misshapen = problemOfForm(candidate);
    if (misshapen !== undefined) throw new Ended('refused', misshapen);
    const apply = this.#applying();
    const actions = apply(value, before, agents);
    const check = (constraints.check ?? []).map((named) => functions.find(named));
    const active = activeAfter(actions, agents, control);
    const broken = problemOfConstraints(candidate, active, { ...constraints, check });
    if (broken !== undefined) throw new Ended('refused', broken);
    return [actions, apply(before, value, agents)];
  }

  #applying(): ApplyFunction<unknown> {
    const { type, apply } = this.definition;
    if (apply !== undefined) return this.#parts.functions.find(apply);
    // The form of the values was checked, and that of the initial one is the owner's.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    return actionsByType[type] as ApplyFunction<unknown>;
  }

  // oxlint-disable-next-line max-params -- for what, from where, until when
  #contextOf(
    { context, metrics = {} }: ChangeOrder,
    { value, version }: KeptValue,
    { signal, endsAt }: Limit,
  ): CoordinateContext<unknown> {
    const { clock, coordination, load } = this.#parts;
    const { id, agents } = this.definition;
    const leftMs = (): number => Math.max(endsAt - clock.now(), 1);
    return {
      id,
      value,
      version,
      agents,
      context,
      metrics,
      load: load(),
      signal,
      get remainingMs() {
        return leftMs();
      },
      decide(protocol, spec, options = {}) {
        const how = { deadlineMs: leftMs(), signal, ...options };
        return coordination.start(protocol, spec, agents, how).outcome;
      },
    };
  }
}

/** What `work` comes to, unless it is not wanted any more. */
async function unlessAborted<T>(signal: AbortSignal, work: () => T | Promise<T>): Promise<T> {
  signal.throwIfAborted();
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await Promise.race([promise, (async () => work())()]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
