import { parseFields, parseText } from '../fields.ts';
import type { AgentId } from '../message.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import { participantsMax } from '../session-options.ts';
import { isId, parseList, type PreferenceList } from './preferences.ts';

/** Most proposers that one receiver may take. */
export const matchingQuotaMax = 1_000_000;

/** Who is matched. Members of the roster that are no receivers propose. */
export interface MatchingSpec {
  /** Name of what is matched, up to 256 characters. */
  readonly matching: string;
  /** Ids, each once. Those outside of the roster need a list among `lists`. */
  readonly receivers: readonly AgentId[];
  /** How many proposers a receiver takes: 1 to {@link matchingQuotaMax}. @defaultValue 1 for each that is not named */
  readonly quotas?: Readonly<Record<AgentId, number>>;
  /** What a receiver wants as long as it says nothing itself: a law, or what is known of it. @defaultValue nobody */
  readonly lists?: Readonly<Record<AgentId, PreferenceList>>;
}

/** Reads what is to be matched. */
export function parseMatchingSpec(spec: unknown): Parsed<Required<MatchingSpec>> {
  return parseFields(
    spec,
    '{ matching, receivers, … }',
    ({ matching, receivers, quotas = {}, lists = {} }) => {
      const ids = parseReceivers(receivers);
      const known = ids.ok ? new Set(ids.value) : undefined;
      return {
        matching: parseText('matching', matching),
        receivers: ids,
        quotas: parseQuotas(quotas, known),
        lists: parseLists(lists, known),
      };
    },
  );
}

function parseReceivers(value: unknown): Parsed<readonly AgentId[]> {
  if (!Array.isArray(value) || value.length === 0 || value.length > participantsMax) {
    return unparsed(`receivers: expected 1 to ${participantsMax} ids, got ${shown(value)}`);
  }
  const ids = new Set<AgentId>();
  for (const id of value) {
    if (!isId(id)) {
      return unparsed(`receivers: expected texts of 1 to 256 characters, got ${shown(id)}`);
    }
    if (ids.has(id)) return unparsed(`receivers: ${shown(id)} stands there twice`);
    ids.add(id);
  }
  return parsed([...ids]);
}

/** @param known - The receivers; undefined while nobody knows them. */
function parseQuotas(
  value: unknown,
  known: ReadonlySet<AgentId> | undefined,
): Parsed<Record<AgentId, number>> {
  if (!isRecord(value)) return unparsed(`quotas: expected { receiver: n }, got ${shown(value)}`);
  const quotas: [AgentId, number][] = [];
  for (const [id, quota] of Object.entries(value)) {
    if (known?.has(id) === false) return unparsed(`quotas: ${shown(id)} is no receiver`);
    if (!isQuota(quota)) {
      const range = `a whole number from 1 to ${matchingQuotaMax}`;
      return unparsed(`quotas[${shown(id)}]: expected ${range}, got ${shown(quota)}`);
    }
    quotas.push([id, quota]);
  }
  return parsed(Object.fromEntries(quotas));
}

function isQuota(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= matchingQuotaMax;
}

function parseLists(
  value: unknown,
  known: ReadonlySet<AgentId> | undefined,
): Parsed<Record<AgentId, PreferenceList>> {
  if (!isRecord(value)) return unparsed(`lists: expected { receiver: list }, got ${shown(value)}`);
  const lists: [AgentId, PreferenceList][] = [];
  for (const [id, given] of Object.entries(value)) {
    if (known?.has(id) === false) return unparsed(`lists: ${shown(id)} is no receiver`);
    const list = parseList(`lists[${shown(id)}]`, given);
    if (!list.ok) return list;
    lists.push([id, list.value]);
  }
  return parsed(Object.fromEntries(lists));
}

/** Not what every object has by that name. */
export function own<T>(record: Readonly<Record<string, T>> = {}, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
