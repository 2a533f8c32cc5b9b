import { currentScope } from '../context/scope.ts';
import { messageOf } from '../errors.ts';
import type { Runtime } from './runtime.ts';

/**
 * Sees to promises that reject and that nobody waits for, until it is disposed. One that code of a
 * process has left behind is a crash of that process, as if it had been awaited. Any other is reported,
 * by an event and a warning, and ends nothing.
 */
export function catchFloatingRejections(runtime: Runtime): Disposable {
  const onRejection = (error: unknown): void => {
    const owner = currentScope()?.owner;
    if (owner === undefined) return report(runtime, error);
    // Another node of this program sees to its own.
    if (owner.runtime !== runtime) return undefined;
    if (owner.isAlive) return owner.crash(error);
    return report(runtime, error);
  };
  process.on('unhandledRejection', onRejection);
  return { [Symbol.dispose]: () => void process.off('unhandledRejection', onRejection) };
}

function report(runtime: Runtime, error: unknown): void {
  runtime.counters.floatingRejections++;
  const what = 'a promise that nobody waits for was rejected';
  runtime.events.emit('problem', { what, error });
  const detail = error instanceof Error ? (error.stack ?? '') : '';
  process.emitWarning(`${what}: ${messageOf(error)}`, { type: 'FoundationWarning', detail });
}
