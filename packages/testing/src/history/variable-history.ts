import { isFoundationError, type Random, type StrongVariable } from '@foundation/core';

import { recorder, type Recording } from './store-history.ts';

/** The part of a variable that histories are about. */
export type VariableOfHistory = Pick<
  StrongVariable<string | undefined, string>,
  'name' | 'read' | 'set' | 'compareAndSet' | 'update'
>;

/** A variable that writes down what is done to it, as an operation on the key of its name. */
export function recordedVariable(
  variable: VariableOfHistory,
  recording: Recording,
): VariableOfHistory {
  const note = recorder(recording);
  const { name } = variable;
  return {
    name,
    async read() {
      let reading = { version: 0, value: undefined as string | undefined };
      await note(
        name,
        () => ({ kind: 'get' }),
        async () => {
          reading = await variable.read();
          const { version, value } = reading;
          return value === undefined ? undefined : { version, value };
        },
      );
      return reading;
    },
    set: (value) =>
      note(
        name,
        () => ({ kind: 'set', value }),
        () => variable.set(value),
      ),
    compareAndSet: (version, value) =>
      note(
        name,
        () => ({ kind: 'compareAndSet', version, value }),
        () => variable.compareAndSet(version, value),
      ),
    async update(change) {
      let [seen, value] = [undefined as string | undefined, ''];
      const version = await note(
        name,
        () => ({ kind: 'update', seen, value }),
        async (onBecoming) => {
          const reading = await variable.update(async (current) => {
            seen = current;
            value = await change(current);
            onBecoming();
            return value;
          });
          return reading.version;
        },
      );
      return { version, value };
    },
  };
}

export interface VariableWorkloadOptions {
  /** Tells its values from those of others. */
  readonly client: string;
  readonly operations: number;
  readonly random: Random;
}

/**
 * One client that reads and writes variables in every way, one operation at a time, each value its own. An
 * operation that fails is left behind.
 */
export async function exerciseVariables(
  variables: readonly VariableOfHistory[],
  { client, operations, random }: VariableWorkloadOptions,
): Promise<void> {
  const seen = new Map<string, number>();
  for (let index = 0; index < operations; index++) {
    const variable = variables[random.int(variables.length)];
    if (variable === undefined) return;
    try {
      await step(variable, seen, { value: `${client}:${index}`, chance: random.int(10) });
    } catch (error) {
      if (!isFoundationError(error)) throw error;
    }
  }
}

async function step(
  variable: VariableOfHistory,
  seen: Map<string, number>,
  { value, chance }: { readonly value: string; readonly chance: number },
): Promise<void> {
  const { name } = variable;
  if (chance < 3) seen.set(name, (await variable.read()).version);
  else if (chance < 4) seen.set(name, await variable.set(value));
  else if (chance < 6) seen.set(name, (await variable.update(() => value)).version);
  else {
    const written = await variable.compareAndSet(seen.get(name) ?? 0, value);
    if (written !== undefined) seen.set(name, written);
  }
}
