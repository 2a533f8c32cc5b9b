import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

/**
 * What a program is started through so that the kernel kills it, frozen or not, when the program that started it is
 * gone.
 */
export const throughGuard: readonly string[] = ['setpriv', '--pdeathsig', 'KILL'];
/** What a program is started through to have a network of its own. */
export const throughNewNetwork: readonly string[] = [...throughGuard, 'unshare', '--net'];

/** What a program is started through to be in the network of a process. */
export function throughNetworkOf(osPid: number): readonly string[] {
  return [...throughGuard, 'nsenter', `--net=/proc/${osPid}/ns/net`];
}

/**
 * A network namespace. It has no name and so nothing that could be left behind: it is gone with the last
 * process in it, and this one keeps it until it is disposed of.
 */
export class Namespace implements AsyncDisposable {
  readonly #keeper: ChildProcess;

  private constructor(keeper: ChildProcess) {
    this.#keeper = keeper;
  }

  static async open(): Promise<Namespace> {
    const [command, ...args] = [...throughNewNetwork, 'sh', '-c', 'echo; exec sleep infinity'];
    const keeper = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(keeper, 'exit').then(() => {
      throw new Error('the process that keeps a network namespace has ended');
    });
    await Promise.race([once(keeper.stdout, 'data'), ended]);
    ended.catch(() => {});
    return new Namespace(keeper);
  }

  get osPid(): number {
    return this.#keeper.pid ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#keeper.exitCode !== null || this.#keeper.signalCode !== null) return;
    const exited = once(this.#keeper, 'exit');
    this.#keeper.kill('SIGKILL');
    await exited;
  }
}

/**
 * Runs commands of `ip` in the network of a process.
 *
 * @throws Error with what `ip` said.
 */
export function configure(osPid: number, commands: readonly string[]): void {
  const [command, ...args] = [...throughNetworkOf(osPid), 'ip', '-batch', '-'];
  const { status, stderr, error } = spawnSync(command, args, {
    input: commands.join('\n'),
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`ip failed: ${error?.message ?? stderr}`);
}
