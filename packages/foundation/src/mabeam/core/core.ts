import { runForNobody } from '../../context/scope.ts';
import { FoundationError } from '../../errors.ts';
import { tell } from '../../events.ts';
import { checkNumber, closest, refuseUnknown } from '../../options.ts';
import type { AgentId } from '../message.ts';
import { within } from '../within.ts';
import { LiveVariable, type VariableParts, type VariableResult } from './live-variable.ts';
import { NamedFunctions } from './named-functions.ts';
import {
  type AnyVariable,
  checkVariable,
  orchestrationDefaults,
  type OrchestrationType,
  type OrchestrationValues,
  type OrchestrationVariable,
} from './orchestration-variable.ts';
import { Schedule } from './schedule.ts';
import { SharedWork } from './shared-work.ts';
import type { VariableCatalog, VariableChange, VariableStore } from './variable-store.ts';

/** What a core stands on. */
export interface CoreParts extends Omit<VariableParts, 'functions' | 'store'> {
  readonly stores: Readonly<Record<'local' | 'cluster', VariableStore>>;
  readonly catalog: VariableCatalog;
}

/** A variable as it is now. */
export interface VariableReading<Value = unknown> {
  readonly value: Value;
  /** 0 before the first change. */
  readonly version: number;
}

/** In whose name a variable is read or set. */
export interface AccessOptions {
  /** An agent; left out, it is the node's own code, which may do all. */
  readonly by?: AgentId;
}

/** How a variable is set. */
export interface VariableUpdateOptions extends AccessOptions {
  /** The version that is to be replaced; another one is a `conflict`. @defaultValue any */
  readonly version?: number;
}

/** Milliseconds that the catalog of the cluster may take. */
const catalogMs = 5_000;

/** Most variables that a node coordinates. */
export const orchestrationVariablesMax = 1_000;

/**
 * `node.mabeam.core`: variables of groups of agents, which are decided again and again, and applied to them.
 *
 * Each change of a variable has the variable to itself, over the cluster when it is of the cluster; variables do not
 * wait for each other, and one that fails or hangs harms no other.
 */
export class Core {
  readonly #parts: CoreParts;
  readonly #functions = new NamedFunctions();
  readonly #variables = new Map<string, LiveVariable>();
  readonly #schedules = new Map<string, Schedule>();
  readonly #listeners = new Set<(result: VariableResult) => void>();
  readonly #catalogReads: SharedWork;
  #metrics: Readonly<Record<string, number>> = {};
  #registrations = 0;
  #isStopped = false;

