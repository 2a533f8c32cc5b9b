import { numberOf, type Message } from './line-process.ts';

/** What one round of a measure gave. */
export interface Round {
  /** In the unit of the measure. */
  readonly value: number;
  /** Operations that were completed: answered, handled or arrived. */
  readonly ops: number;
  /** Processor time of all processes of the subject per operation, in µs; null where it says nothing. */
  readonly cpuUsPerOp: number | null;
  /** What explains the value, by what it is, as `{ processes: 1000000 }`. */
  readonly besides?: Readonly<Record<string, number>>;
}

/**
 * The round that a subject told.
 *
 * @throws Error when a number is missing.
 */
export function parseRound(message: Message): Required<Round> {
  const { besides = {} } = message;
  if (typeof besides !== 'object' || besides === null) {
    throw new Error(`expected an object in \`besides\`, got: ${JSON.stringify(message)}`);
  }
  const fields: Message = { ...besides };
  return {
    value: numberOf(message, 'value'),
    ops: numberOf(message, 'ops'),
    cpuUsPerOp: message['cpuUsPerOp'] === null ? null : numberOf(message, 'cpuUsPerOp'),
    besides: Object.fromEntries(Object.keys(fields).map((key) => [key, numberOf(fields, key)])),
  };
}
