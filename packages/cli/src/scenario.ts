import { readFileSync } from 'node:fs';

import { FoundationError, messageOf } from '@foundation/core';
import {
  builtInProtocols,
  participantsMax,
  type AnyProtocol,
  type SessionOptions,
} from '@foundation/core/mabeam';

import { type Complain, isObject, meant, type Place, shown } from './place.ts';
import { type Conduct, parseConduct, type Questions, questionsOf } from './scripted-replies.ts';

/** A session to be held among scripted participants. */
export interface Scenario {
  readonly protocol: AnyProtocol;
  readonly spec: unknown;
  readonly options: Pick<SessionOptions, 'deadlineMs' | 'quorum' | 'tie'> & {
    readonly seed: string;
  };
  readonly participants: readonly Scripted[];
}

/** A participant that does what the file says. */
export interface Scripted {
  readonly id: string;
  readonly does: Conduct;
  /** Milliseconds before each answer. */
  readonly delayMs: number;
}

/** What holds where a file says nothing. */
export const scenarioDefaults = { deadlineMs: 1_000, seed: 'fnd' };

const fields = {
  file: ['protocol', 'spec', 'options', 'participants'],
  options: ['deadlineMs', 'seed', 'quorum', 'tie'],
  participant: ['id', 'replies', 'delayMs'],
};

/**
 * @param protocols - Those that the file may name.
 * @throws FoundationError `INVALID_OPTION` that names all that is wrong with the file.
 */
