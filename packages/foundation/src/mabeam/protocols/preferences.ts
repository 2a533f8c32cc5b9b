import type { AgentId, CoordinationRequest } from '../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unknownField, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';
import { participantsMax } from '../session-options.ts';

const sides = ['proposer', 'receiver'] as const;

/** `proposer`: one whose side the matching favours. `receiver`: one that holds the best of those who propose. */
export type MatchingSide = (typeof sides)[number];

/** Whom one would have, the best first; equals as a list of their own. Who is left out is not acceptable. */
export type PreferenceList = readonly (AgentId | readonly AgentId[])[];

/** Body of a `get_preferences` request, and what a participant is asked. */
export interface PreferencesQuestion {
  /** What is matched. */
  readonly matching: string;
  /** On which side it stands itself. */
  readonly side: MatchingSide;
  /** Who stands on the other one. */
  readonly others: readonly AgentId[];
  /** Of a receiver: how many it takes. */
  readonly quota?: number;
}

/** Body of the answer. */
export interface PreferencesReply {
  readonly list: PreferenceList;
}

/** Asks a participant whom it would have. */
export const preferencesQuestion: Question<PreferencesQuestion, PreferenceList> = {
  type: 'get_preferences',
  parse: parseQuestion,
  reply: (list) => parsePreferences({ list }),
};

/** Reads the body of an answer. */
export function parsePreferences(body: unknown): Parsed<PreferencesReply> {
  if (!isRecord(body)) return unparsed(`body: expected { list }, got ${shown(body)}`);
  const extra = unknownField(body, ['list']);
  if (extra !== undefined) return unparsed(`body: unknown field ${shown(extra)}`);
  const list = parseList('body.list', body['list']);
  return list.ok ? parsed({ list: list.value }) : list;
}

/** Reads a list in which nobody stands twice. */
export function parseList(field: string, value: unknown): Parsed<PreferenceList> {
  if (!Array.isArray(value) || value.length > participantsMax) {
    return unparsed(`${field}: expected at most ${participantsMax} ids, got ${shown(value)}`);
  }
  const list: PreferenceList[number][] = [];
  const seen = new Set<string>();
  for (const [index, each] of value.entries()) {
    const equals: readonly unknown[] = Array.isArray(each) ? each : [each];
    const ids = equals.slice(0, participantsMax).filter(isId);
    if (ids.length < equals.length || ids.length === 0) {
      return unparsed(
        `${field}[${index}]: expected an id, or a list of equals, got ${shown(each)}`,
      );
    }
    const again = ids.find((id) => seen.size === seen.add(id).size);
    if (again !== undefined) return unparsed(`${field}: ${shown(again)} stands there twice`);
    list.push(Array.isArray(each) ? ids : (ids[0] ?? ''));
  }
  return parsed(list);
}

/** Whether a value can be the id of a participant. */
export function isId(value: unknown): value is AgentId {
  return typeof value === 'string' && value.length > 0 && value.length <= 256;
}

function parseQuestion({ body }: CoordinationRequest): Parsed<PreferencesQuestion> {
  if (!isRecord(body)) {
    return unparsed(`body: expected { matching, side, others }, got ${shown(body)}`);
  }
  const { matching, side, others, quota } = body;
  if (typeof matching !== 'string') {
    return unparsed(`body.matching: expected a text, got ${shown(matching)}`);
  }
  if (!isOneOf(sides, side)) {
    return unparsed(`body.side: expected proposer or receiver, got ${shown(side)}`);
  }
  if (!Array.isArray(others) || !others.every(isId)) {
    return unparsed(`body.others: expected ids, got ${shown(others)}`);
  }
  if (quota === undefined) return parsed({ matching, side, others });
  return typeof quota === 'number'
    ? parsed({ matching, side, others, quota })
    : unparsed(`body.quota: expected a number, got ${shown(quota)}`);
}
