import { isDeepStrictEqual } from 'node:util';

import { isRefused, type AnyRef, type Refused } from '@foundation/core';
import fc from 'fast-check';

import { testNode, type TestNode } from './test-node.ts';

/** One thing that can be done to a process, and what a model says must come of it. */
export interface ModelCommand<Model> {
  /** The arguments of the call, drawn anew for each step. @defaultValue none */
  readonly args?: fc.Arbitrary<readonly unknown[]>;
  /** Whether it may be done now. @defaultValue always */
  readonly when?: (model: Model) => boolean;
  /** What the process must reply; changes the model. A refusal is made by `refuse`. */
  readonly expect: (model: Model, ...args: readonly never[]) => unknown;
}

export interface ModelCheck<Model> {
  /** Starts the process under test on a node of its own. */
  readonly start: (test: TestNode) => Promise<AnyRef>;
  readonly model: () => Model;
  /** By the name of the call. */
  readonly commands: Readonly<Record<string, ModelCommand<Model>>>;
  /** Sequences of calls that are tried. @defaultValue 100 */
  readonly runs?: number;
  /** Calls in a sequence at most. @defaultValue 30 */
  readonly stepsMax?: number;
  /** Where the search begins; a failure prints it. @defaultValue another each time */
  readonly seed?: number;
}

interface Step {
  readonly name: string;
  readonly args: readonly unknown[];
}

/**
 * Tries random sequences of calls on a process, and compares each reply with that of a simple model. A
 * sequence that fails is shrunk to the shortest one, and printed with its seed.
 *
 * @throws Error with the shortest failing sequence
 */
export async function checkModel<Model>(check: ModelCheck<Model>): Promise<void> {
  const { runs = 100, stepsMax = 30, commands, seed } = check;
  const step = fc.oneof(
    ...Object.entries(commands).map(([name, { args = fc.constant([]) }]) =>
      args.map((drawn): Step => ({ name, args: drawn })),
    ),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: stepsMax }), fc.nat(), (steps, order) =>
      play(check, steps, order),
    ),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  );
}

async function play<Model>(
  check: ModelCheck<Model>,
  steps: readonly Step[],
  order: number,
): Promise<void> {
  await using test = await testNode({ seed: order });
  const ref = (await check.start(test)) as AnyRef & {
    readonly try: Readonly<Record<string, (...args: readonly unknown[]) => Promise<unknown>>>;
  };
  const model = check.model();
  for (const [index, { name, args }] of steps.entries()) {
    const command = check.commands[name];
    if (command === undefined || command.when?.(model) === false) continue;
    const expected = command.expect(model, ...(args as never[]));
    const reply = await ref.try[name]?.(...args);
    if (isSame(reply, expected)) continue;
    const done = steps
      .slice(0, index + 1)
      .map((each) => `${each.name}(${each.args.map(shown).join(', ')})`);
    throw new Error(
      `${done.join('; ')}\nreplied ${shown(reply)}, the model says ${shown(expected)}`,
    );
  }
}

function isSame(reply: unknown, expected: unknown): boolean {
  if (!isRefusal(reply) || !isRefusal(expected)) return isDeepStrictEqual(reply, expected);
  return reply.code === expected.code && isDeepStrictEqual(reply.data, expected.data);
}

function isRefusal(value: unknown): value is Refused {
  return isRefused(value as Refused | undefined);
}

function shown(value: unknown): string {
  return isRefusal(value) ? `refuse('${value.code}', ${shown(value.data)})` : JSON.stringify(value);
}
