import { FoundationError } from '../../errors.ts';
import type { CoordinationRequest } from '../message.ts';
import { shown } from '../parse.ts';
import { isWithin } from './auction-terms.ts';
import { type MarginalsReply, marginalsQuestions } from './marginals.ts';
import { type QuantityReply, quantityQuestion } from './quantity-question.ts';
import { readyAmount, understood } from './ready-reply.ts';

/** Scripted bidders for several units, by name. */
export const readyReplies = {
  /** `get_marginal_values`, `get_marginal_costs`, `get_quantity`: says what each further unit is worth to it, or costs it. */
  unitsWorth: (argument: unknown) => {
    if (!Array.isArray(argument)) {
      throw new FoundationError(
        'INVALID_OPTION',
        `unitsWorth: expected a list of amounts, got ${shown(argument)}`,
      );
    }
    const marginals = argument.map((value, index) => readyAmount(`unitsWorth[${index}]`, value));
    return (request: CoordinationRequest): MarginalsReply | QuantityReply => {
      const isSealed = Object.values(marginalsQuestions).some(({ type }) => type === request.type);
      if (isSealed) return { marginals };
      const { price, side } = understood(quantityQuestion, request);
      return { quantity: marginals.filter((worth) => isWithin(side, price, worth)).length };
    };
  },
};
