/**
 * Logarithm, exponential and power from the four operations alone. JavaScript leaves the last bit of `Math.log` and
 * the like to the machine; these come to the same bits everywhere, so that an outcome that was reached on one machine
 * can be replayed and verified on another.
 *
 * @packageDocumentation
 */

const ln2High = 0.6931471803691238;
const ln2Low = 1.9082149292705877e-10;

/** 2, 4, 16, …, 2 ** 512: each is the square of the one before. */
const powersOfTwo = Float64Array.of(
  2,
  2 ** 2,
  2 ** 4,
  2 ** 8,
  2 ** 16,
  2 ** 32,
  2 ** 64,
  2 ** 128,
  2 ** 256,
  2 ** 512,
);

/** The natural logarithm of a number from 0 to Infinity: within two units of the last place. */
export function ln(x: number): number {
  if (!(x > 0) || x === Infinity) return lnOfEnds(x);
  let mantissa = x;
  let exponent = 0;
  // A number of ordinary size takes only the small powers.
  const isLarge = x > 4e9 || x < 4e-9;
  for (let index = isLarge ? 9 : 4; index >= 0; index--) {
    const factor = powersOfTwo[index] ?? 0;
    while (mantissa >= factor) {
      mantissa /= factor;
      exponent += 1 << index;
    }
    while (mantissa * factor < 2) {
      mantissa *= factor;
      exponent -= 1 << index;
    }
  }
  if (mantissa > Math.SQRT2) {
    mantissa /= 2;
    exponent++;
  }
  // ln m = 2 artanh((m - 1) / (m + 1)), where the fraction is at most 0.172.
  const fraction = (mantissa - 1) / (mantissa + 1);
  const square = fraction * fraction;
  let series = 0;
  for (let odd = 23; odd >= 3; odd -= 2) series = (series + 1 / odd) * square;
  return exponent * ln2High + (exponent * ln2Low + 2 * fraction * (1 + series));
}

function lnOfEnds(x: number): number {
  if (x === 0) return -Infinity;
  return x > 0 ? x : Number.NaN;
}

/** e to the power of a number. */
export function exp(x: number): number {
  if (x > 709.78) return Infinity;
  if (x < -745) return 0;
  const exponent = Math.round(x / (ln2High + ln2Low));
  const rest = x - exponent * ln2High - exponent * ln2Low;
  let series = 1;
  for (let term = 14; term >= 1; term--) series = 1 + (series * rest) / term;
  return scaled(series, exponent);
}

/** A number of at least 0 to the power of another that is not 0. */
export function power(base: number, exponent: number): number {
  return exp(exponent * ln(base));
}

/** `x` times 2 ** `exponent`. */
function scaled(x: number, exponent: number): number {
  let result = x;
  let left = Math.abs(exponent);
  for (let index = left < 32 ? 4 : 9; left > 0; index--) {
    const factor = powersOfTwo[index] ?? 1;
    for (; left >= 1 << index; left -= 1 << index) {
      result = exponent < 0 ? result / factor : result * factor;
    }
  }
  return result;
}
