import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';

/** How a server is started. */
export interface ServerOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A command, with its arguments, that becomes the server; that of a host of a lab. @defaultValue none */
  readonly through?: readonly string[];
  /** Whether it answers. Asked again until it does; may throw for "no". */
  isReady(): Promise<boolean>;
  /** Milliseconds that it may take. @defaultValue 20000 */
  readonly readyMs?: number;
}

/** Where a server of a test runs: a host of a lab. */
export interface ServerHost {
  readonly address: string;
  readonly through: readonly string[];
}

/** A server that a test has started; it ends with the test at the latest. */
export interface RunningServer extends AsyncDisposable {
  readonly osPid: number;
  readonly isRunning: boolean;
  /** The newest of what it said. */
  readonly log: string;
  /** Asks it to end by itself (SIGTERM) and waits until it has. */
  stop(): Promise<void>;
  /** Ends it without a word (SIGKILL). */
  kill(): Promise<void>;
  /** SIGSTOP: it keeps its connections and says nothing. */
  freeze(): void;
  /** SIGCONT */
  thaw(): void;
}

const logCharsMax = 16_384;
const askEveryMs = 20;

/**
 * Starts a server and waits until it answers. It is killed when this program ends, however that ends.
 *
 * @throws Error with what it said when it ends before, or does not answer in time.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const server = new Server(options);
  try {
    await server.untilReady(options.readyMs ?? 20_000);
  } catch (error) {
    await server.kill();
    throw error;
  }
  return server;
}

/**
 * What a server says over HTTP where it runs.
 *
 * @throws Error when it does not say it well within a second.
 */
export async function fetchAt(url: string, host: ServerHost | undefined): Promise<string> {
  if (host === undefined) {
    const response = await fetch(url, { signal: AbortSignal.timeout(answerMs) });
    if (!response.ok) throw new Error(`${url} answers ${response.status}`);
    return response.text();
  }
  const [command, ...args] = [...host.through, process.execPath, ...evaluate, fetchCode, url];
  return (await promisify(execFile)(command, args, { timeout: 5 * answerMs })).stdout;
}

const answerMs = 1_000;
const evaluate = ['--input-type=module', '-e'];
const fetchCode = `
  const response = await fetch(process.argv[1], { signal: AbortSignal.timeout(${answerMs}) });
  if (!response.ok) process.exit(1);
  process.stdout.write(await response.text());`;

/** Ports of loopback that nobody has at this moment, all different. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'));
  await Promise.all(servers.map((server) => once(server, 'listening')));
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => once(server.close(), 'close')));
  return ports;
}

/**
 * Ends the server when the pipe from here does: that is when the program that started it is gone. The watch ends with
 * the server, so that it neither keeps that program alive nor kills whoever gets the number next.
 */
const guard = [
  '"$@" & server=$!',
  '(exec 4>&-; read -r _; kill -9 "$server") <&3 >/dev/null 2>&1 & watch=$!',
  'echo "$server" >&4; exec 3<&- 4>&-',
  'wait "$server"; code=$?; kill -9 "$watch"; exit "$code"',
].join('\n');

class Server implements RunningServer {
  readonly #child: ChildProcess;
  readonly #options: ServerOptions;
  readonly #exited: Promise<unknown>;
  #log = '';
  #osPid = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    const words = [...(options.through ?? []), options.command, ...options.args];
    this.#child = spawn('sh', ['-c', guard, 'sh', ...words], {
      stdio: ['ignore', 'pipe', 'pipe', 'pipe', 'pipe'],
      env: { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/', ...options.env },
    });
    this.#exited = once(this.#child, 'exit');
    // Lets the guard go: it would keep this program from ending.
    this.#child.once('exit', () => this.#child.stdio[3]?.destroy());
    const keep = (text: string): void => {
      this.#log = (this.#log + text).slice(-logCharsMax);
    };
    this.#child.stdout?.setEncoding('utf8').on('data', keep);
    this.#child.stderr?.setEncoding('utf8').on('data', keep);
    const [, , , , told] = this.#child.stdio;
    told?.once('data', (bytes: Buffer) => {
      this.#osPid = Number(bytes.toString());
    });
  }

  get osPid(): number {
    return this.#osPid;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get log(): string {
    return this.#log;
  }

  async untilReady(timeoutMs: number): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const what = `${this.#options.command} ${this.#options.args.join(' ')}`;
      if (!this.isRunning) throw new Error(`${what} has ended:\n${this.#log}`);
      if (performance.now() > deadline) {
        throw new Error(`${what} does not answer within ${timeoutMs} ms:\n${this.#log}`);
      }
      const isReady = await this.#options.isReady().catch(() => false);
      if (isReady && this.#osPid !== 0) return;
      await pause(askEveryMs);
    }
  }

  stop(): Promise<void> {
    return this.#end('SIGTERM');
  }

  kill(): Promise<void> {
    return this.#end('SIGKILL');
  }

  freeze(): void {
    process.kill(this.#osPid, 'SIGSTOP');
  }

  thaw(): void {
    process.kill(this.#osPid, 'SIGCONT');
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isRunning) return;
    if (this.#osPid === 0) this.#child.kill(signal);
    else process.kill(this.#osPid, signal);
    await this.#exited;
  }
}
