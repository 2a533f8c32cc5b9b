import { FoundationError } from '../../../errors.ts';
import { type ReadyReply, understood } from '../ready-reply.ts';
import { proportionalResponse } from './fisher-buyer.ts';
import { type Spending, spendingQuestion } from './fisher-questions.ts';
import { parseUtility, type Utility } from './utility.ts';

/** Traders for scripts, by name; each takes a utility, such as `{ "kind": "linear", "weights": [2, 1] }`. */
export const readyReplies = {
  /** `get_spending`: moves its bids by proportional response. */
  spendFor: (argument: unknown): ReadyReply<Spending> => {
    const utility = readyUtility('spendFor', argument);
    return (request) => proportionalResponse(utility, understood(spendingQuestion, request));
  },
} as const;

/** @throws FoundationError `INVALID_OPTION` for what is no utility. */
function readyUtility(name: string, argument: unknown): Utility {
  const utility = parseUtility(argument);
  if (utility.ok) return utility.value;
  throw new FoundationError('INVALID_OPTION', `${name}: ${utility.reason}`);
}
