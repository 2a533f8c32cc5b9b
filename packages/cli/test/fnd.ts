import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const flags = ['--conditions=@foundation/source', '--disable-warning=ExperimentalWarning'];

export interface Outcome {
  readonly code: unknown;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `fnd` as a program. */
export function fnd(...words: readonly string[]): Promise<Outcome> {
  return fndIn({}, ...words);
}

/** The same with variables of the environment. */
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
