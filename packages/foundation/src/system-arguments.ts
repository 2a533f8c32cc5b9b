import { FoundationError } from './errors.ts';
import { introspections, type Introspection } from './introspection/introspection.ts';
import { shown } from './options.ts';
import { stopReasons } from './process/exit.ts';
import { Pid } from './process/pid.ts';
import { isSingleton } from './registry/registry-message.ts';
import type { SingletonRecord } from './registry/registry-state.ts';

/** What other nodes ask of a node's system process, checked: each throws `INVALID_MESSAGE`. */
export const systemArguments = {
  pid(value: unknown): Pid {
    if (value instanceof Pid) return value;
    throw unfit('a pid', value);
  },

  /** Only what a record has, so that nothing else finds its way into the options of a process. */
  record(value: unknown): SingletonRecord {
    if (!isSingleton(value)) throw unfit('the record of a singleton', value);
    const { name, process, init, listing, consistency, isStopped, about } = value;
    const { capabilities, metadata } = listing;
    return {
      name,
      process,
      init,
      listing: { capabilities, metadata },
      ...(consistency === undefined ? {} : { consistency }),
      ...(isStopped === undefined ? {} : { isStopped }),
      ...(about === undefined ? {} : { about }),
    };
  },

  reason(value: unknown): (typeof stopReasons)[number] {
    const reason = stopReasons.find((each) => each === value);
    if (reason !== undefined) return reason;
    throw unfit(stopReasons.join(' or '), value);
  },

  question(value: unknown): Introspection {
    if (isQuestion(value)) return value;
    throw unfit('a question', value);
  },

  key(value: unknown): string {
    if (typeof value === 'string') return value;
    throw unfit('the key of a snapshot', value);
  },

  snapshot([key, version, state]: readonly unknown[]): [string, number, Uint8Array] {
    if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 0) {
      throw unfit('the version of a snapshot', version);
    }
    if (!(state instanceof Uint8Array)) throw unfit('the bytes of a snapshot', state);
    return [systemArguments.key(key), version, state];
  },
};

function isQuestion(value: unknown): value is Introspection {
  const { kind, to }: { kind?: unknown; to?: unknown } = Object(value);
  return introspections.some((each) => each === kind) && (kind !== 'trace' || to instanceof Pid);
}

function unfit(expected: string, value: unknown): FoundationError {
  return new FoundationError('INVALID_MESSAGE', `expected ${expected}, got: ${shown(value)}`, {
    hint: 'Run the same version of Foundation on all nodes.',
  });
}
