import { invalidOption, refuseUnknown } from '../options.ts';
import type { Behaviour } from './behaviour.ts';
import { Pid } from './pid.ts';
import type { CallOptions } from './ref-types.ts';
import type { RefCore, RefHow } from './ref.ts';

/** Known to the codec, also of another copy of this package. */
export const refSymbol = Symbol.for('@foundation/core.ref');

/**
 * Where a ref or a pid leads now, and under which name if it is made from one.
 *
 * @throws FoundationError `INVALID_OPTION` for anything else
 */
export function targetOf(who: string, target: unknown): Pick<RefHow, 'pid' | 'name'> {
  if (target instanceof Pid) return { pid: target };
  if (typeof target !== 'object' || target === null || !('pid' in target)) {
    throw invalidOption(who, { target }, 'a ref or a pid');
  }
  const { pid } = target;
  if (pid !== undefined && !(pid instanceof Pid)) {
    throw invalidOption(who, { target }, 'a ref or a pid');
  }
  return { pid, name: (target as { readonly [refSymbol]?: RefCore })[refSymbol]?.how.name };
}

/** The object users hold: a method for each call, and `pid`, `try`, `cast` and `with`. */
class Stub {
  readonly [refSymbol]: RefCore;
  #cast: object | undefined = undefined;
  #try: object | undefined = undefined;

  constructor(core: RefCore) {
    this[refSymbol] = core;
  }

  get pid(): Pid | undefined {
    return this[refSymbol].pid;
  }

  /** What `console.log` shows. */
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString();
  }

  toString(): string {
    return `ref(${this[refSymbol].describe()})`;
  }

  get try(): object {
    return (this.#try ??= clientOf(this[refSymbol].derive({ keepsRefusals: true })));
  }

  get cast(): object {
    return (this.#cast ??= new (stubsOf(this[refSymbol].behaviour).Casts)(this[refSymbol]));
  }

  with(options: CallOptions): object {
    refuseUnknown('ref.with', options, ['timeoutMs', 'signal']);
    return clientOf(this[refSymbol].derive(options));
  }
}

/** Where a cast stub keeps its core: any text may be the name of a cast. */
const coreSymbol = Symbol('core');

class CastStub {
  readonly [coreSymbol]: RefCore;

  constructor(core: RefCore) {
    this[coreSymbol] = core;
  }
}

interface Stubs {
  readonly Calls: new (core: RefCore) => Stub;
  readonly Casts: new (core: RefCore) => CastStub;
}

// Only a cache: prototypes are a function of the definition.
const stubs = new WeakMap<Behaviour, Stubs>();

export function clientOf(core: RefCore): Stub {
  const stub = new (stubsOf(core.behaviour).Calls)(core);
  return core.behaviour.isForeign === true ? foreignStub(stub) : stub;
}

/** The definition is not known here: any name is a message. `then` is none, or `await ref` would hang. */
function foreignStub(stub: Stub): Stub {
  const core = stub[refSymbol];
  const casts = new Proxy(core, {
    get:
      (_, name) =>
      (...args: readonly unknown[]) =>
        core.cast(String(name), args, undefined),
  });
  return new Proxy(stub, {
    get(target, name) {
      if (name === 'cast') return casts;
      if (typeof name === 'symbol' || name === 'then')
        return Reflect.get(target, name, target) as unknown;
      if (name in target) return asValue(target, name);
      return (...args: readonly unknown[]) => core.call(name, args, undefined);
    },
  });
}

function asValue(target: Stub, name: string): unknown {
  const value: unknown = Reflect.get(target, name, target);
  return typeof value === 'function' ? value.bind(target) : value;
}

function stubsOf(behaviour: Behaviour): Stubs {
  let made = stubs.get(behaviour);
  if (made === undefined) {
    made = makeStubs(behaviour);
    stubs.set(behaviour, made);
  }
  return made;
}

function makeStubs(behaviour: Behaviour): Stubs {
  class Calls extends Stub {}
  class Casts extends CastStub {}
  for (const name of behaviour.callNames) {
    const entry = behaviour.calls.get(name);
    Object.defineProperty(Calls.prototype, name, {
      value(this: Stub, ...args: readonly unknown[]) {
        return this[refSymbol].call(name, args, entry);
      },
    });
  }
  for (const name of behaviour.castNames) {
    const entry = behaviour.casts.get(name);
    Object.defineProperty(Casts.prototype, name, {
      value(this: CastStub, ...args: readonly unknown[]) {
        return this[coreSymbol].cast(name, args, entry);
      },
    });
  }
  return { Calls, Casts };
}
