import {
  atLeast,
  atMost,
  cpuTimesThatOf,
  median,
  timesThatInEachRound,
  timesThatOf,
} from '../goal.ts';
import type { Measure, Suite } from '../suite.ts';

const rate: Pick<Measure, 'better' | 'spinner' | 'timed'> = {
  better: 'higher',
  spinner: false,
  timed: true,
};
const wait: Pick<Measure, 'better' | 'spinner'> = { better: 'lower', spinner: true };

const calls = ['remote-call-1', 'remote-call-64', 'remote-oneway-100b'];
const forming = ['form-3', 'form-10'];

/**
 * What nodes are to each other: calls and messages between two OS processes, small calls beside a stream of
 * large messages, how fast a cluster forms, and the store that the processes of one machine share.
 *
 * - `remote-call-1`: median of single calls, 100 bytes each way; in slices, as it is compared with `raw`.
 * - `remote-call-64`: the same with 64 in flight.
 * - `remote-oneway-100b`: 100-byte one-way messages, counted by the receiver.
 * - `control-p99-under-bulk`: p99 of single calls while four messages of 1 MiB are on their way at a time.
 * - `form-3`, `form-10`: from the last of so many nodes to start until all of them agree.
 * - `sqlite-cas-2`: counts that two processes read and write under the same keys; none may be lost.
 */
export const cluster: Suite = {
  name: 'cluster',
  measures: [
    { name: 'remote-call-1', unit: 'µs', ...wait, timed: true, slices: 10 },
    { name: 'remote-call-64', unit: 'calls/s', ...rate },
    { name: 'remote-oneway-100b', unit: 'messages/s', ...rate },
    { name: 'control-p99-under-bulk', unit: 'ms', ...wait, timed: true },
    { name: 'form-3', unit: 'ms', ...wait, timed: false },
    { name: 'form-10', unit: 'ms', ...wait, timed: false },
    { name: 'sqlite-cas-2', unit: 'writes/s', ...rate },
  ],
  subjects: [
    {
      name: 'foundation',
      file: 'foundation.ts',
      measures: [...calls, 'control-p99-under-bulk', ...forming, 'sqlite-cas-2'],
    },
    {
      name: 'raw',
      file: 'raw.ts',
      measures: [...calls, 'control-p99-under-bulk', 'sqlite-cas-2'],
    },
    {
      name: 'beam',
      file: 'beam.ts',
      needs: { debian: 'beam' },
      measures: [...calls, 'control-p99-under-bulk', ...forming],
    },
    {
      name: 'moleculer',
      file: 'moleculer.mjs',
      needs: { npm: 'moleculer' },
      measures: [...calls, ...forming],
    },
  ],
  goals: [
    atMost('remote-call-1', 1.3, timesThatInEachRound('foundation', 'raw')),
    atMost('remote-call-1', 1.3, cpuTimesThatOf('raw')),
    atLeast('remote-call-64', 120_000, median('calls/s')),
    atLeast('remote-call-64', 2, timesThatOf('moleculer')),
    atLeast('remote-call-64', 3, timesThatOf('beam')),
    atLeast('remote-oneway-100b', 500_000, median('messages/s')),
    atLeast('remote-oneway-100b', 1.5, timesThatOf('beam')),
    atMost('control-p99-under-bulk', 2, median('ms')),
    atMost('control-p99-under-bulk', 1, timesThatOf('beam')),
    atMost('form-3', 1_000, median('ms')),
    atMost('form-10', 3_000, median('ms')),
    atLeast('sqlite-cas-2', 20_000, median('writes/s')),
  ],
};
