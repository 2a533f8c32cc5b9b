import type { Random } from '@foundation/core';

import { mlError } from './errors.ts';

/**
 * How a sampler sees a variable: as a coordinate on an axis.
 *
 * - `nominal`: coordinates `0 … count - 1` without an order.
 * - `ordinal`: coordinates `0 … count - 1`; close coordinates are alike.
 * - `continuous`: coordinates from `min` to `max`.
 */
export type Axis =
  | { readonly kind: 'nominal'; readonly count: number }
  | { readonly kind: 'ordinal'; readonly count: number }
  | { readonly kind: 'continuous'; readonly min: number; readonly max: number };

/** How many points the product of the axes has: exact, or `Infinity`. */
export function cardinalityOf(axes: readonly Axis[]): bigint | number {
  let product = 1n;
  for (const axis of axes) {
    if (axis.kind === 'continuous') return Infinity;
    product *= BigInt(axis.count);
  }
  return product;
}

/** Draws a coordinate, each equally likely. */
export function drawFrom(axis: Axis, random: Random): number {
  return axis.kind === 'continuous'
    ? axis.min + random.next() * (axis.max - axis.min)
    : random.int(axis.count);
}

/** The coordinates one smallest change away from `at`. */
export function movesFrom(axis: Axis, at: number): readonly number[] {
  switch (axis.kind) {
    case 'nominal':
      return [...Array(axis.count).keys()].filter((index) => index !== at);
    case 'ordinal':
      return [at - 1, at + 1].filter((index) => index >= 0 && index < axis.count);
    case 'continuous': {
      const stride = (axis.max - axis.min) / 20;
      const moved = [Math.max(axis.min, at - stride), Math.min(axis.max, at + stride)];
      return moved.filter((to) => to !== at);
    }
  }
}

/**
 * Every point of a finite product of axes, the last axis turning fastest.
 *
 * @yields One coordinate for each axis.
 */
export function* gridOf(axes: readonly Axis[]): Generator<readonly number[]> {
  const [axis, ...rest] = axes;
  if (axis === undefined) {
    yield [];
    return;
  }
  if (axis.kind === 'continuous') {
    throw mlError(
      'ML_INFINITE_SPACE',
      `a range from ${axis.min} to ${axis.max} cannot be enumerated`,
      {
        hint: 'Give every float a step.',
      },
    );
  }
  for (let at = 0; at < axis.count; at++) for (const tail of gridOf(rest)) yield [at, ...tail];
}
