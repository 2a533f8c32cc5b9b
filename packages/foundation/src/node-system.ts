import type { Station } from './messaging/exchange.ts';
import type { ProcessInfo } from './node-api.ts';
import { compileInternal, type Behaviour } from './process/definition.ts';
import { Pid, firstSerial } from './process/pid.ts';
import type { ProcessContext } from './process/process-context.ts';
import type { Runtime } from './process/runtime.ts';
import type { SingletonRecord } from './registry/registry-state.ts';

/** Milliseconds that another node may take to start a process; `init` may have to load a model. */
const startTimeoutMs = 120_000;

/** What a node does for other nodes. */
export interface SystemDuties {
  processes(): readonly ProcessInfo[];
  startSingleton(record: SingletonRecord): Promise<void>;
}

/** First process of each node, so that its address needs no name. */
export function systemProcess(duties: SystemDuties): Behaviour {
  return compileInternal('foundation.node', {
    start: () => ({}),
    calls: {
      processes: () => duties.processes(),
      startSingleton: (ctx, record) =>
        (ctx as ProcessContext).later(() =>
          attempt(() => duties.startSingleton(record as SingletonRecord)),
        ),
    },
  });
}

/** Errors are answers here: those of others must not end the node's own process. */
async function attempt(work: () => Promise<void>): Promise<unknown> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error;
  }
}

export interface SystemRef {
  processes(): Promise<readonly ProcessInfo[]>;
  startSingleton(record: SingletonRecord): Promise<unknown>;
}

/** The system process of another node. */
export function systemOf(
  runtime: Runtime,
  behaviour: Behaviour,
  { node, incarnation }: Station,
): SystemRef {
  const pid = new Pid(node, incarnation, firstSerial(0));
  return runtime.refTo(behaviour, { pid, timeoutMs: startTimeoutMs }) as SystemRef;
}
