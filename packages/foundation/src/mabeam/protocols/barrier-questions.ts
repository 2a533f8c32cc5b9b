import type { CoordinationRequest } from '../message.ts';
import { isOneOf, isRecord, type Parsed, parsed, shown, unparsed } from '../parse.ts';
import type { Question } from '../question.ts';

const phases = ['enter', 'leave'] as const;

/** `leave` is there in double barriers only. */
export type BarrierPhase = (typeof phases)[number];

/** Which crossing a party is asked for. It is the body of an `arrive` request, too. */
export interface ArriveQuestion {
  readonly barrier: string;
  readonly generation: number;
  readonly phase: BarrierPhase;
}

/** A party is asked to come. It answers when it has come. */
export const arriveQuestion: Question<ArriveQuestion, void> = {
  type: 'arrive',
  parse: parseQuestion,
  reply: () => parsed({}),
};

function parseQuestion({ body }: CoordinationRequest): Parsed<ArriveQuestion> {
  if (!isRecord(body)) return unparsed(`body: expected { barrier, … }, got ${shown(body)}`);
  const { barrier: name, generation, phase } = body;
  if (typeof name !== 'string')
    return unparsed(`body.barrier: expected a text, got ${shown(name)}`);
  if (!isCount(generation, Number.MAX_SAFE_INTEGER)) {
    return unparsed(`body.generation: expected a whole number, got ${shown(generation)}`);
  }
  if (!isOneOf(phases, phase)) {
    return unparsed(`body.phase: expected enter or leave, got ${shown(phase)}`);
  }
  return parsed({ barrier: name, generation, phase });
}

/** Whether a value is a whole number from 1 to `most`. */
export function isCount(value: unknown, most: number): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 1 && Number(value) <= most;
}
