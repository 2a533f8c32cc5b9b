import { isFoundationError } from '@foundation/core';
import type { Store, Versioned } from '@foundation/core/internal';

import { byKey, type Operation, type Request } from './operation.ts';

type StoreRequest =
  | { readonly kind: 'get' }
  | { readonly kind: 'compareAndSet'; readonly version: number; readonly value: string }
  | { readonly kind: 'delete'; readonly version: number };

type Answer = { readonly version: number; readonly value: string } | number | boolean | undefined;

/** What a client did to one key of a store. */
export interface StoreOperation {
  readonly client: string;
  readonly key: string;
  readonly request: StoreRequest;
  readonly calledAt: number;
  /** `unknown`: it failed and may have been carried out. A `get` answers the value, `compareAndSet` its version, `delete` whether it did. */
  readonly reply: { readonly at: number; readonly output: Answer } | 'unknown';
}

/** Who is recorded, where, and by which clock. */
export interface Recording {
  readonly client: string;
  /** What is done is added here, when it has ended. */
  readonly history: StoreOperation[];
  /** @defaultValue milliseconds of the machine's monotonic clock, which all its processes share */
  readonly now?: () => number;
}

/** The part of a store that histories are about. */
export type KeyValues = Pick<Store, 'get' | 'compareAndSet' | 'delete'>;

function machineMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

/**
 * A store that writes down what is done to it, for {@link checkVersions} and {@link checkLinearizable}.
 * After a failure whose outcome is unknown the client goes on as another one: what it has asked for may still take
 * effect. What was certainly not executed is not written down.
 */
export function recorded(
  store: KeyValues,
  { client, history, now = machineMs }: Recording,
): KeyValues {
  let lives = 0;
  const note = async <T extends Versioned | number | boolean | undefined>(
    key: string,
    request: StoreRequest,
    ask: () => Promise<T>,
  ): Promise<T> => {
    const calledAt = now();
    const who = lives === 0 ? client : `${client}/${lives}`;
    try {
      const answer = await ask();
      history.push({
        client: who,
        key,
        request,
        calledAt,
        reply: { at: now(), output: plain(answer) },
      });
      return answer;
    } catch (error) {
      if (!isFoundationError(error) || error.outcome === 'unknown') {
        history.push({ client: who, key, request, calledAt, reply: 'unknown' });
        lives++;
      }
      throw error;
    }
  };
  return {
    get: (key) => note(key, { kind: 'get' }, () => store.get(key)),
    compareAndSet: (key, version, value) =>
      note(key, { kind: 'compareAndSet', version, value: textOf(value) }, () =>
        store.compareAndSet(key, version, value),
      ),
    delete: (key, version) =>
      note(key, { kind: 'delete', version }, () => store.delete(key, version)),
  };
}

function plain(answer: Versioned | number | boolean | undefined): Answer {
  if (typeof answer !== 'object') return answer;
  return { version: answer.version, value: textOf(answer.value) };
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
    if (request.kind === 'compareAndSet' && typeof output === 'number') {
      values.set(output, request.value);
    }
  }
  return values;
}

function registerRequest(request: StoreRequest, values: ReadonlyMap<number, string>): Request {
  if (request.kind === 'get') return { kind: 'read' };
  const { version } = request;
  const isNothing = version === 0 && request.kind === 'compareAndSet';
  // A version that nobody was ever told is none that the register has had; there is nothing to delete at 0.
  const expected = isNothing ? undefined : (values.get(version) ?? `no version ${version}`);
  const value = request.kind === 'delete' ? undefined : request.value;
  return { kind: 'compare-and-set', expected, value };
}

function outputOf(request: StoreRequest, output: Answer): string | boolean | undefined {
  if (typeof output === 'object') return output.value;
  return request.kind === 'get' ? undefined : output !== undefined && output !== false;
}
