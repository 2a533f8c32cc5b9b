import { seededRandom } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, expectTypeOf, it } from 'vitest';

import { variables, type Configuration, type VariableSpace } from './space.ts';
import { boolean, choice, float, integer, type Variable } from './variable.ts';

const anyVariable: fc.Arbitrary<Variable> = fc.oneof(
  fc.constant(boolean()),
  fc.constant(choice(['none', 'franc', 3, null])),
  fc
    .record({ min: fc.integer({ min: -9, max: 9 }), count: fc.integer({ min: 1, max: 6 }) })
    .map(({ min, count }) => integer(min, min + 2 * count, { step: 2 })),
  fc.integer({ min: 1, max: 30 }).map((count) => float(0, count * 0.05, { step: 0.05 })),
  fc.constant(float(-1.5, 2)),
);
const anySpace: fc.Arbitrary<VariableSpace> = fc
  .array(anyVariable, { minLength: 1, maxLength: 5 })
  .map((list) =>
    variables(Object.fromEntries(list.map((variable, index) => [`v${index}`, variable]))),
  );
const spaceAndSeed = fc.record({ space: anySpace, seed: fc.integer() });

const team = variables({
  first: choice(['none', 'franc', 'eld']),
  threshold: float(0, 1, { step: 0.05 }),
  weight: integer(0, 3),
  strict: boolean(),
});

function differences(a: Configuration, b: Configuration): number {
  return Object.keys(a).filter((name) => a[name] !== b[name]).length;
}

describe('a variable space', () => {
  it('accepts everything it draws, unchanged', () => {
    fc.assert(
      fc.property(spaceAndSeed, ({ space, seed }) => {
        const drawn = space.sample(seededRandom(seed));
        expect(space.validate(drawn)).toEqual({ value: drawn });
        expect(space.decode(space.encode(drawn))).toEqual(drawn);
      }),
    );
  });

  it('has neighbours that differ in exactly one variable', () => {
    fc.assert(
      fc.property(spaceAndSeed, ({ space, seed }) => {
        const home = space.sample(seededRandom(seed));
        const neighbours = space.neighbours(home);
        expect(neighbours.length).toBeGreaterThan(0);
        for (const near of neighbours) {
          expect(differences(home, near)).toBe(1);
          expect(space.validate(near).issues).toBeUndefined();
        }
        expect(new Set(neighbours.map((near) => space.fingerprint(near))).size).toBe(
          neighbours.length,
        );
      }),
    );
  });

  it('gives equal fingerprints exactly to equal configurations, and orders them totally', () => {
    fc.assert(
      fc.property(spaceAndSeed, ({ space, seed }) => {
        const random = seededRandom(seed);
        const [a, b] = [space.sample(random), space.sample(random)];
        const shuffled = Object.fromEntries(Object.entries(b).toReversed());
        const equal = differences(a, b) === 0;
        expect(space.fingerprint(a) === space.fingerprint(shuffled)).toBe(equal);
        expect(space.compare(a, b) === 0).toBe(equal);
        expect(Math.sign(space.compare(a, b))).toBe(-Math.sign(space.compare(b, a)) + 0);
      }),
    );
  });

  it("is its neighbours' neighbour when it is finite", () => {
    for (const home of team.enumerate()) {
      for (const near of team.neighbours(home)) expect(team.neighbours(near)).toContainEqual(home);
    }
  });

  it('counts and enumerates each configuration once, in order', () => {
    const all = [...team.enumerate()];
    expect(team.cardinality).toBe(504n);
    expect(new Set(all.map((one) => team.fingerprint(one))).size).toBe(504);
    expect(all.toSorted((a, b) => team.compare(a, b))).toEqual(all);
    expect(all[0]).toEqual({ first: 'none', threshold: 0, weight: 0, strict: false });
    const endless = variables({ x: float(0, 1), y: boolean() });
    expect(endless.cardinality).toBe(Infinity);
    expect(() => [...endless.enumerate()]).toThrow(
      expect.objectContaining({ code: 'ML_INFINITE_SPACE' }),
    );
  });

  it('draws every value equally often', () => {
    const counts = new Map<number, number>();
    const random = seededRandom('uniform');
    for (let draw = 0; draw < 21_000; draw++) {
      const { threshold } = team.sample(random);
      counts.set(threshold, (counts.get(threshold) ?? 0) + 1);
    }
    const chiSquare = [...counts.values()].reduce(
      (sum, seen) => sum + (seen - 1000) ** 2 / 1000,
      0,
    );
    expect(counts.size).toBe(21);
    expect(chiSquare).toBeLessThan(45.3); // 20 degrees of freedom, p = 0.001
  });

  it('says everything that is wrong at once, with the path and what was probably meant', () => {
    const { issues } = team.validate({ first: 'fran', treshold: 0.5, weight: 7, strict: 'yes' });
    expect(issues).toEqual([
      {
        path: ['first'],
        message: 'expected "first" to be one of "none", "franc", "eld", got: "fran"',
      },
      {
        path: ['threshold'],
        message: 'missing "threshold": expected a number from 0 to 1 in steps of 0.05',
      },
      { path: ['weight'], message: 'expected "weight" to be a whole number from 0 to 3, got: 7' },
      { path: ['strict'], message: 'expected "strict" to be true or false, got: "yes"' },
      { path: ['treshold'], message: 'unknown variable "treshold", did you mean "threshold"?' },
    ]);
    for (const stranger of [null, undefined, 3, 'x', [1]]) {
      expect(team.validate(stranger).issues).toMatchObject([{ path: [] }]);
    }
    expect(() => team.parse({})).toThrow(
      expect.objectContaining({
        code: 'ML_INVALID_CONFIGURATION',
        details: { issues: team.validate({}).issues },
      }),
    );
    expect(team.validate({ ...team.parse(first), constructor: 1 }).issues).toHaveLength(1);
  });

  const first = { first: 'none', threshold: 0, weight: 0, strict: false };

  it('brings a value into canonical form', () => {
    expect(team.parse({ ...first, threshold: 3 * 0.05 }).threshold).toBe(0.15);
    expect(team.fingerprint(team.parse({ ...first, threshold: 3 * 0.05 }))).toBe(
      '{"first":"none","strict":false,"threshold":0.15,"weight":0}',
    );
  });

  it('describes itself as plain JSON', () => {
    expect(JSON.parse(JSON.stringify(team.describe()))).toEqual({
      variables: [
        { name: 'first', kind: 'choice', values: ['none', 'franc', 'eld'] },
        { name: 'threshold', kind: 'float', min: 0, max: 1, step: 0.05 },
        { name: 'weight', kind: 'integer', min: 0, max: 3, step: 1 },
        { name: 'strict', kind: 'boolean' },
      ],
    });
  });

  it('refuses names that would not keep their order, and a space without variables', () => {
    const refusal = expect.objectContaining({ code: 'ML_INVALID_VARIABLE' });
    expect(() => variables({ 10: boolean() })).toThrow(refusal);
    expect(() => variables({ '': boolean() })).toThrow(refusal);
    expect(() => variables({})).toThrow(refusal);
  });

  it('infers the type of its configurations', () => {
    expectTypeOf(team.sample(seededRandom(1))).toEqualTypeOf<{
      readonly first: 'none' | 'franc' | 'eld';
      readonly threshold: number;
      readonly weight: number;
      readonly strict: boolean;
    }>();
  });
});
