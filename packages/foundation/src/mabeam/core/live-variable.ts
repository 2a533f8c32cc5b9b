import { isDeepStrictEqual } from 'node:util';

import type { Clock } from '../../clock.ts';
import { isFoundationError, messageOf } from '../../errors.ts';
import type { StrongVariable } from '../../values/strong-variable.ts';
import type { Coordination } from '../coordination.ts';
import type { AgentId } from '../message.ts';
import { within } from '../within.ts';
import {
  type AgentActions,
  actionsByType,
  type AgentControl,
  type Applied,
  carryOut,
  countAfter,
  problemOfActions,
  unlessAborted,
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

/** Values of a variable that are kept, the newest included; fewer where they would not fit. */
export const historyMax = 50;

/** Milliseconds in which what was done can be taken back. */
const graceMs = 5_000;

/** Ends a change early, with what it comes to. */
class Ended extends Error {
  readonly status: VariableStatus;

  constructor(status: VariableStatus, detail: string) {
    super(detail);
    this.status = status;
  }
}

type Changed = Pick<VariableResult, 'status' | 'version' | 'value'>;

/** Until when a change may take. */
interface Limit {
  readonly signal: AbortSignal;
  readonly endsAt: number;
}

/** What agents are to do for a value, and what would lead back. */
interface Checked {
  readonly actions: AgentActions;
  readonly back: AgentActions;
}

/** One variable at work: decides, checks, applies and writes, one change at a time over the cluster. */
export class LiveVariable {
  readonly definition: AnyVariable;
  /** Of its id, which may have been another variable before. */
  readonly registration: number;
  readonly #parts: VariableParts;
  readonly #kept: StrongVariable<KeptValue>;
  readonly #initial: KeptValue;
  #band = insideBand;
  /** Whether agents may be otherwise than the value says. */
  #isDoubtful = false;
  #isGone = false;

  constructor(definition: AnyVariable, registration: number, parts: VariableParts) {
    this.definition = definition;
    this.registration = registration;
    this.#parts = parts;
    this.#initial = { registration, value: definition.initial, version: 0, history: [] };
    this.#kept = parts.store.open(definition.id, this.#initial);
  }

  /** It is unregistered: its value is let go of where that is kept here alone. */
  close(): void {
    // What the cluster keeps stays there: a change of it that is under way ends as it would have.
    this.#isGone = this.definition.scope !== 'cluster';
    this.#parts.store.close(this.definition.id);
  }

  async read(): Promise<KeptValue> {
    return this.#own(await this.#kept.get());
  }

  /** @yields the value of now, then each newer one */
  async *watch(signal?: AbortSignal): AsyncGenerator<KeptValue, void> {
    let seen = -1;
    for await (const { value } of this.#kept.watch(signal === undefined ? {} : { signal })) {
      const kept = this.#own(value);
      if (kept.version > seen) yield kept;
      seen = kept.version;
    }
  }

  /** Changes it when a metric has left its band. Undefined when nothing was set off. */
  async adapt(metrics: Readonly<Record<string, number>>): Promise<VariableResult | undefined> {
    const { adapt } = this.definition;
    const value = adapt && Object.hasOwn(metrics, adapt.metric) ? metrics[adapt.metric] : undefined;
    if (adapt === undefined || value === undefined) return undefined;
    const before = this.#band;
    const { state, crossed } = cross(before, adapt, { value, nowMs: this.#parts.clock.now() });
    this.#band = state;
    const named = crossed === 'high' ? adapt.onHigh : adapt.onLow;
    if (crossed === undefined || named === undefined) return undefined;
    const result = await this.change({ cause: 'adapted', decide: this.#deciding(named), metrics });
    // What has not come about is set off again by the next number.
    if (!settles(result.status)) this.#band = before;
    return result;
  }

  coordinate(order: Pick<ChangeOrder, 'context' | 'metrics'>): Promise<VariableResult> {
    const decide = this.#deciding(this.definition.coordinate);
    return this.change({ ...order, cause: 'coordinated', decide });
  }

  /** Never rejects. */
  async change(order: ChangeOrder): Promise<VariableResult> {
    const { clock } = this.#parts;
    const { id, deadlineMs = orchestrationDefaults.deadlineMs } = this.definition;
    const begin = clock.now();
    const ended = new AbortController();
    const late = new Ended('timeout', `not done within ${deadlineMs} ms`);
    const timer = clock.after(deadlineMs, () => ended.abort(late));
    const limit = { signal: ended.signal, endsAt: begin + deadlineMs };
    const end = (result: Partial<VariableResult> & Pick<VariableResult, 'status'>) => ({
      id,
      cause: order.cause,
      ...result,
      tookMs: clock.now() - begin,
    });
    try {
      const lock = await this.#lock(limit);
      if (lock === undefined) return end({ status: 'busy', detail: 'it is being changed' });
      return end(await this.#changeWith(lock, order, { limit, ended }));
    } catch (error) {
      if (error instanceof Ended) return end({ status: error.status, detail: error.message });
      if (this.#isGone) return end({ status: 'failed', detail: 'it was unregistered meanwhile' });
      const status = limit.signal.reason === late ? 'timeout' : 'failed';
      return end({ status, detail: messageOf(error) });
    } finally {
      timer.cancel();
    }
  }

  /** One that comes too late is given back. */
  #lock({ signal }: Limit): Promise<VariableLock | undefined> {
    const locking = this.#parts.store.lock(`variable/${this.definition.id}`);
    return unlessAborted(signal, () => locking).catch((error: unknown) => {
      void locking.then((lock) => lock?.release()).catch(() => undefined);
      throw error;
    });
  }

  // oxlint-disable-next-line max-params -- by what right, what, until when
  async #changeWith(
    lock: VariableLock,
    order: ChangeOrder,
    { limit, ended }: { readonly limit: Limit; readonly ended: AbortController },
  ): Promise<Changed> {
    const lost = (): void => ended.abort(lock.signal.reason);
    lock.signal.addEventListener('abort', lost, { once: true });
    try {
      return await this.#attempt(lock, order, limit);
    } finally {
      lock.signal.removeEventListener('abort', lost);
      await lock.release();
    }
  }

  #deciding(named: Named<CoordinateFunction<unknown>>): CoordinateFunction<unknown> {
    return (context) => this.#parts.functions.find(named)(context);
  }

  // oxlint-disable-next-line max-params -- by what right, what, until when
  async #attempt(lock: VariableLock, order: ChangeOrder, limit: Limit): Promise<Changed> {
    const { signal } = limit;
    const kept = await unlessAborted(signal, () => this.read());
    const { value: before, version } = kept;
    if (order.version !== undefined && order.version !== version) {
      throw new Ended('conflict', `it is of version ${version}, not ${order.version}`);
    }
    const decided = await unlessAborted(signal, () =>
      order.decide(this.#contextOf(order, kept, limit)),
    );
    const value = decided === undefined ? before : decided;
    const isNew = !isDeepStrictEqual(value, before);
    const next = isNew ? this.#next(kept, value, order) : undefined;
    const { actions, back } = await unlessAborted(signal, () => this.#checked(value, kept));
    const grace = { clock: this.#parts.clock, ms: graceMs };
    const limits = { signal, grace: (work: Promise<void>) => within(work, grace) };
    const applied = await this.#carriedOut(() =>
      carryOut(actions, back, this.#parts.control, limits),
    );
    if (next === undefined) {
      this.#isDoubtful = false;
      return { status: 'unchanged', version, value };
    }
    try {
      signal.throwIfAborted();
      await this.#write(lock, version, next);
    } catch (error) {
      if (await this.#isWritten(error, next))
        return { status: 'changed', version: next.version, value };
      throw await this.#takenBack(applied, error);
    }
    this.#isDoubtful = false;
    return { status: 'changed', version: next.version, value };
  }

  async #carriedOut(work: () => Promise<Applied>): Promise<Applied> {
    try {
      return await work();
    } catch (error) {
      this.#isDoubtful = true;
      throw error;
    }
  }

  async #takenBack(applied: Applied, error: unknown): Promise<unknown> {
    const left = await applied.takeBack();
    const isUnknown = isFoundationError(error) && error.outcome === 'unknown';
    this.#isDoubtful = isUnknown || left.length > 0;
    if (!isUnknown && left.length === 0) return error;
    const notes = [
      messageOf(error),
      ...(isUnknown ? ['whether the value was written is not known'] : []),
      ...(left.length > 0 ? [`could not be taken back: ${left.join(', ')}`] : []),
    ];
    return new Ended('failed', notes.join('; '));
  }

  /** Whether a write whose end is not known has happened. */
  async #isWritten(failure: unknown, next: KeptValue): Promise<boolean> {
    if (!isFoundationError(failure) || failure.outcome !== 'unknown') return false;
    try {
      return isDeepStrictEqual(
        await within(this.read(), { clock: this.#parts.clock, ms: graceMs }),
        next,
      );
    } catch {
      return false;
    }
  }

  /** What is stored, unless that is of an earlier registration of its id. */
  #own(kept: KeptValue): KeptValue {
    return kept.registration === this.registration ? kept : this.#initial;
  }

  /** The oldest values go when there are too many, or they would not fit. */
  // oxlint-disable-next-line max-params -- after what, what, on whose order
  #next({ version, history }: KeptValue, value: unknown, { cause, by }: ChangeOrder): KeptValue {
    const { node, clock, store } = this.#parts;
    const name = by === undefined ? {} : { by };
    const change = { version: version + 1, value, cause, node, ...name, at: clock.wallNow() };
    const all = [...history, change].slice(-historyMax);
    const { registration } = this;
    for (let from = 0; from <= all.length; from++) {
      const kept = { registration, value, version: version + 1, history: all.slice(from) };
      if (store.fits(kept)) return kept;
    }
    throw new Ended('refused', 'the value is larger than the store takes');
  }

  /** Whoever had the lock before cannot write any more. */
  async #write({ token }: VariableLock, version: number, next: KeptValue): Promise<void> {
    const kept = token === undefined ? this.#kept : await this.#kept.fencedBy(token);
    const now = await kept.read();
    const isSame = this.#own(now.value).version === version;
    if (isSame && (await kept.compareAndSet(now.version, next)) !== undefined) return;
    throw new Ended('conflict', 'it was changed by another meanwhile');
  }

  /** Refuses what breaks a rule. */
  async #checked(value: unknown, { value: before, version }: KeptValue): Promise<Checked> {
    const { type, agents, constraints = {} } = this.definition;
    const { functions, control } = this.#parts;
    const candidate = { type, value, agents };
    const misshapen = problemOfForm(candidate);
    if (misshapen !== undefined) throw new Ended('refused', misshapen);
    const isKnown = version > 0 && !this.#isDoubtful;
    const actions = this.#actions(value, isKnown ? before : undefined);
    const check = (constraints.check ?? []).map((named) => functions.find(named));
    const { agentsMin, agentsMax } = constraints;
    const active = await countAfter(actions, { agents, control, agentsMin, agentsMax });
    const broken = problemOfConstraints(candidate, active, { ...constraints, check });
    if (broken !== undefined) throw new Ended('refused', broken);
    return { actions, back: isKnown ? this.#actions(before, value) : {} };
  }

  #actions(value: unknown, before: unknown): AgentActions {
    const { type, apply, agents } = this.definition;
    // The form of the values was checked.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const own = actionsByType[type] as ApplyFunction<unknown>;
    const actions = (apply === undefined ? own : this.#parts.functions.find(apply))(
      value,
      before,
      agents,
    );
    const problem = problemOfActions(actions, agents);
    if (problem !== undefined) throw new Ended('failed', problem);
    return actions;
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
      // Its own copy: whoever changes it in place gives a new value all the same.
      value: structuredClone(value),
      version,
      agents,
      context,
      metrics,
      load: load(),
      signal,
      get remainingMs() {
        return leftMs();
      },
      decide(protocol, spec, { deadlineMs = Infinity, ...options } = {}) {
        const how = { ...options, deadlineMs: Math.min(deadlineMs, leftMs()), signal };
        return coordination.start(protocol, spec, agents, how).outcome;
      },
    };
  }
}

function settles(status: VariableStatus): boolean {
  return status === 'changed' || status === 'unchanged' || status === 'refused';
}
