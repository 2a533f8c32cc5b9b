import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';

import type { Question, Report, TestCommands } from './test-program.ts';

/** How a program is started. */
export interface SpawnOptions {
  readonly args?: readonly string[];
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>;
  /**
   * A command, with its arguments, that becomes the program; for instance `['nice', '-n', '5']`, or the one of a
   * host of a lab. @defaultValue none
   */
  readonly through?: readonly string[];
  /** Milliseconds that it may take to be ready. @defaultValue 20000 */
  readonly readyMs?: number;
}

/** A program that a test has started; it ends with the test at the latest. */
export interface TestProcess<Commands extends TestCommands = TestCommands> extends AsyncDisposable {
  readonly osPid: number;
  /** What it said when it was ready. */
  readonly ready: unknown;
  readonly isRunning: boolean;
  /** Runs one of its commands. Rejects with the command's error, with `code`, `hint` and `details`. */
  ask<Name extends keyof Commands & string>(
    command: Name,
    ...args: Parameters<Commands[Name]>
  ): Promise<Awaited<ReturnType<Commands[Name]>>>;
  /** Asks it to end by itself (SIGTERM) and waits until it has. */
  stop(): Promise<void>;
  /** Ends it without a word (SIGKILL). */
  kill(): Promise<void>;
  /** Stops its clock, as it were (SIGSTOP): it says nothing and keeps its connections. */
  freeze(): void;
  /** Lets a frozen one go on (SIGCONT). */
  thaw(): void;
}

/**
 * Starts a program in an operating-system process of its own and waits until it is ready; the
 * program must call {@link runTestProgram}.
 *
 * @throws Error with what it wrote to stderr when it ends before, or is not ready in time.
 */
export async function spawnNode<Commands extends TestCommands>(
  module: URL,
  options: SpawnOptions = {},
): Promise<TestProcess<Commands>> {
  const [command, ...args] = [...(options.through ?? []), process.execPath];
  const child = fork(module, options.args ?? [], {
    execPath: command,
    execArgv: [...args, ...nodeFlags],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'advanced',
    env: { PATH: process.env['PATH'] ?? '', NODE_ENV: 'test', ...options.env },
  });
  const spawned = new SpawnedProcess(child);
  try {
    await spawned.untilReady(options.readyMs ?? 20_000);
  } catch (error) {
    await spawned.kill();
    throw error;
  }
  return spawned as unknown as TestProcess<Commands>;
}

/** From its sources this package only runs against the sources of the others. */
const nodeFlags = [
  ...(import.meta.url.endsWith('.ts') ? ['--conditions=@foundation/source'] : []),
  '--disable-warning=ExperimentalWarning',
];
/** Longest tail of stderr that is kept for messages, in characters. */
const stderrCharsMax = 8_192;

interface Asker {
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

class SpawnedProcess {
  ready: unknown = undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;
  readonly #asked = new Map<number, Asker>();
  readonly #ready = Promise.withResolvers<unknown>();
  #stderr = '';
  #lastId = 0;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.#exited = once(child, 'exit').then(() => this.#fail());
    this.#ready.promise.catch(() => {});
    // An unread pipe would stop the child after 64 KiB.
    child.stdout?.resume();
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-stderrCharsMax);
    });
    child.on('message', (report: Report) => this.#receive(report));
  }

  get osPid(): number {
    return this.#child.pid ?? 0;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  async untilReady(timeoutMs: number): Promise<void> {
    const timer = setTimeout(() => {
      this.#ready.reject(new Error(`not ready within ${timeoutMs} ms:\n${this.#stderr}`));
    }, timeoutMs);
    this.ready = await this.#ready.promise.finally(() => clearTimeout(timer));
  }

  ask(command: string, ...args: readonly unknown[]): Promise<unknown> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.isRunning) return reject(this.#gone());
      this.#asked.set(id, { resolve, reject });
      this.#child.send({ id, command, args } satisfies Question);
    });
  }

  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  freeze(): void {
    this.#child.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child.kill('SIGCONT');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    this.#child.kill(signal);
    await this.#exited;
  }

  #receive(report: Report): void {
    if (report.kind === 'ready') return this.#ready.resolve(report.ready);
    const asker = this.#asked.get(report.id);
    this.#asked.delete(report.id);
    if (report.kind === 'answer') asker?.resolve(report.answer);
    else asker?.reject(Object.assign(new Error(report.error.message), report.error));
  }

  #fail(): void {
    this.#ready.reject(this.#gone());
    for (const { reject } of this.#asked.values()) reject(this.#gone());
    this.#asked.clear();
  }

  #gone(): Error {
    const how = this.#child.signalCode ?? `code ${String(this.#child.exitCode)}`;
    return new Error(`the program ended with ${how}:\n${this.#stderr}`);
  }
}
