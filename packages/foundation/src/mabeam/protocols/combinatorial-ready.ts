import { FoundationError } from '../../errors.ts';
import { isRecord, shown } from '../parse.ts';
import { additive, unitDemand } from './combinatorial/package-bidders.ts';
import { type PackageBid, packageQuestion } from './combinatorial/package-bids.ts';
import { answering, readyAmount, type ReadyReplyMaker, understood } from './ready-reply.ts';

/**
 * Bidders on packages for scripts, by name, each with a value for each good. `additive`: wants each good for itself.
 * `unitDemand`: wants one of them.
 */
export const readyReplies: Readonly<Record<string, ReadyReplyMaker>> = {
  additive: bidder('additive', additive),
  unitDemand: bidder('unitDemand', unitDemand),
};

function bidder(
  name: string,
  bidsOf: (values: Readonly<Record<string, bigint>>) => readonly PackageBid[],
): ReadyReplyMaker {
  return answering([packageQuestion], (argument) => {
    if (!isRecord(argument)) {
      const expected = `${name}: expected { good: amount }`;
      throw new FoundationError('INVALID_OPTION', `${expected}, got ${shown(argument)}`);
    }
    const amounts = Object.entries(argument).map(([good, value]) => [
      good,
      readyAmount(`${name}.${good}`, value),
    ]);
    const bids = bidsOf(Object.fromEntries(amounts));
    return (request) => {
      understood(packageQuestion, request);
      return { bids };
    };
  });
}
