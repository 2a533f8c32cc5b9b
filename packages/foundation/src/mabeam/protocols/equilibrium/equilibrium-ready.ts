import { FoundationError } from '../../../errors.ts';
import { answering, understood } from '../ready-reply.ts';
import {
  favourites,
  isValues,
  parseWants,
  type Wants,
  wantsQuestion,
} from './assignment-questions.ts';
import { type DemandReply, demandQuestion } from './exchange-questions.ts';
import { proportionalResponse } from './fisher-buyer.ts';
import { type Spending, spendingQuestion } from './fisher-questions.ts';
import { worthAt } from './tatonnement.ts';
import { demandOf, parseUtility, type Utility } from './utility.ts';

/** Traders for scripts, by name; each takes a utility, such as `{ "kind": "linear", "weights": [2, 1] }`. */
export const readyReplies = {
  /** `get_spending`: moves its bids by proportional response. */
  spendFor: answering<Spending>([spendingQuestion], (argument) => {
    const utility = readyUtility('spendFor', argument);
    return (request) => proportionalResponse(utility, understood(spendingQuestion, request));
  }),
  /** `get_demand`: says what is worth most to it of all that its endowment buys. */
  demandFor: answering<DemandReply>([demandQuestion], (argument) => {
    const utility = readyUtility('demandFor', argument);
    return (request) => {
      const { prices, endowment } = understood(demandQuestion, request);
      return { demand: demandOf(utility, prices, worthAt(prices, endowment)) };
    };
  }),
  /** `get_wants`: says what is best for it at each price, by what goods are worth to it: a list of amounts, or null. */
  wantBest: answering<Wants>([wantsQuestion], (argument) => {
    const said = parseWants({ values: argument });
    if (!said.ok || !isValues(said.value)) {
      throw new FoundationError(
        'INVALID_OPTION',
        `wantBest: ${said.ok ? 'no values' : said.reason}`,
      );
    }
    const { values } = said.value;
    return (request) => favourites(values, understood(wantsQuestion, request));
  }),
} as const;

/** @throws FoundationError `INVALID_OPTION` for what is no utility. */
function readyUtility(name: string, argument: unknown): Utility {
  const utility = parseUtility(argument);
  if (utility.ok) return utility.value;
  throw new FoundationError('INVALID_OPTION', `${name}: ${utility.reason}`);
}
