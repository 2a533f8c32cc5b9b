import { inspect, isDeepStrictEqual } from 'node:util';

import { isRefused, refuseUnknown, type AnyRef, type Refused } from '@foundation/core';
import { checkNumber, invalidOption } from '@foundation/core/internal';
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

const known = ['start', 'model', 'commands', 'runs', 'stepsMax', 'seed'];
const knownOfCommand = ['args', 'when', 'expect'];

/** @throws FoundationError `INVALID_OPTION` */
function checkGiven<Model>(check: ModelCheck<Model>): void {
  const who = 'checkModel';
  refuseUnknown(who, check, known);
  const { commands, runs = 1, stepsMax = 1, seed = 0 } = check;
  checkNumber(who, { runs }, { min: 1, integer: true });
  checkNumber(who, { stepsMax }, { min: 1, integer: true });
  checkNumber(who, { seed }, { integer: true });
  const given = Object.entries(commands ?? {});
  if (given.length === 0) throw invalidOption(who, { commands }, 'calls with what they must reply');
  for (const [name, command] of given) {
    refuseUnknown(`${who}: the command "${name}"`, command, knownOfCommand);
  }
}

/**
 * Tries random sequences of calls on a process, and compares each reply with that of a simple model. A
 * sequence that fails is shrunk to the shortest one, and printed with its seed.
 *
 * @throws Error with the shortest failing sequence
 * @throws FoundationError `INVALID_OPTION`
 */
export async function checkModel<Model>(check: ModelCheck<Model>): Promise<void> {
  checkGiven(check);
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
    if (!(name in ref.try)) throw new Error(`the process has no call "${name}"`);
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
  if (isRefusal(value)) return `refuse('${value.code}', ${shown(value.data)})`;
  return inspect(value, { depth: 4, breakLength: Infinity });
}
