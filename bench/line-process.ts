import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A message of a child: one line of JSON. */
export type Message = Readonly<Record<string, unknown>>;

/** An OS process that is spoken to in lines of JSON on its stdin and stdout. */
export interface LineProcess extends AsyncDisposable {
  readonly pid: number;
  send(message: Message): void;
  /**
   * The next line that holds a JSON object; other output is passed on to stderr.
   *
   * @throws Error when the process ends or `timeoutMs` pass before that.
   */
  next(timeoutMs: number): Promise<Message>;
  kill(): void;
}

export interface LineProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
}

/** How long a child may take to end after its stdin was closed, in milliseconds. */
const graceMs = 3_000;
/** How much of a child's stderr an error repeats, in characters. */
const stderrTailMax = 1_500;

/** Starts a process; closing it ends its stdin, and kills it if that does not end it. */
export function startLineProcess(
  command: string,
  args: readonly string[],
  options: LineProcessOptions = {},
): LineProcess {
  const child = spawn(command, args, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...options.env },
  });
  const inbox = new Inbox();
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr = (stderr + text).slice(-stderrTailMax);
  });
  child.stdin.on('error', () => undefined); // its end is reported by 'close'
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = parseMessage(line);
    if (message === undefined) process.stderr.write(`${line}\n`);
    else inbox.push(message);
  });
  const closed = Promise.withResolvers<void>();
  child.on('error', (error) => inbox.end(error));
  child.on('close', (code, signal) => {
    inbox.end(new Error(`${command} ended with ${signal ?? code ?? 'no code'}\n${stderr}`.trim()));
    closed.resolve();
  });
  return {
    pid: child.pid ?? 0,
    send: (message) => void child.stdin.write(`${JSON.stringify(message)}\n`),
    next: (timeoutMs) => inbox.next(timeoutMs),
    kill: () => void child.kill('SIGKILL'),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      if (child.pid !== undefined) await closed.promise;
      clearTimeout(timer);
    },
  };
}

/** Lines that came and nobody has taken yet, or somebody who waits for one. */
class Inbox {
  readonly #messages: Message[] = [];
  #waiter: PromiseWithResolvers<Message> | undefined;
  #ended: Error | undefined;

  push(message: Message): void {
    if (this.#waiter === undefined) this.#messages.push(message);
    else this.#waiter.resolve(message);
    this.#waiter = undefined;
  }

  end(reason: Error): void {
    this.#ended ??= reason;
    this.#waiter?.reject(this.#ended);
    this.#waiter = undefined;
  }

  async next(timeoutMs: number): Promise<Message> {
    const message = this.#messages.shift();
    if (message !== undefined) return message;
    if (this.#ended !== undefined) throw this.#ended;
    const waiter = Promise.withResolvers<Message>();
    this.#waiter = waiter;
    const timer = setTimeout(() => {
      this.#waiter = undefined;
      waiter.reject(new Error(`no line within ${timeoutMs} ms`));
    }, timeoutMs);
    return waiter.promise.finally(() => clearTimeout(timer));
  }
}

/** A line of JSON that holds an object, otherwise undefined. */
export function parseMessage(line: string): Message | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isMessage(value) ? value : undefined;
  } catch {
    return undefined; // not JSON: output of the program, not a message
  }
}

/** The number in a field of a message. */
export function numberOf(message: Message, field: string): number {
  const value = message[field];
  if (typeof value === 'number') return value;
  throw new Error(`expected a number in \`${field}\`, got: ${JSON.stringify(message)}`);
}

function isMessage(value: unknown): value is Message {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
