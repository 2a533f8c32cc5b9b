import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { numberOf, startLineProcess, type LineProcess } from '../line-process.ts';
import type { Round } from '../round.ts';
import { countCalls } from './load.ts';
import { mustBeAll, rateOf } from './local.ts';
import type { Session, Sessions } from './subject.ts';

/** A count and the version that a writer must name to replace it. */
export interface Counted {
  readonly version: number;
  readonly count: number;
}

/** Counts under keys of one SQLite file, made with the means of a subject. */
export interface CountStore {
  /** A count that was never written is 0, at version 0. */
  read(key: string): Promise<Counted>;
  /** Writes if the key is still at that version; tells whether it did. */
  write(key: string, counted: Counted): Promise<boolean>;
  close(): Promise<void>;
}

const processes = 2;
/** Writers in each process. Those of the same number write under the same key. */
const writers = 64;
const keys = Array.from({ length: writers }, (_, writer) => `count-${writer}`);
const readyMs = 30_000;
/** How long a round may take beyond its seconds, in milliseconds. */
const graceMs = 30_000;

/**
 * `sqlite-cas-2`: two OS processes count up under the same keys, each writer by reading a count and writing
 * it plus one. Done is a write that came through; none may be lost.
 *
 * @param program - the subject's file: with `writing-process` and the store's file it is a writing process
 * @param open - opens the store in a file
 */
export function storeSessions(
  program: string,
  open: (file: string) => Promise<CountStore>,
): Sessions {
  return {
    'sqlite-cas-2': () => casSession(program, open),
    'writing-process': async () => writingSession(await open(process.argv[3] ?? '')),
  };
}

async function casSession(
  program: string,
  open: (file: string) => Promise<CountStore>,
): Promise<Session> {
  const directory = await mkdtemp(join(tmpdir(), 'foundation-bench-'));
  const file = join(directory, 'counts.sqlite');
  const store = await open(file);
  const args = [...process.execArgv, program, 'writing-process', file];
  const children = Array.from({ length: processes }, () =>
    startLineProcess(process.execPath, args),
  );
  for (const child of children) await child.next(readyMs);
  return {
    async round(seconds) {
      const before = await sumOf(store);
      const rounds = await Promise.all(children.map((child) => writingRound(child, seconds)));
      const written = rounds.reduce((sum, { ops }) => sum + ops, 0);
      mustBeAll(written, (await sumOf(store)) - before);
      const cpuUs = rounds.reduce((sum, { ops, cpuUsPerOp }) => sum + ops * (cpuUsPerOp ?? 0), 0);
      const value = rounds.reduce((sum, each) => sum + each.value, 0);
      return { value, ops: written, cpuUsPerOp: cpuUs / written };
    },
    async close() {
      for (const child of children) await child[Symbol.asyncDispose]();
      await store.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function writingRound(child: LineProcess, seconds: number): Promise<Round> {
  child.send({ measure: 'writing-process', seconds });
  const answer = await child.next(seconds * 1_000 + graceMs);
  if (typeof answer['error'] === 'string') throw new Error(answer['error']);
  const [value, ops] = [numberOf(answer, 'value'), numberOf(answer, 'ops')];
  return { value, ops, cpuUsPerOp: numberOf(answer, 'cpuUsPerOp') };
}

async function sumOf(store: CountStore): Promise<number> {
  let sum = 0;
  for (const key of keys) sum += (await store.read(key)).count;
  return sum;
}

function writingSession(store: CountStore): Session {
  const countUp = async (writer: number): Promise<void> => {
    const key = keys[writer] ?? '';
    for (;;) {
      const { version, count } = await store.read(key);
      if (await store.write(key, { version, count: count + 1 })) return;
    }
  };
  return {
    round: (seconds) =>
      rateOf(() => countCalls(countUp, { callers: writers, seconds, batchCount: 8 })),
    close: () => store.close(),
  };
}
