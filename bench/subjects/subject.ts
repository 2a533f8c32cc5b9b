import { createInterface } from 'node:readline';

import { numberOf, parseMessage } from '../line-process.ts';
import type { Round } from '../round.ts';

/** One measure, set up and ready for rounds. */
export interface Session {
  round(seconds: number): Promise<Round>;
  close(): Promise<void>;
}

/** How to set up each measure of a subject, by its name. */
export type Sessions = Readonly<Record<string, () => Promise<Session>>>;

/**
 * Answers the runner. The measure is the first argument of the program.
 *
 * Says `{"ready":true,"version":…}` once, then answers each line `{"measure":…,"seconds":…}` with
 * `{"value":…,"ops":…,"cpuUsPerOp":…,"besides":{…}}`, or `{"error":…}`, until stdin ends.
 *
 * @param held - What the sessions need, released after them.
 */
export async function serveSubject(
  version: string,
  sessions: Sessions,
  held?: AsyncDisposable,
): Promise<void> {
  const measure = process.argv[2] ?? '';
  const open = sessions[measure];
  if (open === undefined) throw new Error(`no measure \`${measure}\` in this subject`);
  const session = await open();
  say({ ready: true, version });
  for await (const line of createInterface({ input: process.stdin })) {
    const request = parseMessage(line);
    if (request === undefined) continue;
    try {
      if (request['measure'] !== measure) throw new Error(`started for ${measure}, got: ${line}`);
      say(await session.round(numberOf(request, 'seconds')));
    } catch (error) {
      say({ error: error instanceof Error ? error.message : String(error) });
    }
  }
  await session.close();
  await held?.[Symbol.asyncDispose]();
  process.exit(0);
}

/** Writes one line of JSON to stdout. */
export function say(message: object): void {
  process.stdout.write(`${JSON.stringify(message)}\n`);
}

/** Processor time that this process has used since it began, in µs. */
export function usedCpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
