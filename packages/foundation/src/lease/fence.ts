import { FoundationError } from '../errors.ts';
import { checkNumber, invalidOption, isNumber } from '../options.ts';

/** The highest fencing token that has been here. Plain data: it may be part of a state, and be stored with it. */
export interface Fence {
  highest: number;
}

/** A fence that nobody has come through yet. */
export function newFence(): Fence {
  return { highest: 0 };
}

/**
 * Lets the holder of a token through unless a later one has been here, and remembers the token. Ask in the same
 * turn in which the effect happens, there where it happens.
 *
 * @returns whether it may go on
 * @throws FoundationError `INVALID_OPTION` for what is no token, or no fence
 */
export function admits(fence: Fence, token: number): boolean {
  checkFence('admits', fence);
  checkToken('admits', token);
  if (token < fence.highest) return false;
  fence.highest = token;
  return true;
}

/**
 * A resource that only the newest holder of a lease can change: `fenced(printer)(lease.token).print(page)`. Once a
 * later holder has called, written or deleted anything, an earlier one who tries gets `FENCED`, and nothing is carried out.
 *
 * A holder sees the resource as it is, and objects in it, however deep, behind the same fence. Reading a property is free,
 * so a getter must change nothing. What a method hands out is not fenced, unless it returns its own object (`this`).
 * Properties cannot be defined, nor the prototype changed.
 *
 * This helps where the resource lives. One that several programs use, such as a database, has to keep the highest
 * token itself.
 *
 * @throws FoundationError `INVALID_OPTION` for what is no object, no fence or no token
 */
export function fenced<Resource extends object>(
  resource: Resource,
  fence: Fence = newFence(),
): (token: number) => Resource {
  if (!isObject(resource)) throw invalidOption('fenced', { resource }, 'an object with methods');
  checkFence('fenced', fence);
  return (token) => {
    checkToken('fenced', token);
    return view(resource, () => {
      if (!admits(fence, token)) throw fencedOff(token, fence.highest);
    });
  };
}

/** What is there of an object for one who has to pass before each effect. */
function view<Resource extends object>(resource: Resource, pass: () => void): Resource {
  const read = (property: PropertyKey): unknown => {
    const value: unknown = Reflect.get(resource, property);
    if (isObject(value)) return view(value, pass);
    if (typeof value !== 'function') return value;
    return (...args: readonly unknown[]): unknown => {
      pass();
      const returned: unknown = Reflect.apply(value, resource, args);
      return returned === resource ? seen : returned;
    };
  };
  const seen = new Proxy(standIn(resource), {
    get: (_, property) => read(property),
    has: (_, property) => Reflect.has(resource, property),
    ownKeys: () => Reflect.ownKeys(resource),
    getPrototypeOf: () => Reflect.getPrototypeOf(resource),
    getOwnPropertyDescriptor(target, property) {
      const own = Reflect.getOwnPropertyDescriptor(resource, property);
      if (own === undefined) return undefined;
      // What a proxy calls fixed has to be so in the stand-in: only the length of an array is.
      const { configurable = true } = Reflect.getOwnPropertyDescriptor(target, property) ?? {};
      const enumerable = own.enumerable === true;
      return { value: read(property), writable: true, enumerable, configurable };
    },
    set(_, property, value) {
      pass();
      return Reflect.set(resource, property, value);
    },
    deleteProperty(_, property) {
      pass();
      return Reflect.deleteProperty(resource, property);
    },
    defineProperty: (_, property) => refused(`define \`${String(property)}\``),
    setPrototypeOf: () => refused('change the prototype'),
    preventExtensions: () => refused('freeze it'),
  });
  return seen;
}

/** Not the resource: a proxy may say of a frozen one only what is frozen there, and never wrap its methods. */
function standIn<Resource extends object>(resource: Resource): Resource {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is asked of it goes to the resource
  return (Array.isArray(resource) ? [] : {}) as Resource;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function checkFence(who: string, fence: Fence): void {
  if (isObject(fence) && isNumber(fence.highest, { min: 0, integer: true })) return;
  throw invalidOption(who, { fence }, 'what `newFence` makes');
}

function checkToken(who: string, token: number): void {
  checkNumber(who, { token }, { min: 1, integer: true });
}

function refused(what: string): never {
  throw new FoundationError('INVALID_OPTION', `who sees a resource behind a fence cannot ${what}`, {
    hint: 'Call a method of the resource that does it. Nothing has changed.',
  });
}

/** What one is told who comes too late. */
export function fencedOff(token: number, highest: number): FoundationError {
  const message = `the fencing token ${token} is out of date: ${highest} has been here`;
  return new FoundationError('FENCED', message, {
    hint: 'Stop: a later holder of the lease does this work now.',
    details: { token, highest },
  });
}
