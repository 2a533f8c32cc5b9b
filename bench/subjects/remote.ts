import { fork } from 'node:child_process';
import { once } from 'node:events';

import type { Round } from '../round.ts';
import { quantile } from '../statistics.ts';
import { countCalls, sendBursts, timeCalls } from './load.ts';
import { mustBeAll, rateOf } from './local.ts';
import { usedCpuUs, type Session, type Sessions } from './subject.ts';

/** 100 bytes, also as JSON and as UTF-8. */
export const payload = 'x'.repeat(100);

/** Bytes of a large message. */
export const bulkBytes = 2 ** 20;

/** Large messages on their way at a time. */
const bulkCallers = 4;

/** A connection to an echo in another OS process, made with the means of a subject. */
export interface Remote {
  /** Sends 100 bytes and gets the same 100 bytes back. */
  call(text: string): Promise<unknown>;
  /** Sends 100 bytes one way. */
  send(text: string): unknown;
  /** How many one-way messages the other side has received. */
  arrived(): Promise<number>;
  /** Sends a large message to another receiver than the echo; done when that one has it. */
  bulk?(): Promise<unknown>;
  close(): Promise<void>;
}

/** The remote measures, from a way to connect and the process that is connected to. */
export function remoteSessions(open: () => Promise<[Remote, ServerProcess]>): Sessions {
  const session = (round: RemoteRound) => async (): Promise<Session> => {
    const [remote, server] = await open();
    if ((await remote.call(payload)) !== payload) throw new Error('the echo is not the payload');
    const cpuUs = async (): Promise<number> => usedCpuUs() + (await server.cpuUs());
    return {
      round: (seconds) => round(remote, seconds, cpuUs),
      async close() {
        await remote.close();
        await server.stop();
      },
    };
  };
  return {
    'remote-call-1': session(latencyRound),
    'remote-call-64': session(callRound),
    'remote-oneway-100b': session(oneWayRound),
    'control-p99-under-bulk': session(underBulkRound),
  };
}

type RemoteRound = (
  remote: Remote,
  seconds: number,
  cpuUs: () => Promise<number>,
) => Promise<Round>;

const latencyRound: RemoteRound = async (remote, seconds, cpuUs) => {
  let times: readonly number[] = [];
  const { ops, cpuUsPerOp } = await rateOf(async () => {
    times = await timeCalls(() => remote.call(payload), seconds);
    return times.length;
  }, cpuUs);
  return { value: quantile(times, 0.5), ops, cpuUsPerOp };
};

const callRound: RemoteRound = (remote, seconds, cpuUs) => {
  const call = (): Promise<unknown> => remote.call(payload);
  return rateOf(() => countCalls(call, { callers: 64, seconds, batchCount: 8 }), cpuUs);
};

const oneWayRound: RemoteRound = (remote, seconds, cpuUs) =>
  rateOf(async () => {
    const before = await remote.arrived();
    const sent = await sendBursts(
      () => remote.send(payload),
      () => remote.arrived(),
      seconds,
    );
    const arrived = (await remote.arrived()) - before;
    mustBeAll(sent, arrived);
    return arrived;
  }, cpuUs);

/** Small calls, timed while a stream of large messages runs. */
const underBulkRound: RemoteRound = async (remote, seconds) => {
  const streamed = countCalls(() => remote.bulk?.(), {
    callers: bulkCallers,
    seconds,
    batchCount: 1,
  });
  const times = await timeCalls(() => remote.call(payload), seconds);
  const besides = { 'p50 ms': quantile(times, 0.5) / 1_000, 'MiB/s': (await streamed) / seconds };
  return { value: quantile(times, 0.99) / 1_000, ops: times.length, cpuUsPerOp: null, besides };
};

/** The other OS process of a subject: the same program, with the argument `server`. */
export interface ServerProcess {
  /** What it told when it was ready. */
  readonly ready: unknown;
  cpuUs(): Promise<number>;
  stop(): Promise<void>;
}

/** Starts a subject's program as its server. */
export async function startServer(
  program: string,
  args: readonly string[] = [],
): Promise<ServerProcess> {
  const child = fork(program, ['server', ...args], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const ended = once(child, 'exit').then(([code]) => {
    throw new Error(`the server process ended with ${String(code)}`);
  });
  ended.catch(() => undefined); // told to whoever waits for an answer
  const answer = async (): Promise<unknown> => {
    const [message]: unknown[] = await Promise.race([once(child, 'message'), ended]);
    return message;
  };
  const ready = await answer();
  return {
    ready,
    async cpuUs() {
      child.send('cpu');
      return Number(await answer());
    },
    async stop() {
      child.kill('SIGKILL');
      await ended.catch(() => undefined); // that it ends is what is wanted
    },
  };
}

/** In the server: tells that it is ready, answers for its processor time, ends with its parent. */
export function serveParent(ready: unknown): void {
  process.on('message', () => process.send?.(usedCpuUs()));
  process.on('disconnect', () => process.exit(0));
  process.send?.(ready);
}