export function readScenario(
  path: string,
  protocols: readonly AnyProtocol[] = builtInProtocols,
): Scenario {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new FoundationError('INVALID_OPTION', `${path} cannot be read: ${messageOf(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new FoundationError('INVALID_OPTION', `${path} is no JSON: ${messageOf(error)}`);
  }
  const problems: string[] = [];
  const complain: Complain = (where, what) => problems.push(`${where}: ${what}`);
  const scenario = parseScenario(value, protocols, complain);
  if (scenario !== undefined && problems.length === 0) return scenario;
  throw new FoundationError('INVALID_OPTION', `${path} is no session that can be held`, {
    hint: 'See docs/guide/coordination.md, "Scripted sessions".',
    details: { problems },
  });
}

// oxlint-disable-next-line max-params -- what, which protocols there are, to whom
function parseScenario(
  value: unknown,
  protocols: readonly AnyProtocol[],
  complain: Complain,
): Scenario | undefined {
  const file = objectAt({ where: 'file', value, known: fields.file }, complain);
  const protocol = parseProtocol(file['protocol'], protocols, complain);
  for (const problem of specProblems(protocol, file['spec'])) complain('spec', problem);
  const options = parseOptions(file['options'] ?? {}, complain);
  const questions = protocol && questionsOf(protocol, file['spec']);
  const participants = parseParticipants(file['participants'], questions, complain);
  return protocol && { protocol, spec: file['spec'], options, participants };
}

function specProblems(protocol: AnyProtocol | undefined, value: unknown): readonly string[] {
  try {
    const spec = protocol?.parseSpec(value);
    return spec?.ok === false ? (spec.problems ?? [spec.reason]) : [];
  } catch (error) {
    return [messageOf(error)];
  }
}

// oxlint-disable-next-line max-params -- which, of which, to whom
function parseProtocol(
  value: unknown,
  protocols: readonly AnyProtocol[],
  complain: Complain,
): AnyProtocol | undefined {
  const found = protocols.find(({ name }) => name === value);
  if (found !== undefined) return found;
  const names = protocols.map(({ name }) => name).toSorted();
  const what =
    value === undefined
      ? 'expected the name of a protocol, got nothing'
      : `no protocol is called ${shown(value)}${meant(value, names)}`;
  complain('protocol', `${what}; known: ${names.join(', ')}`);
  return undefined;
}

function parseOptions(value: unknown, complain: Complain): Scenario['options'] {
  const given = objectAt({ where: 'options', value, known: fields.options }, complain);
  const { deadlineMs = scenarioDefaults.deadlineMs, seed = scenarioDefaults.seed } = given;
  const { quorum, tie = 'seeded' } = given;
  const options = { ...scenarioDefaults, tie: ties.find((each) => each === tie) };
  if (options.tie === undefined) {
    const expected = `expected one of ${ties.join(', ')}`;
    complain('options.tie', `${expected}, got ${shown(tie)}${meant(tie, ties)}`);
  }
  if (!isDuration(deadlineMs) || deadlineMs === 0) {
    complain('options.deadlineMs', `expected ${durations}, got ${shown(deadlineMs)}`);
  } else options.deadlineMs = deadlineMs;
  if (typeof seed !== 'string' || seed.length > 1_024) {
    complain('options.seed', `expected a text of at most 1024, got ${shown(seed)}`);
  } else options.seed = seed;
  if (quorum !== undefined && !isQuorum(quorum)) {
    const expected = 'expected a whole number, or a part such as "2/3"';
    complain('options.quorum', `${expected}, got ${shown(quorum)}`);
  }
  return { ...options, tie: options.tie ?? 'seeded', quorum: isQuorum(quorum) ? quorum : 0 };
}

const ties = ['seeded', 'lexicographic', 'report'] as const;
const durations = 'milliseconds from 0 to 2147483647';

function isDuration(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < 2 ** 31;
}

function isQuorum(value: unknown): value is NonNullable<SessionOptions['quorum']> {
  if (typeof value !== 'string') return Number.isSafeInteger(value) && Number(value) >= 0;
  const [, part, whole] = /^(\d{1,9})\/(\d{1,9})$/.exec(value) ?? [];
  return Number(whole) > 0 && Number(part) <= Number(whole);
}

// oxlint-disable-next-line max-params -- what, for which protocol, to whom
function parseParticipants(
  value: unknown,
  questions: Questions | undefined,
  complain: Complain,
): readonly Scripted[] {
  if (!Array.isArray(value) || value.length > participantsMax) {
    complain('participants', `expected a list of at most ${participantsMax}, got ${shown(value)}`);
    return [];
  }
  const seen = new Set<string>();
  return value.map((each: unknown, at) => {
    const where = `participants[${at}]`;
    const participant = parseParticipant({ where, value: each }, questions, complain);
    if (seen.has(participant.id))
      complain(`${where}.id`, `${shown(participant.id)} is there twice`);
    seen.add(participant.id);
    return participant;
  });
}

// oxlint-disable-next-line max-params -- what, for which protocol, to whom
function parseParticipant(
  { where, value }: Place,
  questions: Questions | undefined,
  complain: Complain,
): Scripted {
  const given = objectAt({ where, value, known: fields.participant }, complain);
  const { id, replies, delayMs = 0 } = given;
  if (typeof id !== 'string' || id.length === 0 || id.length > 256) {
    complain(`${where}.id`, `expected a text of 1 to 256 characters, got ${shown(id)}`);
  }
  if (!isDuration(delayMs)) {
    complain(`${where}.delayMs`, `expected ${durations}, got ${shown(delayMs)}`);
  }
  const does = parseConduct({ where: `${where}.replies`, value: replies }, questions, complain);
  // What is no id is refused above; the place stands in for it, so that it is not there twice.
  return { id: typeof id === 'string' ? id : where, does, delayMs: Number(delayMs) };
}

function objectAt(
  { where, value, known }: Place & { readonly known: readonly string[] },
  complain: Complain,
): Readonly<Record<string, unknown>> {
  if (!isObject(value)) {
    complain(where, `expected { ${known.join(', ')} }, got ${shown(value)}`);
    return {};
  }
  for (const field of Object.keys(value)) {
    if (known.includes(field)) continue;
    complain(where, `unknown field ${shown(field)}${meant(field, known)}`);
  }
  return value;
}
