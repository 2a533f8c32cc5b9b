import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { availableParallelism } from 'node:os';

/**
 * Keeps every CPU awake at the lowest priority until disposed.
 *
 * A CPU that sleeps must be woken for each message, which would double the latency of whatever is
 * measured; what the spinner uses, any other program may take away at once. It ends with this process,
 * too, by its stdin.
 */
export function startSpinner(): AsyncDisposable {
  const loop = 'while :; do :; done & spin=$!; cat >/dev/null; kill "$spin"; wait';
  const idle = hasCommand('chrt') ? ['chrt', '--idle', '0'] : ['nice', '-n', '19'];
  const children = Array.from({ length: availableParallelism() }, (_, cpu) => {
    const pinned = hasCommand('taskset') ? ['taskset', '-c', String(cpu)] : [];
    const args = [...pinned, 'sh', '-c', loop];
    return spawn('env', [...idle, ...args], { stdio: ['pipe', 'ignore', 'ignore'] });
  });
  const ended = children.map((child) => once(child, 'close'));
  return {
    async [Symbol.asyncDispose]() {
      for (const child of children) child.stdin.end();
      await Promise.all(ended);
    },
  };
}

/** Whether a command can be found. */
export function hasCommand(name: string): boolean {
  return spawnSync('sh', ['-c', 'command -v "$0"', name], { stdio: 'ignore' }).status === 0;
}
