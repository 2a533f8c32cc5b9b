import { closest, type Random } from '@foundation/core';

import { cardinalityOf, drawFrom, gridOf, movesFrom, type Axis } from './axis.ts';
import { mlError } from './errors.ts';
import type { Scalar, Variable, VariableDescription } from './variable.ts';

/** One value for each variable of a space, by name. */
export type Configuration = Readonly<Record<string, Scalar>>;

/** One thing that is wrong with a value. */
export interface Issue {
  readonly message: string;
  /** Where: names from the outside in; empty for the value itself. */
  readonly path: readonly string[];
}

/** A canonical configuration, or every issue found. */
export type Validation<C> =
  | { readonly value: C; readonly issues?: undefined }
  | { readonly issues: readonly Issue[] };

/** A space as plain JSON, its variables in declared order. */
export interface SpaceDescription {
  readonly variables: readonly ({ readonly name: string } & VariableDescription)[];
}

/** Everything that can be tuned, and the only thing a search strategy knows of what it tunes. */
export interface VariableSpace<C extends Configuration = Configuration> {
  /** The variables' names in declared order. */
  readonly names: readonly (keyof C & string)[];
  /** The variables' axes in declared order. */
  readonly axes: readonly Axis[];
  /** How many configurations there are: exact, or `Infinity`. */
  readonly cardinality: bigint | number;
  /** Checks a value from anywhere and gives it in canonical form, or all its issues with their paths. */
  validate(value: unknown): Validation<C>;
  /**
   * The canonical form of a value from anywhere.
   * @throws FoundationError `ML_INVALID_CONFIGURATION` with all issues.
   */
  parse(value: unknown): C;
  /** Draws every variable uniformly and independently. */
  sample(random: Random): C;
  /** All configurations that differ in exactly one variable, by its smallest change. See {@link variables}. */
  neighbours(configuration: C): readonly C[];
  /**
   * Every configuration once, in the order of `compare`.
   * @throws FoundationError `ML_INFINITE_SPACE` when a variable is continuous.
   */
  enumerate(): Iterable<C>;
  /** Canonical JSON, keys sorted: equal if and only if the configurations are. */
  fingerprint(configuration: C): string;
  /** Lexicographic order by declared variable order: negative, 0 or positive. Choices compare by position. */
  compare(a: C, b: C): number;
  /** A coordinate on each axis, in declared order. */
  encode(configuration: C): readonly number[];
  /** The configuration at the given coordinates. */
  decode(coordinates: readonly number[]): C;
  describe(): SpaceDescription;
}

/** The configurations of a set of variables. */
export type ConfigurationOf<Variables extends Readonly<Record<string, Variable>>> = {
  readonly [Name in keyof Variables]: ReturnType<Variables[Name]['decode']>;
};

/**
 * Makes a space out of named variables; their order counts for ties and for coordinates.
 *
 * Neighbours: a nominal variable takes each of its other values, an ordinal one moves by one step, a
 * continuous one by a twentieth of its range.
 *
 * @throws FoundationError `ML_INVALID_VARIABLE` when there is no variable, or a name does not begin with
 * a letter followed by letters, digits, `_`, `-` or `.`.
 * @example
 * ```ts
 * import { choice, integer, variables } from '@foundation/ml';
 * const space = variables({ model: choice(['small', 'large']), votes: integer(0, 3) });
 * space.cardinality; // => 8n
 * space.fingerprint({ votes: 2, model: 'small' }); // => '{"model":"small","votes":2}'
 * ```
 */
export function variables<const Variables extends Readonly<Record<string, Variable>>>(
  declared: Variables,
): VariableSpace<ConfigurationOf<Variables>> {
  return makeSpace<ConfigurationOf<Variables>>(Object.entries(declared));
}

type Entry = readonly [name: string, variable: Variable];

