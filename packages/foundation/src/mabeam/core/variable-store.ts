import { MemoryStore } from '../../cluster/stores/memory.ts';
import type { Leases } from '../../lease/leases.ts';
import type { StrongVariable } from '../../values/strong-variable.ts';
import { variableBytesMax } from '../../values/variable-record.ts';
import { Variables, type VariablesParts } from '../../values/variables.ts';
import type { Codec } from '../../wire/codec.ts';
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
  /** Of which registration of its id it is: another one begins anew. */
  readonly registration: number;
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
  /** Ends all reading and writing of a variable, and frees what it was, where that is its own. */
  close(id: string): void;
  /** Whether it can be written. @throws FoundationError `NOT_SERIALIZABLE` for what cannot at all */
  fits(kept: KeptValue): boolean;
  /** Undefined when somebody else has it. @param name - one for changes of a variable, one for its schedule */
  lock(name: LockName): Promise<VariableLock | undefined>;
  /** Ends all reading and writing, where that is its own. */
  stop(): void;
}

export type LockName = `variable/${string}` | `schedule/${string}`;

/** In the store of the cluster, behind its leases. */
export function clusterStore(variables: Variables, leases: Leases, codec: Codec): VariableStore {
  return {
    open: (id, initial) => opened(variables, id, initial),
    // Who registers it again begins anew, whatever is there.
    close: () => undefined,
    fits: (kept) => fits(codec, kept),
    async lock(name) {
      const lease = await leases.tryAcquire(`mabeam/${name}`);
      if (lease === undefined) return undefined;
      const { token, signal } = lease;
      return { token, signal, release: () => lease.release() };
    },
    stop: () => undefined,
  };
}

/** Of one node: each variable in a store of its own, which goes with it. */
export function localStore(parts: Omit<VariablesParts, 'store'>): VariableStore {
  const held = new Set<string>();
  const own = new Map<string, Variables>();
  return {
    open(id, initial) {
      const variables = new Variables({ ...parts, store: new MemoryStore() });
      own.set(id, variables);
      return opened(variables, id, initial);
    },
    close(id) {
      own.get(id)?.stop();
      own.delete(id);
    },
    fits: (kept) => fits(parts.codec, kept),
    lock(name) {
      if (held.has(name)) return Promise.resolve(undefined);
      held.add(name);
      const { signal } = new AbortController();
      return Promise.resolve({
        signal,
        release() {
          held.delete(name);
          return Promise.resolve();
        },
      });
    },
    stop() {
      for (const variables of own.values()) variables.stop();
    },
  };
}

function opened(variables: Variables, id: string, initial: KeptValue): StrongVariable<KeptValue> {
  return variables.strong(`mabeam/variable/${id}`, { initial });
}

/** Room for what the store writes beside a value, in bytes. */
const besideBytes = 512;

function fits(codec: Codec, kept: KeptValue): boolean {
  return codec.encode(kept).length <= variableBytesMax - besideBytes;
}

/** A variable of the cluster as it is written down: all its functions by name. */
export interface Registered {
  readonly definition: AnyVariable;
}

/** The variables of the cluster by id, each with the number of its registration. */
export type Catalog = Readonly<Record<string, number>>;

/** Where the variables of the whole cluster are written down. */
export interface VariableCatalog {
  readonly ids: Pick<StrongVariable<Catalog>, 'get' | 'update'>;
  /** One of them. */
  readonly entry: (id: string) => Pick<StrongVariable<Registered | undefined>, 'get' | 'set'>;
}

export function catalogOf(variables: Variables): VariableCatalog {
  return {
    ids: variables.strong<Catalog>('mabeam/variables', { initial: {} }),
    // Functions were refused before, and what values are only the variable knows.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion
    entry: (id) => variables.strong<object>(`mabeam/definition/${id}`) as never,
  };
}
