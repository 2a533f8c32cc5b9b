import { isPlainRecord } from '../plain.ts';

/**
 * A copy of plain data, so that whoever changes it changes nothing that others hold. What is no list, record,
 * `Map` or `Set` (functions, refs, objects of classes) is in it as it was.
 */
export function fresh<T>(value: T): T {
  const copies = new Copies();
  const copy = copies.of(value);
  copies.fill();
  return copy as T;
}

/** Copies of what is inside each other, to any depth and in circles. */
class Copies {
  readonly #made = new Map<object, object>();
  readonly #unfilled: (() => void)[] = [];

  of(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const known = this.#made.get(value);
    if (known !== undefined) return known;
    const copy = this.#begin(value);
    this.#made.set(value, copy);
    return copy;
  }

  fill(): void {
    for (let next = this.#unfilled.pop(); next !== undefined; next = this.#unfilled.pop()) next();
  }

  #begin(value: object): object {
    const prototype = Object.getPrototypeOf(value) as object | null;
    if (value instanceof Map && prototype === Map.prototype) return this.#map(value);
    if (value instanceof Set && prototype === Set.prototype) return this.#set(value);
    if (Array.isArray(value) && prototype === Array.prototype) {
      return this.#record(value, Array.from({ length: value.length }));
    }
    return isPlainRecord(value) ? this.#record(value, Object.create(prototype) as object) : value;
  }

  #map(value: ReadonlyMap<unknown, unknown>): object {
    const copy = new Map<unknown, unknown>();
    this.#unfilled.push(() => {
      for (const [key, each] of value) copy.set(this.of(key), this.of(each));
    });
    return copy;
  }

  #set(value: ReadonlySet<unknown>): object {
    const copy = new Set<unknown>();
    this.#unfilled.push(() => {
      for (const each of value) copy.add(this.of(each));
    });
    return copy;
  }

  #record(value: object, copy: object): object {
    this.#unfilled.push(() => {
      for (const key of Reflect.ownKeys(value)) {
        if (!Object.prototype.propertyIsEnumerable.call(value, key)) continue;
        // Not an assignment: that would make a prototype of what is called `__proto__`.
        const all = { writable: true, enumerable: true, configurable: true };
        Object.defineProperty(copy, key, { value: this.of(Reflect.get(value, key)), ...all });
      }
    });
    return copy;
  }
}
