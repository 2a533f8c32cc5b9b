import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ProgramRun {
  readonly stdout: string;
  /** Why it failed, with what it wrote to stderr; undefined when it succeeded. */
  readonly failure: string | undefined;
}

/**
 * Runs a TypeScript file against the packages' sources, as a program of its own whose clusters meet
 * nobody else's. It is ended, with everything it started, after `timeoutMs`.
 */
export async function runProgram(file: string, timeoutMs: number): Promise<ProgramRun> {
  const home = mkdtempSync(join(tmpdir(), 'foundation-program-'));
  try {
    return await outcomeOf(start(file, home), timeoutMs);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

function start(file: string, home: string): ChildProcess {
  const flags = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];
  return spawn(process.execPath, [...flags, file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, FOUNDATION_HOME: home },
    detached: true, // leads a group, so that all of it can be ended at once
  });
}

async function outcomeOf(child: ChildProcess, timeoutMs: number): Promise<ProgramRun> {
  let stdout = '';
  let stderr = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const { promise, resolve, reject } = Promise.withResolvers<string | undefined>();
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    killGroup(child);
  }, timeoutMs);
  child.once('error', reject);
  // Comes when nobody holds its output any more: it has ended, and so has what it started.
  child.once('close', (code, signal) => {
    if (isLate) resolve(`did not end within ${timeoutMs / 1_000} s`);
    else resolve(code === 0 ? undefined : `ended with ${signal ?? code}`);
  });
  const reason = await promise.finally(() => clearTimeout(timer));
  return { stdout, failure: reason === undefined ? undefined : `${reason}\n${stderr}`.trimEnd() };
}

function killGroup({ pid }: ChildProcess): void {
  if (pid !== undefined) process.kill(-pid, 'SIGKILL');
}
