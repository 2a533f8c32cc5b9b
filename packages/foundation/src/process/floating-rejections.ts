import { currentScope } from '../context/scope.ts';
import { messageOf } from '../errors.ts';
import type { Runtime } from './runtime.ts';

// The event is the program's: one listener serves all its nodes.
const runtimes = new Set<Runtime>();

/**
 * Sees to promises that reject and that nobody waits for, until it is disposed. One that code of a
 * process has left behind is a crash of that process, as if it had been awaited. Any other is reported,
 * by an event of each node and by a warning, and ends nothing.
 */
export function catchFloatingRejections(runtime: Runtime): Disposable {
  if (runtimes.size === 0) process.on('unhandledRejection', onRejection);
  runtimes.add(runtime);
  return {
    [Symbol.dispose]() {
      runtimes.delete(runtime);
      if (runtimes.size === 0) process.off('unhandledRejection', onRejection);
    },
  };
}

function onRejection(error: unknown): void {
  const owner = currentScope()?.owner;
  if (owner?.isAlive === true && runtimes.has(owner.runtime)) owner.crash(error);
  else report(error);
}

function report(error: unknown): void {
  const what = 'a promise that nobody waits for was rejected';
  for (const { counters, events } of runtimes) {
    counters.floatingRejections++;
    events.emit('problem', { what, error });
  }
  const detail = error instanceof Error ? (error.stack ?? '') : '';
  process.emitWarning(`${what}: ${messageOf(error)}`, { type: 'FoundationWarning', detail });
}
