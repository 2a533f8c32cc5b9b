import type { Axis } from './axis.ts';
import { mlError } from './errors.ts';

/** A value that a variable can take. */
export type Scalar = string | number | boolean | null;

/** A variable as plain JSON. */
export type VariableDescription =
  | { readonly kind: 'float'; readonly min: number; readonly max: number; readonly step?: number }
  | { readonly kind: 'integer'; readonly min: number; readonly max: number; readonly step: number }
  | { readonly kind: 'choice'; readonly values: readonly Scalar[] }
  | { readonly kind: 'boolean' };

/**
 * One thing that can be tuned. A new kind of variable is a new maker of this interface: samplers,
 * validation and ordering need nothing but its axis and the two translations.
 */
export interface Variable<Value extends Scalar = Scalar> {
  readonly description: VariableDescription;
  readonly axis: Axis;
  /** Completes "expected …", such as `a number from 0 to 1 in steps of 0.05`. */
  readonly expected: string;
  /** The coordinate of a value; `undefined` when the variable cannot take it. */
  encode(value: unknown): number | undefined;
  /** The canonical value at a coordinate of the axis. */
  decode(coordinate: number): Value;
}

/**
 * A real number from `min` to `max`, both included; with `step`, only `min`, `min + step`, … `max`.
 * Values are canonical decimals: the fourth of `float(0, 1, { step: 0.05 })` is 0.15.
 *
 * @throws FoundationError `ML_INVALID_VARIABLE` when a bound is not finite, `min` is not below `max`,
 * or `max` cannot be reached in whole steps.
 */
export function float(
  min: number,
  max: number,
  options: { readonly step?: number } = {},
): Variable<number> {
  checkRange('float', min, max);
  if (options.step !== undefined) {
    const { step } = options;
    return grid(
      { kind: 'float', min, max, step },
      `a number from ${min} to ${max} in steps of ${step}`,
    );
  }
  return {
    description: { kind: 'float', min, max },
    axis: { kind: 'continuous', min, max },
    expected: `a number from ${min} to ${max}`,
    encode: (value) =>
      typeof value === 'number' && value >= min && value <= max ? value + 0 : undefined,
    decode: (coordinate) => Math.min(max, Math.max(min, coordinate)) + 0,
  };
}

/**
 * A whole number from `min` to `max`, both included, in steps of `step` (1 unless given).
 *
 * @throws FoundationError `ML_INVALID_VARIABLE` when a number is not whole, `min` is not below `max`,
 * or `max` cannot be reached in whole steps.
 */
export function integer(
  min: number,
  max: number,
  options: { readonly step?: number } = {},
): Variable<number> {
  const step = options.step ?? 1;
  checkRange('integer', min, max);
  if (![min, max, step].every(Number.isSafeInteger)) {
    throw invalid(
      `integer(${min}, ${max}, { step: ${step} }) needs whole numbers`,
      'Use float for others.',
    );
  }
  const steps = step === 1 ? '' : ` in steps of ${step}`;
  return grid({ kind: 'integer', min, max, step }, `a whole number from ${min} to ${max}${steps}`);
}

/**
 * One of `values`, which have no order among them (ties are broken by the order given).
 *
 * @throws FoundationError `ML_INVALID_VARIABLE` when there is no value, one twice, or one that is not finite.
 */
export function choice<const Values extends readonly [Scalar, ...Scalar[]]>(
  values: Values,
): Variable<Values[number]> {
  const options: readonly Values[number][] = values;
  const listed = options.map((value) => JSON.stringify(value)).join(', ');
  if (options.length === 0 || new Set(options).size !== options.length) {
    throw invalid(`choice([${listed}]) is empty or repeats a value`, 'Give each value once.');
  }
  for (const value of options) {
    if (typeof value === 'number' && !Number.isFinite(value)) {
      throw invalid(`choice has the value ${value}`, 'Only values that JSON can carry.');
    }
  }
  return nominal({ kind: 'choice', values: options }, options, `one of ${listed}`);
}

/** `false` or `true`. */
export function boolean(): Variable<boolean> {
  return nominal({ kind: 'boolean' }, [false, true], 'true or false');
}

type Grid = Extract<VariableDescription, { readonly min: number }> & { readonly step: number };

function grid(description: Grid, expected: string): Variable<number> {
  const { kind, min, max, step } = description;
  const last = Math.round((max - min) / step);
  if (!(step > 0) || Math.abs(last - (max - min) / step) > 1e-6) {
    throw invalid(
      `${kind}(${min}, ${max}) cannot be walked in steps of ${step}`,
      'Choose a positive step that divides the range.',
    );
  }
  const digits = Math.min(100, Math.max(decimalsOf(min), decimalsOf(step)));
  const decode = (index: number): number =>
    Number((min + Math.min(last, Math.max(0, Math.round(index))) * step).toFixed(digits)) + 0;
  return {
    description,
    axis: { kind: 'ordinal', count: last + 1 },
    expected,
    encode(value) {
      if (typeof value !== 'number' || !Number.isFinite(value)) return undefined;
      const index = Math.round((value - min) / step);
      const near = Math.abs(value - decode(index)) <= step * 1e-6;
      return near && index >= 0 && index <= last ? index + 0 : undefined;
    },
    decode,
  };
}

function nominal<Value extends Scalar>(
  description: VariableDescription,
  values: readonly Value[],
  expected: string,
): Variable<Value> {
  return {
    description,
    axis: { kind: 'nominal', count: values.length },
    expected,
    encode(value) {
      const index = values.findIndex((option) => option === value);
      return index < 0 ? undefined : index;
    },
    decode(coordinate) {
      const value = values[Math.min(values.length - 1, Math.max(0, Math.round(coordinate)))];
      if (value === undefined)
        throw invalid(`no value at ${coordinate}`, 'Give a coordinate of the axis.');
      return value;
    },
  };
}

function checkRange(kind: string, min: number, max: number): void {
  if (!Number.isFinite(min) || !Number.isFinite(max) || min >= max || !Number.isFinite(max - min)) {
    throw invalid(
      `${kind}(${min}, ${max}) is not a range`,
      'Give two finite numbers, the lower one first.',
    );
  }
}

/** Digits after the point in the shortest decimal form of a number. */
function decimalsOf(value: number): number {
  const [mantissa = '', exponent = '0'] = String(value).split('e');
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent));
}

function invalid(message: string, hint: string): Error {
  return mlError('ML_INVALID_VARIABLE', message, { hint });
}
