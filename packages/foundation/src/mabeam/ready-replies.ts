import type { CoordinationRequest } from './message.ts';
import { readyReplies as sealedBid } from './protocols/sealed-bid-auction-ready.ts';

/**
 * Makes a scripted participant: what it answers to each request, from what the script says about it. A body that is
 * undefined is no answer.
 *
 * @throws Error that says what is wrong with the argument.
 */
export type ReadyReply = (argument: unknown) => (request: CoordinationRequest) => unknown;

/** Scripted participants of all protocols, by name: `{ "truthful": "60" }` in a script. */
export const readyReplies: Readonly<Record<string, ReadyReply>> = {
  ...sealedBid,
};