  constructor(parts: CoreParts) {
    this.#parts = parts;
    const limit = { clock: parts.clock, ms: catalogMs };
    this.#catalogReads = new SharedWork(() =>
      runForNobody(() => within(this.#readCatalog(), limit)),
    );
  }

  /**
   * Makes a function known by name on this node, for variables of the cluster.
   *
   * @throws FoundationError `NAME_TAKEN`, `INVALID_OPTION`
   */
  registerFunction(name: string, fn: (...given: readonly never[]) => unknown): void {
    this.#functions.register(name, fn);
  }

  /**
   * Makes a variable known: of this node, or of the cluster, where any node then coordinates it. It is not coordinated
   * until it is asked for, or scheduled.
   *
   * @throws FoundationError `INVALID_OPTION` with all that is wrong, `NAME_TAKEN`, `UNKNOWN_FUNCTION`; of the cluster
   * also `INVALID_VALUE` when it is too large, and what the store throws
   */
  async registerVariable<Type extends OrchestrationType, Value = OrchestrationValues[Type]>(
    variable: OrchestrationVariable<Type, Value>,
  ): Promise<void> {
    checkVariable(variable);
    // Its functions get no other values than its own.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    const known = variable as unknown as AnyVariable;
    const { id } = known;
    this.#checkRoom(id);
    for (const named of functionsOf(known)) this.#functions.find(named);
    if (known.scope !== 'cluster') return this.#adopt(known, ++this.#registrations);
    const { ids, entry } = this.#parts.catalog;
    // A number that no registration of this id had before: the store counts its writes.
    const registration = await entry(id).set({ definition: known });
    await ids.update((all) => {
      if (Object.hasOwn(all, id)) throw taken(id);
      return { ...all, [id]: registration };
    });
    await this.#readCatalog();
  }

  /** Forgets a variable; what was applied stays. Returns whether it was known. */
  async unregisterVariable(id: string): Promise<boolean> {
    const variable = await this.#found(id);
    if (variable?.definition.scope === 'cluster') {
      await this.#parts.catalog.ids.update(({ [id]: _gone, ...others }) => others);
    }
    return this.#drop(id);
  }

  /** Variables of this node, and of the cluster. @throws what the store throws */
  async variables(): Promise<readonly AnyVariable[]> {
    await this.#readCatalog();
    return [...this.#variables.values()].map(({ definition }) => definition);
  }

  /**
   * Coordinates all variables side by side.
   *
   * @param context - What their functions are told.
   * @returns one result for each that is known, in order of id; never rejects
   */
  async coordinateSystem(context?: unknown): Promise<readonly VariableResult[]> {
    // Without the store those of the cluster fail one by one, and the others need it not.
    await this.#readCatalogIfThere();
    const all = [...this.#variables.values()].toSorted((left, right) =>
      left.definition.id < right.definition.id ? -1 : 1,
    );
    return Promise.all(all.map((variable) => this.#coordinate(variable, context)));
  }

  /** @throws FoundationError `UNKNOWN_VARIABLE`, or what the store throws */
  async coordinate(id: string, context?: unknown): Promise<VariableResult> {
    return this.#coordinate(await this.#find(id), context);
  }

  /**
   * Tells metrics, and runs the adaptations that they set off. Each is remembered until it is told again.
   *
   * @throws FoundationError `INVALID_OPTION` for what is no finite number
   */
  async report(metrics: Readonly<Record<string, number>>): Promise<readonly VariableResult[]> {
    for (const [metric, value] of Object.entries(metrics)) {
      checkNumber('core.report', { [metric]: value }, {});
    }
    this.#metrics = { ...this.#metrics, ...metrics };
    await this.#readCatalogIfThere();
    const changes = [...this.#variables.values()].map((variable) => variable.adapt(this.#metrics));
    const results = (await Promise.all(changes)).filter((result) => result !== undefined);
    for (const result of results) this.#tell(result);
    return results;
  }

  /** @throws FoundationError `UNKNOWN_VARIABLE`, `ACCESS_DENIED`, or what the store throws */
  async get(id: string, options: AccessOptions = {}): Promise<VariableReading> {
    refuseUnknown('core.get', options, ['by']);
    const variable = await this.#find(id);
    checkAccess(variable, 'read', options);
    const { value, version } = await variable.read();
    return { value, version };
  }

  /**
   * Sets a variable by hand. Its constraints hold, and it is applied as any other value.
   *
   * @throws FoundationError `UNKNOWN_VARIABLE`, `ACCESS_DENIED`, `INVALID_VALUE` for undefined, or what the store throws
   */
  async update(
    id: string,
    value: unknown,
    options: VariableUpdateOptions = {},
  ): Promise<VariableResult> {
    refuseUnknown('core.update', options, ['by', 'version']);
    if (value === undefined) {
      throw new FoundationError('INVALID_VALUE', `variable "${id}" cannot be set to undefined`);
    }
    const variable = await this.#find(id);
    checkAccess(variable, 'write', options);
    const { by, version } = options;
    const result = await variable.change({
      cause: 'updated',
      decide: () => value,
      ...(by === undefined ? {} : { by }),
      ...(version === undefined ? {} : { version }),
    });
    this.#tell(result);
    return result;
  }

  /** Up to 50 values that a variable had, the newest last. @throws FoundationError as {@link get} */
  async history(id: string, options: AccessOptions = {}): Promise<readonly VariableChange[]> {
    refuseUnknown('core.history', options, ['by']);
    const variable = await this.#find(id);
    checkAccess(variable, 'read', options);
    return (await variable.read()).history;
  }

  /**
   * @throws FoundationError as {@link get}
   * @yields the value of now, then each newer one, whoever has changed it
   */
  async *watch(
    id: string,
    options: AccessOptions & { readonly signal?: AbortSignal } = {},
  ): AsyncGenerator<VariableReading, void> {
    refuseUnknown('core.watch', options, ['by', 'signal']);
    const variable = await this.#find(id);
    checkAccess(variable, 'read', options);
    for await (const { value, version } of variable.watch(options.signal)) {
      yield { value, version };
    }
  }

  /** Runs after each change that this node has tried. */
  onResult(listener: (result: VariableResult) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Ends all schedules, and what is kept on this node. */
  stop(): void {
    this.#isStopped = true;
    this.#parts.stores.local.stop();
    for (const schedule of this.#schedules.values()) schedule.stop();
    this.#schedules.clear();
  }

  async #coordinate(variable: LiveVariable, context: unknown): Promise<VariableResult> {
    const result = await variable.coordinate({ context, metrics: this.#metrics });
    this.#tell(result);
    return result;
  }

  #tell(result: VariableResult): void {
    for (const listener of this.#listeners) tell(listener, result);
  }

  #checkRoom(id: string): void {
    if (this.#variables.has(id)) throw taken(id);
    if (this.#variables.size < orchestrationVariablesMax) return;
    throw new FoundationError(
      'INVALID_OPTION',
      `variable "${id}" is one more than the ${orchestrationVariablesMax} that a node may have`,
    );
  }

  #adopt(definition: AnyVariable, registration: number): void {
    const { stores, catalog: _catalog, ...parts } = this.#parts;
    const { id, scope = orchestrationDefaults.scope, everyMs } = definition;
    const [store, functions] = [stores[scope], this.#functions];
    // What it was before lets go of its place first.
    this.#drop(id);
    const variable = new LiveVariable(definition, registration, { ...parts, functions, store });
    this.#variables.set(id, variable);
    if (everyMs === undefined || this.#isStopped) return;
    const schedule = new Schedule({
      clock: this.#parts.clock,
      everyMs,
      canRun: () => functionsOf(definition).every((named) => functions.knows(named)),
      lock: () => store.lock(`schedule/${id}`),
      run: async () => this.#coordinate(await this.#find(id), undefined),
    });
    this.#schedules.set(id, schedule);
  }

  /** Takes over what has changed in the cluster, this node's own registrations included. */
  async #readCatalog(): Promise<void> {
    const { ids, entry } = this.#parts.catalog;
    const all = await ids.get();
    for (const [id, { definition }] of this.#variables) {
      if (definition.scope === 'cluster' && !Object.hasOwn(all, id)) this.#drop(id);
    }
    for (const [id, registration] of Object.entries(all)) {
      if (this.#variables.get(id)?.registration === registration) continue;
      const { definition } = (await entry(id).get()) ?? {};
      const isOvertaken = this.#variables.get(id)?.registration === registration;
      if (definition !== undefined && !isOvertaken) this.#adopt(definition, registration);
    }
  }

  /** A store that fails or hangs holds up nobody who needs it not. Those who ask at the same time share what is read. */
  async #readCatalogIfThere(): Promise<void> {
    const limit = { clock: this.#parts.clock, ms: catalogMs };
    await within(this.#catalogReads.next(), limit).catch(() => undefined);
  }

  #drop(id: string): boolean {
    this.#schedules.get(id)?.stop();
    this.#schedules.delete(id);
    this.#variables.get(id)?.close();
    return this.#variables.delete(id);
  }

  /** One of the cluster is looked up each time: another node may have changed what it is. */
  async #found(id: string): Promise<LiveVariable | undefined> {
    const known = this.#variables.get(id);
    if (known !== undefined && known.definition.scope !== 'cluster') return known;
    await this.#readCatalog();
    return this.#variables.get(id);
  }

  async #find(id: string): Promise<LiveVariable> {
    const found = await this.#found(id);
    if (found !== undefined) return found;
    const known = [...this.#variables.keys()];
    const meant = closest(id, known);
    throw new FoundationError('UNKNOWN_VARIABLE', `no variable is called "${id}"`, {
      hint: meant === undefined ? 'Register it first.' : `Did you mean "${meant}"?`,
      details: { id },
    });
  }
}

function functionsOf({ coordinate, apply, adapt, constraints }: AnyVariable): readonly unknown[] {
  const all = [coordinate, apply, adapt?.onHigh, adapt?.onLow, ...(constraints?.check ?? [])];
  return all.filter((named) => named !== undefined);
}

function checkAccess(
  { definition: { id, access = {} } }: LiveVariable,
  deed: 'read' | 'write',
  { by }: AccessOptions,
): void {
  const allowed = access[deed];
  if (by === undefined || allowed === undefined || allowed.includes(by)) return;
  throw new FoundationError('ACCESS_DENIED', `agent "${by}" may not ${deed} variable "${id}"`, {
    hint: `Those who may stand in \`access.${deed}\` of the variable.`,
    details: { id, by },
  });
}

function taken(id: string): FoundationError {
  return new FoundationError('NAME_TAKEN', `there is a variable called "${id}"`, {
    hint: 'Ids are unique. Unregister that variable first, or choose another id.',
    details: { id },
  });
}
