/**
 * A copy of plain data, so that whoever changes it changes nothing that others hold. What is no list, record,
 * `Map` or `Set` (functions, refs, objects of classes) is in it as it was.
 */
export function fresh<T>(value: T, made: Map<unknown, unknown> = new Map()): T {
  if (typeof value !== 'object' || value === null) return value;
  const known = made.get(value) ?? copyOf(value, made);
  return known as T;
}

function copyOf(value: object, made: Map<unknown, unknown>): object {
  if (Array.isArray(value)) {
    const copy: unknown[] = [];
    made.set(value, copy);
    for (const each of value) copy.push(fresh(each, made));
    return copy;
  }
  const prototype = Object.getPrototypeOf(value) as object | null;
  if (value instanceof Map && prototype === Map.prototype) {
    const copy = new Map<unknown, unknown>();
    made.set(value, copy);
    for (const [key, each] of value) copy.set(fresh(key, made), fresh(each, made));
    return copy;
  }
  if (value instanceof Set && prototype === Set.prototype) {
    const copy = new Set<unknown>();
    made.set(value, copy);
    for (const each of value) copy.add(fresh(each, made));
    return copy;
  }
  if (prototype !== Object.prototype && prototype !== null) return value;
  const copy = Object.create(prototype) as Record<string, unknown>;
  made.set(value, copy);
  for (const [key, each] of Object.entries(value)) copy[key] = fresh(each, made);
  return copy;
}
