import { FoundationError } from '../../errors.ts';
import type { CoordinationRequest } from '../message.ts';
import { shown } from '../parse.ts';
import { answering, type ReadyReplyMaker } from './ready-reply.ts';
import type { Ballot } from './voting/ballot.ts';
import { type VoteQuestion, voteQuestion } from './voting/vote-question.ts';

/** Voters for scripts, by name. Each takes one option, or a list from best to worst. */
export const readyReplies: Readonly<Record<string, ReadyReplyMaker<Ballot | undefined>>> = {
  /** Votes on every kind of ballot as it likes options. */
  prefer: answering([voteQuestion], (argument) => {
    const liked = listOf('prefer', argument);
    return (request) => voteOn(request, (question) => rank(question, liked));
  }),
  /** Votes for what it likes at first, and later for whatever was ahead in the round before. */
  joinLeader: answering([voteQuestion], (argument) => {
    const liked = listOf('joinLeader', argument);
    return (request) =>
      voteOn(request, (question) => rank(question, [leaderOf(question), ...liked]));
  }),
};

function voteOn(
  request: CoordinationRequest,
  vote: (question: VoteQuestion) => Ballot,
): Ballot | undefined {
  const question = request.type === voteQuestion.type ? voteQuestion.parse(request) : undefined;
  return question?.ok === true ? vote(question.value) : undefined;
}

/** Approves what it likes better than the last; scores fall evenly from the largest to nothing. */
function rank(question: VoteQuestion, liked: readonly (string | undefined)[]): Ballot {
  const known = [...new Set(liked)].filter((option) => option !== undefined);
  const ranking = known.filter((option) => question.options.includes(option));
  switch (question.ballot) {
    case 'single':
      return { single: ranking[0] ?? question.options[0] ?? '' };
    case 'approval':
      return { approve: ranking.slice(0, Math.max(1, ranking.length - 1)) };
    case 'ranking':
      return { ranking };
    case 'score': {
      const { scoreMax = 10, options } = question;
      const score = (place: number): number =>
        Math.round((scoreMax * (options.length - 1 - place)) / Math.max(1, options.length - 1));
      return { scores: Object.fromEntries(ranking.map((option, place) => [option, score(place)])) };
    }
  }
}

function leaderOf({ last = [] }: VoteQuestion): string | undefined {
  const best = Math.max(...last.map(({ score }) => score));
  return last.find(({ score }) => score === best)?.option;
}

/** @throws FoundationError `INVALID_OPTION` for what is no list of options. */
function listOf(name: string, argument: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(argument) ? argument : [argument];
  const options = list.filter((option) => typeof option === 'string');
  if (options.length === list.length) return options;
  throw new FoundationError(
    'INVALID_OPTION',
    `${name}: expected an option, or a list of options, got ${shown(argument)}`,
  );
}
