import type { CoordinationRequest } from '../../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import type { Question } from '../../question.ts';
import { type Ballot, type BallotKind, ballotKinds, parseBallot, parseOptions } from './ballot.ts';

/** What an option has come to. */
export interface OptionScore {
  readonly option: string;
  /** Votes, points or duels: what the rule counts. */
  readonly score: number;
}

/** Body of a `get_vote` request. */
export interface VoteRequest {
  readonly question: string;
  readonly options: readonly string[];
  readonly ballot: BallotKind;
  /** With score ballots: largest score. */
  readonly scoreMax?: number;
  /** With committees: how many are elected. */
  readonly seats?: number;
  /** In votes of several rounds: what the round before came to. */
  readonly last?: readonly OptionScore[];
}

/** What a voter is asked. */
export interface VoteQuestion extends VoteRequest {
  /** Counts from 1. */
  readonly round: number;
}

/** Asks a voter for a ballot. */
export const voteQuestion: Question<VoteQuestion, Ballot> = {
  type: 'get_vote',
  parse: parseQuestion,
  reply: (answer) => {
    const ballot = parseBallot(answer, ballotKinds);
    return ballot.ok ? ballot : unparsed(`the vote was no ballot: ${ballot.reason}`);
  },
};

function parseQuestion({ body, round }: CoordinationRequest): Parsed<VoteQuestion> {
  if (!isRecord(body)) {
    return unparsed(`body: expected { question, options, ballot }, got ${shown(body)}`);
  }
  const { question, ballot, scoreMax, seats } = body;
  if (typeof question !== 'string') {
    return unparsed(`body.question: expected a text, got ${shown(question)}`);
  }
  const options = parseOptions('body.options', body['options']);
  if (!options.ok) return options;
  if (!isOneOf(ballotKinds, ballot)) {
    return unparsed(`body.ballot: expected ${ballotKinds.join(', ')}, got ${shown(ballot)}`);
  }
  const last = parseLast(body['last']);
  if (!last.ok) return last;
  return parsed({
    question,
    options: options.value,
    ballot,
    round,
    ...(typeof scoreMax === 'number' ? { scoreMax } : {}),
    ...(typeof seats === 'number' ? { seats } : {}),
    ...(last.value === undefined ? {} : { last: last.value }),
  });
}

function parseLast(value: unknown): Parsed<readonly OptionScore[] | undefined> {
  if (value === undefined) return parsed(undefined);
  if (!Array.isArray(value)) return unparsed(`body.last: expected a tally, got ${shown(value)}`);
  const last: OptionScore[] = [];
  for (const each of value) {
    if (
      !isRecord(each) ||
      typeof each['option'] !== 'string' ||
      typeof each['score'] !== 'number'
    ) {
      return unparsed(`body.last: expected { option, score }, got ${shown(each)}`);
    }
    last.push({ option: each['option'], score: each['score'] });
  }
  return parsed(last);
}
