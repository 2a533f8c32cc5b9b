import { isRecord } from '../parse.ts';
import { additive, unitDemand } from './combinatorial/package-bidders.ts';
import { type PackageBid, packageQuestion } from './combinatorial/package-bids.ts';
import { readyAmount, type ReadyReply, understood } from './ready-reply.ts';

/**
 * Bidders on packages for scripts, by name, each with a value for each good. `additive`: wants each good for itself.
 * `unitDemand`: wants one of them.
 */
export const readyReplies: Readonly<Record<string, (argument: unknown) => ReadyReply>> = {
  additive: bidder('additive', additive),
  unitDemand: bidder('unitDemand', unitDemand),
};

function bidder(
  name: string,
  bidsOf: (values: Readonly<Record<string, bigint>>) => readonly PackageBid[],
) {
  return (argument: unknown): ReadyReply => {
    const values = isRecord(argument) ? Object.entries(argument) : [];
    const amounts = values.map(([good, value]) => [good, readyAmount(`${name}.${good}`, value)]);
    const bids = bidsOf(Object.fromEntries(amounts));
    return (request) => {
      understood(packageQuestion, request);
      return { bids };
    };
  };
}
