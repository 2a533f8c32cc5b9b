import type { StandardSchemaV1 } from '@standard-schema/spec';

import type { Entry } from './definition.ts';
import type { Envelope } from './envelope.ts';

/** What a schema made of a message: the value to pass on, or what is wrong with it. */
export interface Checked {
  readonly issues?: readonly StandardSchemaV1.Issue[] | undefined;
  readonly value?: unknown;
}

/** Checks the argument of a message with the schema of its handler. Throws what the schema throws. */
export function checkMessage({ schema }: Entry, { args }: Envelope): Checked | Promise<Checked> {
  return schema?.['~standard'].validate(args[0]) ?? { value: args[0] };
}
