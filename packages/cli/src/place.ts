import { closest } from '@foundation/core';

/** Takes note of something wrong. */
export type Complain = (where: string, what: string) => void;

/** A value of a file. */
export interface Place {
  /** Path in the file. */
  readonly where: string;
  readonly value: unknown;
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The likely spelling, as the end of a sentence. */
export function meant(value: unknown, known: readonly string[]): string {
  const near = typeof value === 'string' ? closest(value, known) : undefined;
  return near === undefined ? '' : `, did you mean ${shown(near)}?`;
}

/** A value of the file in at most 80 characters. */
export function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
