import { FoundationError } from '../errors.ts';
import { checkNumber } from '../options.ts';

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
 * @throws FoundationError `INVALID_OPTION` for what is no token
 */
export function admits(fence: Fence, token: number): boolean {
  checkNumber('admits', { token }, { min: 1, integer: true });
  if (token < fence.highest) return false;
  fence.highest = token;
  return true;
}

/**
 * A resource whose methods are there for holders of a lease only: `fenced(printer)(lease.token).print(page)`. Once a
 * later holder has called any of them, those of an earlier one throw `FENCED`, and nothing is carried out.
 *
 * This helps where the resource lives. One that several programs use, such as a database, has to keep the highest
 * token itself.
 */
export function fenced<Resource extends object>(
  resource: Resource,
  fence: Fence = newFence(),
): (token: number) => Resource {
  return (token) => {
    const pass = (): void => {
      if (!admits(fence, token)) throw fencedOff(token, fence.highest);
    };
    const handler: ProxyHandler<Resource> = {
      get(_view, property) {
        const value: unknown = Reflect.get(resource, property);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown => {
          pass();
          return Reflect.apply(value, resource, args);
        };
      },
      set(_view, property, value) {
        pass();
        return Reflect.set(resource, property, value);
      },
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what is asked of it goes to the resource
    return new Proxy({} as Resource, handler);
  };
}

/** What one is told who comes too late. */
export function fencedOff(token: number, highest: number): FoundationError {
  const message = `the fencing token ${token} is out of date: ${highest} has been here`;
  return new FoundationError('FENCED', message, {
    hint: 'Stop: a later holder of the lease does this work now.',
    details: { token, highest },
  });
}
