import type { ProcessStatistics } from '../introspection/introspection.ts';
import type { ProcessInfo, RuntimeListing } from '../introspection/process-info.ts';
import type { Pid } from '../process/pid.ts';
import type { CounterBoard } from './counter-board.ts';

/** What the main thread knows of a process in a thread without asking. */
export interface Housed {
  readonly pid: Pid;
  readonly process: string;
  readonly name: string | undefined;
  readonly parent: Pid | undefined;
}

/** A thread that does not answer, as far as it is known from outside. */
export function sharedListing(
  housed: ReadonlyMap<number, Housed>,
  board: CounterBoard,
): RuntimeListing {
  const processes = [...housed.values()].flatMap((each) => sharedInfo(each, board) ?? []);
  return { processes, absent: [] };
}

function sharedInfo(housed: Housed, board: CounterBoard): ProcessInfo | undefined {
  const { pid, process, name, parent } = housed;
  const counters = board.read(pid.serial);
  return (
    counters && {
      pid: pid.toString(),
      process,
      name,
      status: 'unresponsive',
      handled: counters.handled,
      mailbox: counters.mailbox,
      restarts: counters.restarts,
      parent: parent?.toString(),
      thread: pid.thread,
    }
  );
}

/** The statistics of a process in such a thread; what is not shared is undefined or nought. */
export function sharedStatistics(
  housed: Housed | undefined,
  board: CounterBoard,
): ProcessStatistics | undefined {
  const info = housed && sharedInfo(housed, board);
  if (info === undefined || housed === undefined) return undefined;
  return {
    ...info,
    mailboxHighWater: board.read(housed.pid.serial)?.mailboxHighWater ?? 0,
    deferred: 0,
    repliesOwed: 0,
    busyMs: 0,
    waitP50Ms: undefined,
    waitP99Ms: undefined,
    waitsSampled: 0,
    timers: 0,
    links: 0,
    monitoredBy: 0,
    monitors: 0,
    current: undefined,
    stateBytes: undefined,
  };
}
