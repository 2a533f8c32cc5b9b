/** Data in place of a function: the result of a step, or a part of it. Survives a trip to another node. */
export interface Reference {
  /** Id of the step whose result is meant. */
  readonly $from: string;
  /** Keys and indices that lead into the result; absent or empty: the whole result. */
  readonly path?: readonly (string | number)[];
}

/**
 * Refers to the result of another step.
 *
 * @example
 * ```ts
 * import { from } from '@foundation/agents';
 * from('first', 'unsure'); // => { $from: 'first', path: ['unsure'] }
 * ```
 */
export function from(step: string, ...path: readonly (string | number)[]): Reference {
  return path.length === 0 ? { $from: step } : { $from: step, path };
}

/** Whether a value is a well-formed {@link Reference}. */
export function isReference(value: unknown): value is Reference {
  if (!isPlainObject(value) || typeof value['$from'] !== 'string') return false;
  const { $from: _step, path, ...others } = value;
  if (Object.keys(others).length > 0) return false;
  return path === undefined || (Array.isArray(path) && path.every(isKey));
}

/**
 * Puts results in the place of the references in `input`, at any depth of arrays and plain objects.
 *
 * What has no result, because its step was skipped or the path leads nowhere, becomes `undefined`. Results are
 * not searched for references again. The input itself is left as it is.
 */
export function resolveInput(input: unknown, results: ReadonlyMap<string, unknown>): unknown {
  if (isReference(input)) return valueAt(results.get(input.$from), input.path ?? []);
  if (Array.isArray(input)) return input.map((item: unknown) => resolveInput(item, results));
  if (!isPlainObject(input)) return input;
  return Object.fromEntries(
    Object.entries(input).map(([key, value]) => [key, resolveInput(value, results)]),
  );
}

/** Whether a `when` condition is unmet: false, zero, nothing, or something with nothing in it. */
export function isEmpty(value: unknown): boolean {
  if (!value) return true;
  if (typeof value !== 'object') return false;
  if (Array.isArray(value)) return value.length === 0;
  if (value instanceof Map || value instanceof Set) return value.size === 0;
  if (value instanceof Uint8Array) return value.length === 0;
  return isPlainObject(value) && Object.keys(value).length === 0;
}

/** Something found in an input that matters for validation. */
export type InputFinding =
  | { readonly kind: 'reference'; readonly path: string; readonly reference: Reference }
  | { readonly kind: 'problem'; readonly path: string; readonly message: string };

/** Deepest nesting of an input. */
const depthMax = 100;

/** Every reference in `input`, and everything in it that could not be sent to another node. */
export function searchInput(input: unknown, path: string): readonly InputFinding[] {
  const found: InputFinding[] = [];
  search(input, path, { above: [], found });
  return found;
}

interface Search {
  /** The objects around the value at hand, outermost first. */
  readonly above: readonly object[];
  readonly found: InputFinding[];
}

function search(input: unknown, path: string, { above, found }: Search): void {
  const message = problemOf(input, above);
  if (message !== undefined) {
    found.push({ kind: 'problem', path, message });
  } else if (isReference(input)) {
    found.push({ kind: 'reference', path, reference: input });
  } else if (Array.isArray(input)) {
    const inside = { above: [...above, input], found };
    for (const [index, item] of input.entries()) {
      if (!isHarmless(item)) search(item, `${path}[${index}]`, inside);
    }
  } else if (isPlainObject(input)) {
    const inside = { above: [...above, input], found };
    for (const [key, value] of Object.entries(input)) {
      if (!isHarmless(value)) search(value, `${path}.${key}`, inside);
    }
  }
}

/** Spares long lists of texts and numbers the search. */
function isHarmless(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function problemOf(input: unknown, above: readonly object[]): string | undefined {
  if (typeof input === 'function' || typeof input === 'symbol') {
    return `expected data that can be sent to another node, got: a ${typeof input}`;
  }
  if (typeof input !== 'object' || input === null) return undefined;
  if (above.includes(input)) return 'expected data without circles, got: an object inside itself';
  if (above.length >= depthMax) return `expected at most ${depthMax} levels of nesting`;
  if (isPlainObject(input) && '$from' in input && !isReference(input)) {
    return 'expected a reference { $from: stepId, path?: (string | number)[] }';
  }
  return undefined;
}

function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null) return undefined;
    if (current instanceof Map) current = current.get(key);
    else current = Object.getOwnPropertyDescriptor(current, key)?.value;
  }
  return current;
}

/** Whether a value is an object literal, and not an instance of something. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function isKey(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number';
}
