import type { Round } from '../round.ts';
import { countCalls, sendBursts } from './load.ts';
import { usedCpuUs, type Session, type Sessions } from './subject.ts';

/** Counters inside this OS process, made with the means of a subject. Each counts what it handles. */
export interface Counters {
  /** Adds one to a counter and answers its count; a promise, unless the subject is synchronous. */
  call(index: number): unknown;
  /** Adds one to a counter without an answer. */
  cast(index: number): unknown;
  /** Count of a counter, after everything sent to it before. */
  count(index: number): unknown;
  close(): Promise<void>;
}

/** The local measures, from a way to start counters. */
export function localSessions(open: (counters: number) => Promise<Counters>): Sessions {
  return inBothSuites({
    'call-1': async () => callSession(await open(1), 1),
    'call-100': async () => callSession(await open(100), 100),
    cast: async () => castSession(await open(1)),
  });
}

/** The local measures by their names in `processes`, and in `basics`: with `local-` before them. */
export function inBothSuites(sessions: Sessions): Sessions {
  const inBasics = Object.entries(sessions).map(([name, open]) => [`local-${name}`, open]);
  return { ...sessions, ...Object.fromEntries(inBasics) };
}

/** Callers that wait for each answer, each with a counter of its own. */
export function callSession(counters: Counters, callers: number): Session {
  const call = (caller: number): unknown => counters.call(caller);
  return {
    round: (seconds) =>
      rateOf(async () => {
        const before = await handled(counters, callers);
        const answered = await countCalls(call, { callers, seconds, batchCount: 64 });
        mustBeAll(answered, (await handled(counters, callers)) - before);
        return answered;
      }),
    close: () => counters.close(),
  };
}

function castSession(counters: Counters): Session {
  const cast = (): unknown => counters.cast(0);
  const count = (): unknown => counters.count(0);
  return {
    round: (seconds) =>
      rateOf(async () => {
        const before = await handled(counters, 1);
        const sent = await sendBursts(cast, count, seconds);
        const arrived = (await handled(counters, 1)) - before;
        mustBeAll(sent, arrived);
        return arrived;
      }),
    close: () => counters.close(),
  };
}

/** Runs a load and relates what it completed to the time and processor time it took. */
export async function rateOf(
  load: () => Promise<number>,
  cpuUs: () => Promise<number> | number = usedCpuUs,
): Promise<Round> {
  const cpuBefore = await cpuUs();
  const before = performance.now();
  const ops = await load();
  const seconds = (performance.now() - before) / 1_000;
  return { value: ops / seconds, ops, cpuUsPerOp: ((await cpuUs()) - cpuBefore) / ops };
}

/** Refuses a round in which not everything was handled exactly once. */
export function mustBeAll(sent: number, handledCount: number): void {
  if (sent !== handledCount) throw new Error(`sent ${sent}, but ${handledCount} were handled`);
}

async function handled(counters: Counters, length: number): Promise<number> {
  const counts = await Promise.all(Array.from({ length }, (_, index) => counters.count(index)));
  return counts.reduce<number>((sum, count) => sum + Number(count), 0);
}
