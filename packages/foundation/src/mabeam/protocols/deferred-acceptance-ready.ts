import type { CoordinationRequest } from '../message.ts';
import { only } from './matching-lists.ts';
import { parseList, type PreferencesReply, preferencesQuestion } from './preferences.ts';

/** Participants of matchings for scripts, by name. */
export const readyReplies: Readonly<
  Record<
    string,
    (argument: unknown) => (request: CoordinationRequest) => PreferencesReply | undefined
  >
> = {
  /** Would have those of a list who are there, in its order: `{ "rank": ["A", ["B", "C"]] }`. Nothing but a list is an answer. */
  rank: (argument) => (request) => {
    const asked = preferencesQuestion.parse(request);
    const list = parseList('rank', argument);
    if (request.type !== preferencesQuestion.type || !asked.ok || !list.ok) return undefined;
    return { list: only(list.value, new Set(asked.value.others)) };
  },
};
