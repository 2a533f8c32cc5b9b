import type { Leases } from '../../lease/leases.ts';
import type { StrongVariable } from '../../values/strong-variable.ts';
import type { Variables } from '../../values/variables.ts';
import type { AgentId } from '../message.ts';
import type { AnyVariable } from './orchestration-variable.ts';

/** Why a value changed. */
export type ChangeCause = 'coordinated' | 'adapted' | 'updated';

/** One value that a variable had. */
export interface VariableChange {
  readonly version: number;
  readonly value: unknown;
  readonly cause: ChangeCause;
  /** Node on which it was decided. */
  readonly node: string;
  /** In whose name, if it was set in one. */
  readonly by?: AgentId;
  /** Milliseconds since 1970, by that node's clock. */
  readonly at: number;
}

/** A variable as it is kept: its value, and those before, the newest last. */
export interface KeptValue {
  readonly value: unknown;
  /** Changes so far. The store counts otherwise: a new holder of the lock counts, too. */
  readonly version: number;
  readonly history: readonly VariableChange[];
}

/** The right to change a variable. */
export interface VariableLock {
  /** Grows with each holder; undefined where nobody else can write. */
  readonly token?: number;
  /** Aborted when it is lost. */
  readonly signal: AbortSignal;
  release(): Promise<void>;
}

/** Where variables of one scope are kept. */
export interface VariableStore {
  open(id: string, initial: KeptValue): StrongVariable<KeptValue>;
  /** Undefined when somebody else has it. */
  lock(id: string): Promise<VariableLock | undefined>;
}

/** In the store of the cluster, behind its leases. */
export function clusterStore(variables: Variables, leases: Leases): VariableStore {
  return {
    open: (id, initial) => opened(variables, id, initial),
    async lock(id) {
      const lease = await leases.tryAcquire(keyOf(id));
      if (lease === undefined) return undefined;
      const { token, signal } = lease;
      return { token, signal, release: () => lease.release() };
    },
  };
}

/** Of one node. @param variables - in a store of its own */
export function localStore(variables: Variables): VariableStore {
  const held = new Set<string>();
  return {
    open: (id, initial) => opened(variables, id, initial),
    lock(id) {
      if (held.has(id)) return Promise.resolve(undefined);
      held.add(id);
      const { signal } = new AbortController();
      return Promise.resolve({
        signal,
        release() {
          held.delete(id);
          return Promise.resolve();
        },
      });
    },
  };
}

function opened(variables: Variables, id: string, initial: KeptValue): StrongVariable<KeptValue> {
  return variables.strong(keyOf(id), { initial });
}

function keyOf(id: string): string {
  return `mabeam/variable/${id}`;
}

/** Variables of the cluster as they are written down, by id: all functions by name. */
export type Catalog = Readonly<Record<string, AnyVariable>>;

/** The variables of the whole cluster. */
export function catalogOf(variables: Variables): Pick<StrongVariable<Catalog>, 'get' | 'update'> {
  const catalog = variables.strong<object>('mabeam/variables', { initial: {} });
  // Nobody else writes it, and functions were refused before.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return catalog as unknown as StrongVariable<Catalog>;
}
