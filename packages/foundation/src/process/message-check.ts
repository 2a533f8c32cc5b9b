import type { StandardSchemaV1 } from '@standard-schema/spec';

/** What a schema made of a value: the one to pass on, or what is wrong with it. */
export interface Checked {
  readonly issues?: readonly StandardSchemaV1.Issue[] | undefined;
  readonly value?: unknown;
}

/** Checks an argument or a reply. Throws what the schema throws. */
export function checked(
  schema: StandardSchemaV1 | undefined,
  value: unknown,
): Checked | Promise<Checked> {
  return schema?.['~standard'].validate(value) ?? { value };
}

/** Whether a value is a Standard Schema. */
export function isSchema(value: unknown): value is StandardSchemaV1 {
  const standard: unknown = (value as Partial<StandardSchemaV1> | null)?.['~standard'];
  return typeof (standard as { validate?: unknown } | undefined)?.validate === 'function';
}
