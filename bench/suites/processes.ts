import {
  atLeast,
  atMost,
  median,
  timesThatInEachRound,
  timesThatOf,
  timesThatPerCoreOf,
} from '../goal.ts';
import type { Measure, Suite } from '../suite.ts';
import { actors } from './actors.ts';

const rate: Pick<Measure, 'better' | 'spinner' | 'timed'> = {
  better: 'higher',
  spinner: false,
  timed: true,
};
const cost: Pick<Measure, 'better' | 'spinner' | 'timed'> = { ...rate, better: 'lower' };

/** A million processes and what collecting them takes. */
const crowdFlags = ['--expose-gc', '--max-old-space-size=8192'];

/**
 * Two processes of the same program differ by 6 % as V8's threads happen to compile and collect; without
 * them mostly by 2 %.
 */
const steadyFlags = ['--single-threaded'];

const shared = ['call-1', 'call-100', 'cast', 'spawn-stop', 'idle-bytes'];

/**
 * What a process costs, alone in its node: to call, to start and end, to keep, to restart; and what
 * threads and request contexts do to it.
 *
 * - `call-1`, `call-100`: awaited calls of one caller, of 100 callers to 100 processes.
 * - `cast`: casts to one process, counted when handled.
 * - `spawn-stop`: starts under a name, each ended and waited for before the next.
 * - `idle-bytes`: memory of a process that waits for its first message, among a million of them; of peers
 *   that need more, among fewer.
 * - `restart-us`: from the crash of a supervised process until the next is registered under its name.
 * - `threads-2`: work done in two threads, in multiples of the same in one.
 * - `endless-p99`: p99 of calls while a thread is in an endless loop, in multiples of the undisturbed.
 * - `call-context`: `call-1` once more, without anything (`foundation`), with request contexts cut out of
 *   the source, in a new context for each 64 calls, and where OpenTelemetry collects metrics or traces.
 */
export const processes: Suite = {
  name: 'processes',
  measures: [
    { name: 'call-1', unit: 'calls/s', ...rate },
    { name: 'call-100', unit: 'calls/s', ...rate },
    { name: 'cast', unit: 'casts/s', ...rate },
    { name: 'spawn-stop', unit: 'lives/s', ...rate },
    {
      name: 'idle-bytes',
      unit: 'bytes',
      ...cost,
      timed: false,
      once: true,
      nodeFlags: crowdFlags,
    },
    { name: 'restart-us', unit: 'µs', ...cost },
    { name: 'threads-2', unit: '×', ...rate },
    { name: 'endless-p99', unit: '×', ...cost },
    { name: 'call-context', unit: 'calls/s', ...rate, slices: 20, nodeFlags: steadyFlags },
  ],
  subjects: [
    {
      name: 'foundation',
      file: 'foundation-processes.ts',
      measures: [...shared, 'restart-us', 'threads-2', 'endless-p99', 'call-context'],
    },
    { name: 'no-context', file: 'no-context.ts', measures: ['call-context'] },
    { name: 'in-context', file: 'in-context.ts', measures: ['call-context'] },
    {
      name: 'metered',
      file: 'metered.ts',
      needs: { npm: '@opentelemetry/sdk-metrics' },
      measures: ['call-context'],
    },
    {
      name: 'traced',
      file: 'traced.ts',
      needs: { npm: '@opentelemetry/sdk-trace' },
      measures: ['call-context'],
    },
    { name: 'raw', file: 'raw.ts', measures: shared },
    {
      name: 'beam',
      file: 'beam.ts',
      needs: { debian: 'beam' },
      measures: [...shared, 'restart-us'],
    },
    ...actors(shared),
  ],
  goals: [
    atLeast('call-1', 1_800_000, median('calls/s')),
    atLeast('call-1', 0.4, timesThatOf('raw')),
    atLeast('call-1', 2.5, timesThatOf('beam')),
    atLeast('call-1', 4, timesThatOf('nact')),
    atLeast('call-1', 4, timesThatOf('effect')),
    atLeast('call-100', 2_000_000, median('calls/s')),
    atLeast('call-100', 3, timesThatPerCoreOf('beam')),
    atLeast('cast', 10_000_000, median('casts/s')),
    atLeast('cast', 1.5, timesThatOf('beam')),
    atLeast('spawn-stop', 200_000, median('lives/s')),
    atLeast('spawn-stop', 1.5, timesThatOf('beam')),
    atMost('idle-bytes', 1_000, median('bytes')),
    atMost('restart-us', 50, median('µs')),
    atLeast('threads-2', 1.8, median('×')),
    atMost('endless-p99', 2, median('×')),
    atLeast('call-context', 0.95, timesThatInEachRound('foundation', 'no-context')),
    atLeast('call-context', 0.6, timesThatInEachRound('in-context', 'foundation')),
    atLeast('call-context', 0.95, timesThatInEachRound('metered', 'foundation')),
  ],
};
