import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { TeamNodeArguments } from './team-node.ts';

/** The nodes of the cluster as processes of the operating system. */
export interface Fleet extends AsyncDisposable {
  readonly names: readonly string[];
  /** SIGKILL: no goodbye, nothing flushed. */
  kill(name: string): void;
  /** Rejects when a node ends that was neither killed nor stopped. */
  readonly failed: Promise<never>;
}

/** Starts the nodes. They get a name, a seed and the cluster's secret, but no address of each other. */
export function launch(shared: Omit<TeamNodeArguments, 'name'>, secret: string): Fleet {
  const children = new Map<string, ChildProcess>();
  const expected = new Set<string>();
  // As in production: messages pass by reference, and stack traces are without their sources.
  const env = { ...process.env, NODE_ENV: 'production', FOUNDATION_SECRET: secret };
  const { promise: failed, reject } = Promise.withResolvers<never>();
  for (let number = 1; number <= shared.nodes; number++) {
    const name = `node-${number}`;
    const argument: TeamNodeArguments = { ...shared, name };
    const child = startProcess(argument, env);
    children.set(name, child);
    child.once('exit', (code) => {
      if (!expected.has(name)) reject(new Error(`${name} ended with code ${String(code)}`));
    });
  }
  return {
    names: [...children.keys()],
    failed,
    kill: (name) => {
      expected.add(name);
      children.get(name)?.kill('SIGKILL');
    },
    [Symbol.asyncDispose]: async () => {
      for (const name of children.keys()) expected.add(name);
      await Promise.all([...children.values()].map(stopProcess));
    },
  };
}

function startProcess(argument: TeamNodeArguments, env: NodeJS.ProcessEnv): ChildProcess {
  const child = fork(new URL('./team-node.ts', import.meta.url), [JSON.stringify(argument)], {
    // What a node says goes to the error output: with --json the standard output is one object.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env,
  });
  child.stderr?.on('data', (text: Buffer) =>
    process.stderr.write(`[${argument.name}] ${text.toString()}`),
  );
  return child;
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  await exited;
}