function makeSpace<C extends Configuration>(entries: readonly Entry[]): VariableSpace<C> {
  checkNames(entries.map(([name]) => name));
  const axes = entries.map(([, variable]) => variable.axis);

  const decode = (coordinates: readonly number[]): C => {
    const values = entries.map(([name, variable], index): [string, Scalar] => [
      name,
      variable.decode(coordinates[index] ?? 0),
    ]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the entries are those of C
    return Object.fromEntries(values) as C;
  };

  const parse = (value: unknown): C => {
    const issues = issuesOf(entries, value);
    if (issues.length > 0) throw invalidConfiguration(value, issues);
    return decode(coordinatesOf(entries, value));
  };
  const encode = (configuration: C): readonly number[] => {
    parse(configuration);
    return coordinatesOf(entries, configuration);
  };

  return {
    names: entries.map(([name]) => name),
    axes,
    cardinality: cardinalityOf(axes),
    validate(value) {
      const issues = issuesOf(entries, value);
      return issues.length > 0 ? { issues } : { value: decode(coordinatesOf(entries, value)) };
    },
    parse,
    sample: (random) => decode(axes.map((axis) => drawFrom(axis, random))),
    neighbours(configuration) {
      const home = encode(configuration);
      return axes.flatMap((axis, index) =>
        movesFrom(axis, home[index] ?? 0).map((moved) => decode(home.with(index, moved))),
      );
    },
    *enumerate() {
      for (const coordinates of gridOf(axes)) yield decode(coordinates);
    },
    fingerprint(configuration) {
      const canonical: Record<string, unknown> = parse(configuration);
      return JSON.stringify(
        Object.fromEntries(
          Object.keys(canonical)
            .toSorted()
            .map((name) => [name, canonical[name]]),
        ),
      );
    },
    compare(a, b) {
      const [left, right] = [encode(a), encode(b)];
      return left.map((at, index) => at - (right[index] ?? 0)).find((by) => by !== 0) ?? 0;
    },
    encode,
    decode,
    describe: () => ({
      variables: entries.map(([name, variable]) => ({ name, ...variable.description })),
    }),
  };
}

function checkNames(names: readonly string[]): void {
  const bad = names.find((name) => !/^[A-Za-z][\w.-]*$/.test(name));
  if (bad === undefined && names.length > 0) return;
  throw mlError(
    'ML_INVALID_VARIABLE',
    bad === undefined ? 'a space without variables' : `"${bad}" cannot name a variable`,
    {
      hint: 'Give at least one variable; names begin with a letter, then letters, digits, _, - or .',
    },
  );
}

function issuesOf(entries: readonly Entry[], value: unknown): readonly Issue[] {
  if (!isRecord(value)) {
    return [{ path: [], message: `expected a configuration, got: ${show(value)}` }];
  }
  const names = entries.map(([name]) => name);
  const wrong = entries.flatMap(([name, variable]): Issue[] => {
    if (!Object.hasOwn(value, name)) {
      return [{ path: [name], message: `missing "${name}": expected ${variable.expected}` }];
    }
    if (variable.encode(value[name]) !== undefined) return [];
    const message = `expected "${name}" to be ${variable.expected}, got: ${show(value[name])}`;
    return [{ path: [name], message }];
  });
  const unknown = Object.keys(value)
    .filter((name) => !names.includes(name))
    .map((name): Issue => {
      const meant = closest(name, names);
      const question = meant === undefined ? '' : `, did you mean "${meant}"?`;
      return { path: [name], message: `unknown variable "${name}"${question}` };
    });
  return [...wrong, ...unknown];
}

function invalidConfiguration(value: unknown, issues: readonly Issue[]): Error {
  const list = issues.map(({ message }) => message).join('; ');
  return mlError('ML_INVALID_CONFIGURATION', `${show(value)} is not in the space: ${list}`, {
    hint: 'Take configurations from sample() or neighbours(), or check them with validate() first.',
    details: { issues },
  });
}

/** The coordinates of a value that has no issues. */
function coordinatesOf(entries: readonly Entry[], value: unknown): readonly number[] {
  const record = isRecord(value) ? value : {};
  return entries.map(([name, variable]) => variable.encode(record[name]) ?? 0);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return typeof value === 'number' ? String(value) : (JSON.stringify(value) ?? String(value));
}
