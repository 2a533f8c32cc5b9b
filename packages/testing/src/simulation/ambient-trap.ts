import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';

/** A door to the real world: a function of some object. */
type Door = readonly [what: string, owner: object, name: string];

const doors: readonly Door[] = [
  ['Date.now', Date, 'now'],
  ['performance.now', performance, 'now'],
  ['process.hrtime', process, 'hrtime'],
  ['Math.random', Math, 'random'],
  ['setTimeout', globalThis, 'setTimeout'],
  ['setInterval', globalThis, 'setInterval'],
  ['getRandomValues', globalThis.crypto, 'getRandomValues'],
  ['randomUUID', globalThis.crypto, 'randomUUID'],
  ['randomBytes', crypto, 'randomBytes'],
  ['randomFillSync', crypto, 'randomFillSync'],
  ['randomInt', crypto, 'randomInt'],
  ['randomUUID', crypto, 'randomUUID'],
];

/**
 * Tells of each use of real time or real chance until it is disposed of, with the stack. What is simulated must
 * not use any: the same seed would not do the same again.
 */
export function trapAmbient(onUse: (what: string, stack: string) => void): Disposable {
  const tell = (what: string): void => onUse(what, new Error(`use of ${what}`).stack ?? '');
  const undo = doors.map((door) => watch(door, tell));
  const RealDate = Date;
  globalThis.Date = new Proxy(RealDate, {
    construct(target, args, newTarget): object {
      if (args.length === 0) tell('new Date');
      return Reflect.construct(target, args, newTarget) as object;
    },
  });
  syncBuiltinESMExports();
  return {
    [Symbol.dispose]: () => {
      for (const each of undo) each();
      globalThis.Date = RealDate;
      syncBuiltinESMExports();
    },
  };
}

/** Returns what ends it. */
function watch([what, owner, name]: Door, tell: (what: string) => void): () => void {
  const real: unknown = Reflect.get(owner, name);
  if (typeof real !== 'function') throw new TypeError(`${what} is no function`);
  const own = Object.getOwnPropertyDescriptor(owner, name);
  const trap = new Proxy(real, {
    apply(target, self, args): unknown {
      tell(what);
      return Reflect.apply(target as () => unknown, self, args);
    },
  });
  Object.defineProperty(owner, name, { value: trap, configurable: true, writable: true });
  return () => {
    if (own === undefined) Reflect.deleteProperty(owner, name);
    else Object.defineProperty(owner, name, own);
  };
}
