import { FoundationError, messageOf } from '../errors.ts';
import { Codec } from '../wire/codec.ts';
import { isRecord, shown } from './parse.ts';
import type { SessionRecord } from './record.ts';

/** Arrays and objects of one record together: a hundred thousand participants, and all their answers. */
const itemsMax = 50_000_000;

/** A record as bytes, exactly: in Foundation's codec. */
export function encodeRecord(record: SessionRecord): Uint8Array {
  return new Codec(undefined, { itemsMax }).encode(record);
}

/**
 * @throws FoundationError `MALFORMED` for bytes that are no record. What it holds is checked when it is folded: its
 * answers are read again as if they came in.
 */
export function decodeRecord(bytes: Uint8Array): SessionRecord {
  let value: unknown;
  try {
    value = new Codec(undefined, { itemsMax }).decode(bytes);
  } catch (error) {
    throw new FoundationError('MALFORMED', `bytes that are no record: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return checkRecord(value);
}

/** @throws FoundationError `MALFORMED` naming what is wrong with the form of a record. */
export function checkRecord(value: unknown): SessionRecord {
  if (isSessionRecord(value)) return value;
  throw new FoundationError('MALFORMED', `no record: ${problemOf(value)}`);
}

function isSessionRecord(value: unknown): value is SessionRecord {
  return problemOf(value) === undefined;
}

const texts = ['session', 'protocol', 'protocolVersion', 'seed', 'tie', 'nonceKey'];
const numbers = ['deadlineMs', 'quorum', 'epoch'];

function problemOf(value: unknown): string | undefined {
  if (!isRecord(value)) return `expected { setup, entries, dropped }, got ${shown(value)}`;
  const { setup, entries, dropped } = value;
  if (!isRecord(setup)) return `setup: expected an object, got ${shown(setup)}`;
  const text = texts.find((field) => typeof setup[field] !== 'string');
  if (text !== undefined) return `setup.${text}: expected a text, got ${shown(setup[text])}`;
  const number = numbers.find((field) => !Number.isFinite(setup[field]));
  if (number !== undefined) {
    return `setup.${number}: expected a number, got ${shown(setup[number])}`;
  }
  const { roster } = setup;
  if (!Array.isArray(roster) || !roster.every((id) => typeof id === 'string')) {
    return `setup.roster: expected a list of ids, got ${shown(roster)}`;
  }
  if (!Array.isArray(entries) || !entries.every(isEntry)) {
    return 'entries: expected a list of things that happened, each with `kind` and `at`';
  }
  return Number.isSafeInteger(dropped) ? undefined : `dropped: got ${shown(dropped)}`;
}

function isEntry(entry: unknown): boolean {
  return isRecord(entry) && typeof entry['kind'] === 'string' && Number.isFinite(entry['at']);
}
