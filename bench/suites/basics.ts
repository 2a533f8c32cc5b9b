import { atLeast, atMost, median, timesThatOf } from '../goal.ts';
import type { Measure, Suite } from '../suite.ts';
import { actors } from './actors.ts';

const rate: Pick<Measure, 'better' | 'spinner' | 'timed'> = {
  better: 'higher',
  spinner: false,
  timed: true,
};

const local = ['local-call-1', 'local-call-100', 'local-cast'];
const remote = ['remote-call-1', 'remote-call-64', 'remote-oneway-100b'];
const cluster = ['cluster-form-3', 'kill-seen'];

/**
 * What a message costs, within a process of the system and between two, and how fast a cluster forms
 * and notices a kill.
 *
 * - `local-call-1`, `local-call-100`: awaited calls of one caller, of 100 callers to 100 processes.
 * - `local-cast`: casts to one process, counted when handled.
 * - `remote-call-1`: median of single calls between two OS processes, 100 bytes each way.
 * - `remote-call-64`: the same with 64 in flight.
 * - `remote-oneway-100b`: 100-byte one-way messages, counted by the receiver.
 * - `cluster-form-3`: from the last of three nodes to start until all three agree.
 * - `kill-seen`: from the SIGKILL of one of three until the two others have seen it.
 */
export const basics: Suite = {
  name: 'basics',
  measures: [
    { name: 'local-call-1', unit: 'calls/s', ...rate },
    { name: 'local-call-100', unit: 'calls/s', ...rate },
    { name: 'local-cast', unit: 'casts/s', ...rate },
    { name: 'remote-call-1', unit: 'µs', better: 'lower', spinner: true, timed: true },
    { name: 'remote-call-64', unit: 'calls/s', ...rate },
    { name: 'remote-oneway-100b', unit: 'messages/s', ...rate },
    { name: 'cluster-form-3', unit: 'ms', better: 'lower', spinner: true, timed: false },
    { name: 'kill-seen', unit: 'ms', better: 'lower', spinner: true, timed: false },
  ],
  subjects: [
    { name: 'foundation', file: 'foundation.ts', measures: [...local, ...remote, ...cluster] },
    { name: 'raw', file: 'raw.ts', measures: [...local, ...remote] },
    {
      name: 'beam',
      file: 'beam.ts',
      needs: { debian: 'beam' },
      measures: [...local, ...remote, ...cluster],
    },
    {
      name: 'moleculer',
      file: 'moleculer.mjs',
      needs: { npm: 'moleculer' },
      measures: [...local, ...remote, ...cluster],
    },
    ...actors(local),
  ],
  goals: [
    atLeast('local-call-1', 1_500_000, median('calls/s')),
    atLeast('local-call-1', 2, timesThatOf('beam')),
    atLeast('local-call-1', 3, timesThatOf('nact')),
    atLeast('local-call-1', 3, timesThatOf('xstate')),
    atLeast('local-call-1', 3, timesThatOf('effect')),
    atLeast('local-cast', 5_000_000, median('casts/s')),
    atMost('remote-call-1', 1.5, timesThatOf('raw')),
    atLeast('remote-call-64', 100_000, median('calls/s')),
    atLeast('remote-call-64', 1.5, timesThatOf('moleculer')),
    atLeast('remote-oneway-100b', 300_000, median('messages/s')),
    atLeast('remote-oneway-100b', 3, timesThatOf('moleculer')),
    atMost('cluster-form-3', 2_000, median('ms')),
    atMost('kill-seen', 100, median('ms')),
  ],
};
