import { readFileSync } from 'node:fs';

import { closest, FoundationError, messageOf } from '@foundation/core';
import {
  builtInProtocols,
  participantsMax,
  readyReplies,
  type AnyProtocol,
  type CoordinationRequest,
  type SessionOptions,
} from '@foundation/core/mabeam';

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
  readonly does: 'silent' | 'garbage' | 'dead' | Replies;
  /** Milliseconds before each answer. */
  readonly delayMs: number;
}

/** By type of the request. `nth`: which request of that type it is, from 0. Undefined: it has no answer. */
export type Replies = ReadonlyMap<string, (request: CoordinationRequest, nth: number) => unknown>;

/** What holds where a file says nothing. */
export const scenarioDefaults = { deadlineMs: 1_000, seed: 'fnd' };

const conditions = ['silent', 'garbage', 'dead'] as const;
const fields = {
  file: ['protocol', 'spec', 'options', 'participants'],
  options: ['deadlineMs', 'seed', 'quorum', 'tie'],
  participant: ['id', 'replies', 'delayMs'],
};

/** @throws FoundationError `INVALID_OPTION` that names all that is wrong with the file. */
export function readScenario(path: string): Scenario {
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
  const scenario = parseScenario(value, (where, what) => problems.push(`${where}: ${what}`));
  if (scenario !== undefined && problems.length === 0) return scenario;
  throw new FoundationError('INVALID_OPTION', `${path} is no session that can be held`, {
    hint: 'See docs/guide/coordination.md, "Scripted sessions".',
    details: { problems },
  });
}

/** Takes note of something wrong. */
type Complain = (where: string, what: string) => void;

function parseScenario(value: unknown, complain: Complain): Scenario | undefined {
  const file = objectAt({ where: 'file', value, known: fields.file }, complain);
  const protocol = parseProtocol(file['protocol'], complain);
  const spec = protocol?.parseSpec(file['spec']);
  if (spec?.ok === false) complain('spec', spec.reason);
  const options = parseOptions(file['options'] ?? {}, complain);
  const participants = parseParticipants(file['participants'], complain);
  return protocol && { protocol, spec: file['spec'], options, participants };
}

function parseProtocol(value: unknown, complain: Complain): AnyProtocol | undefined {
  const found = builtInProtocols.find(({ name }) => name === value);
  if (found !== undefined) return found;
  const names = builtInProtocols.map(({ name }) => name).toSorted();
  complain(
    'protocol',
    `no protocol is called ${shown(value)}${meant(value, names)}; known: ${names.join(', ')}`,
  );
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

function parseParticipants(value: unknown, complain: Complain): readonly Scripted[] {
  if (!Array.isArray(value) || value.length > participantsMax) {
    complain('participants', `expected a list of at most ${participantsMax}, got ${shown(value)}`);
    return [];
  }
  const seen = new Set<string>();
  return value.map((each: unknown, at) => {
    const where = `participants[${at}]`;
    const participant = parseParticipant({ where, value: each }, complain);
    if (seen.has(participant.id))
      complain(`${where}.id`, `${shown(participant.id)} is there twice`);
    seen.add(participant.id);
    return participant;
  });
}

interface Place {
  /** Path in the file. */
  readonly where: string;
  readonly value: unknown;
}

function parseParticipant({ where, value }: Place, complain: Complain): Scripted {
  const given = objectAt({ where, value, known: fields.participant }, complain);
  const { id, replies, delayMs = 0 } = given;
  if (typeof id !== 'string' || id.length === 0 || id.length > 256) {
    complain(`${where}.id`, `expected a text of 1 to 256 characters, got ${shown(id)}`);
  }
  if (!isDuration(delayMs)) {
    complain(`${where}.delayMs`, `expected ${durations}, got ${shown(delayMs)}`);
  }
  const does = parseReplies({ where: `${where}.replies`, value: replies }, complain);
  // What is no id is refused above; the place stands in for it, so that it is not there twice.
  return { id: typeof id === 'string' ? id : where, does, delayMs: Number(delayMs) };
}

function parseReplies({ where, value }: Place, complain: Complain): Scripted['does'] {
  const condition = conditions.find((each) => each === value);
  if (condition !== undefined) return condition;
  if (!isObject(value)) {
    complain(
      where,
      `expected replies by type of request, or one of ${conditions.join(', ')}, got ${shown(value)}${meant(value, conditions)}`,
    );
    return 'silent';
  }
  return new Map(
    Object.entries(value).map(([type, reply]) => [
      type,
      Array.isArray(reply)
        ? byRound(
            reply.map((one: unknown, at) =>
              parseReply({ where: `${where}.${type}[${at}]`, value: one }, complain),
            ),
          )
        : parseReply({ where: `${where}.${type}`, value: reply }, complain),
    ]),
  );
}

type Reply = (request: CoordinationRequest) => unknown;

function byRound(
  replies: readonly Reply[],
): (request: CoordinationRequest, nth: number) => unknown {
  return (request, nth) => replies[nth]?.(request);
}

/** One body, or a ready participant. */
function parseReply({ where, value }: Place, complain: Complain): Reply {
  const [name = '', ...others] = isObject(value) ? Object.keys(value) : [];
  const ready =
    others.length === 0 && Object.hasOwn(readyReplies, name) ? readyReplies[name] : undefined;
  if (ready === undefined) return () => value;
  try {
    return ready(Object(value)[name]);
  } catch (error) {
    complain(`${where}.${name}`, messageOf(error));
    return () => undefined;
  }
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

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function meant(value: unknown, known: readonly string[]): string {
  const near = typeof value === 'string' ? closest(value, known) : undefined;
  return near === undefined ? '' : `, did you mean ${shown(near)}?`;
}

/** A value of the file in at most 80 characters. */
function shown(value: unknown): string {
  const text = value === undefined ? 'nothing' : JSON.stringify(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
