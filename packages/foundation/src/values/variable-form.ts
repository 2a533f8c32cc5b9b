import type { StandardSchemaV1 } from '@standard-schema/spec';

import { FoundationError } from '../errors.ts';
import { checked } from '../process/message-check.ts';
import { complaint } from '../process/process-errors.ts';
import type { VariableRecord } from './variable-record.ts';

/** Of what form the values of a variable are. */
export interface FormOptions {
  /** A copy of the value before the first one. */
  readonly initial: () => unknown;
  readonly schema: StandardSchemaV1 | undefined;
  readonly schemaVersion: number;
  readonly upgrade: ((stored: unknown, schemaVersion: number) => unknown) | undefined;
}

/** What a variable takes and gives: values of its schema, also those that earlier programs have stored. */
export class VariableForm {
  readonly #name: string;
  readonly #options: FormOptions;

  constructor(name: string, options: FormOptions) {
    this.#name = name;
    this.#options = options;
  }

  get schemaVersion(): number {
    return this.#options.schemaVersion;
  }

  /** What users get of a record, or of none. @throws FoundationError `INVALID_VALUE` */
  async valueOf(record: VariableRecord | undefined): Promise<unknown> {
    if (record !== undefined) this.checkKnown(record);
    const { schemaVersion, upgrade } = this.#options;
    const stored = record?.stored;
    if (stored === undefined) return this.#initial();
    const isOld = record !== undefined && record.schemaVersion < schemaVersion;
    const value = isOld ? upgrade?.(stored.value, record.schemaVersion) : stored.value;
    return this.parse(value);
  }

  /** What the schema makes of a value. @throws FoundationError `INVALID_VALUE` */
  async parse(given: unknown): Promise<unknown> {
    const { issues, value } = await checked(this.#options.schema, given);
    if (issues === undefined) return value;
    const { why, plain } = complaint(issues);
    throw new FoundationError('INVALID_VALUE', `"${this.#name}" cannot have that value: ${why}`, {
      hint: 'Give what the schema of the variable asks for. Nothing was written.',
      details: { name: this.#name, issues: plain },
    });
  }

  /** No schema is asked whether there may be nothing. */
  #initial(): unknown {
    const initial = this.#options.initial();
    return initial === undefined ? undefined : this.parse(initial);
  }

  /** Refuses what a newer program has written: it knows more than this one. */
  checkKnown(record: Pick<VariableRecord, 'schemaVersion'>): void {
    const { schemaVersion } = this.#options;
    if (record.schemaVersion <= schemaVersion) return;
    const message = `"${this.#name}" has a value of schema version ${record.schemaVersion}, and ${schemaVersion} is known here`;
    throw new FoundationError('INVALID_VALUE', message, {
      hint: 'A newer program has written it. Upgrade this one.',
      details: { name: this.#name, stored: record.schemaVersion, known: schemaVersion },
    });
  }
}
