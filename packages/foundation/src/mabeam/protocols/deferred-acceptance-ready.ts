import { FoundationError } from '../../errors.ts';
import { only } from './matching-lists.ts';
import { parseList, type PreferencesReply, preferencesQuestion } from './preferences.ts';
import { answering, type ReadyReplyMaker, understood } from './ready-reply.ts';

/** Participants of matchings for scripts, by name. */
export const readyReplies: Readonly<Record<string, ReadyReplyMaker<PreferencesReply>>> = {
  /** Would have those of a list who are there, in its order: `{ "rank": ["A", ["B", "C"]] }`. */
  rank: answering([preferencesQuestion], (argument) => {
    const list = parseList('rank', argument);
    if (!list.ok) throw new FoundationError('INVALID_OPTION', list.reason);
    return (request) => {
      const { others } = understood(preferencesQuestion, request);
      return { list: only(list.value, new Set(others)) };
    };
  }),
};
