/** What a test may ask of a program it started. Arguments and answers pass by structured clone. */
export type TestCommands = Record<string, (...args: never[]) => unknown>;

/** From the test to its program. */
export interface Question {
  readonly id: number;
  readonly command: string;
  readonly args: readonly unknown[];
}

/** From the program to its test. The first one says that it is ready. */
export type Report =
  | { readonly kind: 'ready'; readonly ready: unknown }
  | { readonly kind: 'answer'; readonly id: number; readonly answer: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: ReportedError };

/** An error in a form that every channel carries. */
export interface ReportedError {
  readonly message: string;
  readonly code?: unknown;
  readonly hint?: unknown;
  readonly details?: unknown;
}

/**
 * The program's side of {@link spawnNode}: says that it is ready, answers what the test asks, and
 * ends with the test. SIGTERM runs `stop` first.
 *
 * @param ready - What the test gets as `ready`.
 */
export function runTestProgram(
  ready: unknown,
  commands: TestCommands,
  stop: () => Promise<void> = () => Promise.resolve(),
): void {
  process.on('disconnect', () => process.exit(0));
  process.once('SIGTERM', () => void stop().then(() => process.exit(0)));
  process.on('message', ({ id, command, args }: Question) => {
    answer(commands[command], args).then(
      (value) => report({ kind: 'answer', id, answer: value }),
      (error: unknown) => report({ kind: 'error', id, error: reported(error) }),
    );
  });
  report({ kind: 'ready', ready });
}

async function answer(
  command: TestCommands[string] | undefined,
  args: readonly unknown[],
): Promise<unknown> {
  if (command === undefined) throw new Error('the program has no such command');
  return command(...(args as never[]));
}

function report(message: Report): void {
  process.send?.(message);
}

function reported(error: unknown): ReportedError {
  if (!(error instanceof Error)) return { message: String(error) };
  const { code, hint, details } = error as ReportedError;
  return { message: error.message, code, hint, details };
}
