/** A text that is found once in a file, and what takes its place. */
type Cut = readonly [found: string, instead: string];

/** What carries request contexts through Foundation, by file in its `src`; deadlines still follow calls. */
export const contextCuts: Readonly<Record<string, readonly Cut[]>> = {
  'context/scope.ts': [
    ['return Request.isInUse ? currentScope()?.request : undefined;', 'return undefined;'],
    [
      'export function leftMs({ message, request }: Scope)',
      'export function leftMs({ message }: Scope)',
    ],
    [
      `  if (request === undefined) return caller;
  const whole = request.remainingMs;
  return whole > 0 || isServing || message === undefined ? Math.min(caller, whole) : caller;`,
      '  return caller;',
    ],
    [
      `  const trace = scope?.request?.trace;
  return trace === undefined ? action() : openTelemetry.with(trace, action);`,
      '  return action();',
    ],
  ],
  'process/envelope.ts': [
    ['  request: Request | undefined = undefined;\n', ''],
    ['  readonly request: Request | undefined;\n\n  // Made once', '\n  // Made once'],
    ['    this.request = request;\n', ''],
  ],
  'process/ref.ts': [
    ['    const request = scope?.request;\n', '    const request = undefined;\n'],
    ['    call.request = request;\n', ''],
    [
      `    const outer = currentRequest();
    const request = runtime.isTraced ? Request.traced(outer) : outer;`,
      '    const request = undefined;',
    ],
  ],
  'process/execution.ts': [
    [
      `  frameFor(request: Request | undefined): Frame | undefined {
    if (this.#framed !== request) {
      this.#framed = request;
      this.#frame = undefined;
    } else if (`,
      `  frameFor(request: Request | undefined): Frame | undefined {
    if (`,
    ],
  ],
  'process/process.ts': [
    ['    const request = this.mailbox.first?.request;\n', '    const request = undefined;\n'],
    [
      'envelope.request === request ? execution.take(envelope) : execution.takeApart(envelope)',
      'execution.take(envelope)',
    ],
  ],
  'telemetry/call-spans.ts': [
    [
      `  return guarded(
    () =>
      tracer() !== undefined ||
      openTelemetry.with(probed, () => openTelemetry.active().getValue(probe) === true),
    false,
  );`,
      '  return false;',
    ],
  ],
};

/**
 * The text of a file without request contexts.
 *
 * @throws Error when what is to be cut is not there: the source has changed, and the cuts must follow.
 */
export function cutContext(file: string, text: string): string {
  return (contextCuts[file] ?? []).reduce((rest, [found, instead]) => {
    const parts = rest.split(found);
    if (parts.length !== 2) {
      throw new Error(`expected once in ${file}, found ${parts.length - 1} times: ${found}`);
    }
    return parts.join(instead);
  }, text);
}
