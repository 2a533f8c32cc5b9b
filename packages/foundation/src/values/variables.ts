import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { Clock } from '../clock.ts';
import type { Store } from '../cluster/store.ts';
import { checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import { isName, nameRule } from '../process/definition-check.ts';
import { isSchema } from '../process/message-check.ts';
import { nodeStopped } from '../process/process-errors.ts';
import type { Wire } from '../process/ref-types.ts';
import type { Random } from '../random.ts';
import type { Codec } from '../wire/codec.ts';
import { StoreVariable, type StrongVariable } from './strong-variable.ts';
import { VariableForm } from './variable-form.ts';
import { decodeVariable, encodeInitial } from './variable-record.ts';

/** How a strong variable is read and written. */
export interface StrongOptions<Given> {
  /** The value before the first one is written. It is not stored: give the same on every node. @defaultValue undefined */
  readonly initial?: Given;
  /** Number of the form that values have, for when that changes: values of a higher one are refused. @defaultValue 1 */
  readonly schemaVersion?: number;
  /** Makes a value of now from one that was stored with a lower `schemaVersion`. Needed when that is not 1. */
  readonly upgrade?: (stored: unknown, schemaVersion: number) => Given;
  /** Milliseconds that `set`, `update` and `fencedBy` try while others write. @defaultValue 5000 */
  readonly timeoutMs?: number;
}

/** The same with a Standard Schema, which checks each value that is written and makes what readers get. */
export interface CheckedOptions<Schema extends StandardSchemaV1> extends StrongOptions<
  StandardSchemaV1.InferInput<Schema>
> {
  readonly schema: Schema;
}

type Storable<T, Variable> =
  T extends Wire<T> ? Variable : { readonly 'the value cannot be stored': T };
type In<Schema extends StandardSchemaV1> = StandardSchemaV1.InferInput<Schema>;
type Out<Schema extends StandardSchemaV1> = StandardSchemaV1.InferOutput<Schema>;

export interface VariablesParts {
  readonly node: string;
  readonly store: Store;
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
}

/** Who refuses an option. */
const who = 'variables.strong';
const known = ['initial', 'schema', 'schemaVersion', 'upgrade', 'timeoutMs'];

/** `node.variables`: values that several nodes read and write. */
export class Variables {
  readonly #parts: VariablesParts;
  readonly #stopped = new AbortController();

  constructor(parts: VariablesParts) {
    this.#parts = parts;
  }

  /**
   * A value that all nodes agree on. Asks nothing of the store yet, and may be called again for the same name.
   *
   * @throws FoundationError `INVALID_OPTION`; `NOT_SERIALIZABLE`, or `INVALID_VALUE` when it is too large, for an
   * `initial` that could not be written
   */
  strong<T>(
    name: string,
    options: StrongOptions<T> & { readonly initial: T },
  ): Storable<T, StrongVariable<T>>;
  strong<T>(
    name: string,
    options?: StrongOptions<T>,
  ): Storable<T, StrongVariable<T | undefined, T>>;
  strong<Schema extends StandardSchemaV1>(
    name: string,
    options: CheckedOptions<Schema> & { readonly initial: In<Schema> },
  ): Storable<In<Schema>, StrongVariable<Out<Schema>, In<Schema>>>;
  strong<Schema extends StandardSchemaV1>(
    name: string,
    options: CheckedOptions<Schema>,
  ): Storable<In<Schema>, StrongVariable<Out<Schema> | undefined, In<Schema>>>;
  strong(
    name: string,
    options: StrongOptions<unknown> & { readonly schema?: StandardSchemaV1 } = {},
  ): unknown {
    if (!isName(name)) throw invalidOption(who, { name }, nameRule);
    check(options);
    const { initial, schema, schemaVersion = 1, upgrade, timeoutMs = 5_000 } = options;
    return new StoreVariable({
      ...this.#parts,
      name,
      key: `variable/${name}`,
      form: new VariableForm(name, {
        initial: this.#copies(name, initial),
        schema,
        schemaVersion,
        upgrade,
      }),
      timeoutMs,
      token: 0,
      checkRunning: this.#checkRunning,
      stopped: this.#stopped.signal,
    });
  }

  /** Makes each reader a copy of its own, as if it came out of the store: nobody changes what others read. */
  #copies(name: string, initial: unknown): () => unknown {
    const { codec } = this.#parts;
    const bytes = encodeInitial(codec, name, initial);
    return () => decodeVariable(codec, name, bytes).stored?.value;
  }

  /** Ends all watching. */
  stop(): void {
    this.#stopped.abort();
  }

  readonly #checkRunning = (): void => {
    if (!this.#stopped.signal.aborted) return;
    throw nodeStopped(this.#parts.node, 'Its variables are read and written on other nodes.');
  };
}

function check(options: StrongOptions<unknown> & { readonly schema?: unknown }): void {
  refuseUnknown(who, options, known);
  const { schema, schemaVersion = 1, upgrade, timeoutMs = 0 } = options;
  if (schema !== undefined && !isSchema(schema)) {
    throw invalidOption(who, { schema }, 'a Standard Schema');
  }
  checkNumber(who, { schemaVersion }, { min: 1, integer: true });
  checkNumber(who, { timeoutMs }, { min: 0, endless: true });
  if (upgrade === undefined ? schemaVersion > 1 : typeof upgrade !== 'function') {
    throw invalidOption(who, { upgrade }, 'a function, since `schemaVersion` is not 1');
  }
}
