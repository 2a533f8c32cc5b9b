import { isFoundationError } from '@foundation/core';
import type { Store, Versioned } from '@foundation/core/internal';

import { byKey, type Operation, type Request } from './operation.ts';

export type StoreRequest =
  | { readonly kind: 'get' }
  | { readonly kind: 'compareAndSet'; readonly version: number; readonly value: string }
  | { readonly kind: 'delete'; readonly version: number }
  /** A write over whatever is there. */
  | { readonly kind: 'set'; readonly value: string }
  /** A read and a write of what was made of it, at one moment. */
  | { readonly kind: 'update'; readonly seen: string | undefined; readonly value: string };

type Answer = { readonly version: number; readonly value: string } | number | boolean | undefined;

/** What a client did to one key of a store. */
export interface StoreOperation {
  readonly client: string;
  readonly key: string;
  readonly request: StoreRequest;
  readonly calledAt: number;
  /** `unknown`: it failed and may have been carried out. A `get` answers the value, a write its version, `delete` whether it did. */
  readonly reply: { readonly at: number; readonly output: Answer } | 'unknown';
}

/** Who is recorded, where, and by which clock. */
export interface Recording {
  readonly client: string;
  /** What is done is added here, when it has ended. */
  readonly history: { push(operation: StoreOperation): unknown };
  /**
   * Told of what is about to be done, as yet of unknown outcome: all that is known when its client is killed. Told
   * again, with the same `calledAt`, when it has become another thing.
   */
  readonly onBegin?: (operation: StoreOperation) => void;
  /** @defaultValue milliseconds of the machine's monotonic clock, which all its processes share */
  readonly now?: () => number;
}

/** The part of a store that histories are about. */
export type KeyValues = Pick<Store, 'get' | 'compareAndSet' | 'delete'>;

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * Does something and writes it down. What was asked is looked at when it has ended, and when `ask` says that it
 * has become another thing.
 */
export type Recorder = <T extends Answer>(
  key: string,
  request: () => StoreRequest,
  ask: (onBecoming: () => void) => Promise<T>,
) => Promise<T>;

/**
 * Writes down what one client does. After a failure whose outcome is unknown the client goes on as another one:
 * what it has asked for may still take effect. What was certainly not executed is not written down.
 */
export function recorder({ client, history, onBegin, now = machineMs }: Recording): Recorder {
  let lives = 0;
  return async (key, request, ask) => {
    const calledAt = now();
    const who = lives === 0 ? client : `${client}/${lives}`;
    const tell = (): void =>
      onBegin?.({ client: who, key, request: request(), calledAt, reply: 'unknown' });
    tell();
    try {
      const output = await ask(tell);
      const reply = { at: now(), output };
      history.push({ client: who, key, request: request(), calledAt, reply });
      return output;
    } catch (error) {
      if (!isFoundationError(error) || error.outcome === 'unknown') {
        history.push({ client: who, key, request: request(), calledAt, reply: 'unknown' });
        lives++;
      }
      throw error;
    }
  };
}

/** A store that writes down what is done to it, for {@link checkVersions} and {@link checkLinearizable}. */
export function recorded(store: KeyValues, recording: Recording): KeyValues {
  const note = recorder(recording);
  return {
    async get(key) {
      let found: Versioned | undefined;
      await note(
        key,
        () => ({ kind: 'get' }),
        async () => plain((found = await store.get(key))),
      );
      return found;
    },
    compareAndSet: (key, version, value) =>
      note(
        key,
        () => ({ kind: 'compareAndSet', version, value: textOf(value) }),
        () => store.compareAndSet(key, version, value),
      ),
    delete: (key, version) =>
      note(
        key,
        () => ({ kind: 'delete', version }),
        () => store.delete(key, version),
      ),
  };
}

function plain(found: Versioned | undefined): Answer {
  return found && { version: found.version, value: textOf(found.value) };
}

function textOf(value: Uint8Array): string {
  return Buffer.from(value).toString('latin1');
}

/**
 * The same history as one of plain registers: a version stands for the value that was written with it. Values
 * must be unique for each key.
 */
export function asRegisters(history: readonly StoreOperation[]): readonly Operation[] {
  return [...byKey(history).values()].flatMap((operations) => {
    const values = valuesByVersion(operations);
    return operations.map(({ request, reply, ...rest }): Operation => {
      const output = reply === 'unknown' ? undefined : outputOf(request, reply.output);
      return {
        ...rest,
        request: registerRequest(request, values),
        reply: reply === 'unknown' ? reply : { at: reply.at, output },
      };
    });
  });
}

/** What each version holds, as far as anybody was told. */
export function valuesByVersion(
  operations: readonly StoreOperation[],
): ReadonlyMap<number, string> {
  const values = new Map<number, string>();
  for (const { request, reply } of operations) {
    if (reply === 'unknown') continue;
    const { output } = reply;
    if (typeof output === 'object') values.set(output.version, output.value);
    if ('value' in request && typeof output === 'number') values.set(output, request.value);
  }
  return values;
}

function registerRequest(request: StoreRequest, values: ReadonlyMap<number, string>): Request {
  if (request.kind === 'get') return { kind: 'read' };
  if (request.kind === 'set') return { kind: 'write', value: request.value };
  if (request.kind === 'update') {
    return { kind: 'compare-and-set', expected: request.seen, value: request.value };
  }
  const { version } = request;
  const isNothing = version === 0 && request.kind === 'compareAndSet';
  // A version that nobody was ever told is none that the register has had; there is nothing to delete at 0.
  const expected = isNothing ? undefined : (values.get(version) ?? `no version ${version}`);
  const value = request.kind === 'delete' ? undefined : request.value;
  return { kind: 'compare-and-set', expected, value };
}

function outputOf(request: StoreRequest, output: Answer): string | boolean | undefined {
  if (typeof output === 'object') return output.value;
  return request.kind === 'get' || request.kind === 'set'
    ? undefined
    : output !== undefined && output !== false;
}
