import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { format } from 'node:util';

import { vi } from 'vitest';

import { runCommandLine } from '../src/command-line.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const flags = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];

export interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Carries out a command line of `fnd` in this process: what a program of its own would do a second later. */
export async function fnd(...words: readonly string[]): Promise<Outcome> {
  const told = { stdout: '', stderr: '' };
  const spies = [
    vi.spyOn(console, 'log').mockImplementation((...items) => {
      told.stdout += `${format(...items)}\n`;
    }),
    vi.spyOn(console, 'error').mockImplementation((...items) => {
      told.stderr += `${format(...items)}\n`;
    }),
    vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
      told.stdout += String(text);
      return true;
    }),
    vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
      told.stderr += String(text);
      return true;
    }),
  ];
  try {
    const code = await runCommandLine(words);
    return { code, ...told };
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

/** Runs `fnd` as a program, with variables of the environment. */
export function fndIn(
  variables: Readonly<Record<string, string>>,
  ...words: readonly string[]
): Promise<Outcome> {
  return new Promise((resolve) => {
    const env = { ...process.env, ...variables };
    execFile(process.execPath, [...flags, main, ...words], { env }, (error, stdout, stderr) =>
      resolve({ code: error?.code ?? 0, stdout, stderr }),
    );
  });
}
