import { FoundationError } from '../../errors.ts';
import { shown } from '../parse.ts';
import { isWithin } from './auction-terms.ts';
import { type MarginalsReply, marginalsQuestions } from './marginals.ts';
import { type QuantityReply, quantityQuestion } from './quantity-question.ts';
import { answering, readyAmount, understood } from './ready-reply.ts';

const sealed = Object.values(marginalsQuestions);
const asked = [...sealed, quantityQuestion];

/** Scripted bidders for several units, by name. */
export const readyReplies = {
  /** `get_marginal_values`, `get_marginal_costs`, `get_quantity`: says what each further unit is worth to it, or costs it. */
  unitsWorth: answering<MarginalsReply | QuantityReply>(asked, (argument) => {
    if (!Array.isArray(argument)) {
      throw new FoundationError(
        'INVALID_OPTION',
        `unitsWorth: expected a list of amounts, got ${shown(argument)}`,
      );
    }
    const marginals = argument.map((value, index) => readyAmount(`unitsWorth[${index}]`, value));
    return (request) => {
      const isSealed = sealed.some(({ type }) => type === request.type);
      if (isSealed) return { marginals };
      const { price, side } = understood(quantityQuestion, request);
      return { quantity: marginals.filter((worth) => isWithin(side, price, worth)).length };
    };
  }),
};
