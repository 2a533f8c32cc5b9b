import { readyReplies as tasks } from './protocols/assign/task-assignment-ready.ts';
import { readyReplies as callMarket } from './protocols/call-market-ready.ts';
import { readyReplies as combinatorial } from './protocols/combinatorial-ready.ts';
import { readyReplies as conflict } from './protocols/conflict-ready.ts';
import { readyReplies as continuousMarket } from './protocols/continuous-market-ready.ts';
import { readyReplies as contractNet } from './protocols/contract-net-ready.ts';
import { readyReplies as dcop } from './protocols/dcop-ready.ts';
import { readyReplies as matching } from './protocols/deferred-acceptance-ready.ts';
import { readyReplies as dutch } from './protocols/dutch-auction-ready.ts';
import { readyReplies as english } from './protocols/english-auction-ready.ts';
import { readyReplies as equilibrium } from './protocols/equilibrium/equilibrium-ready.ts';
import { readyReplies as multiUnit } from './protocols/multi-unit-ready.ts';
import { readyReplies as negotiation } from './protocols/negotiation-ready.ts';
import { readyReplies as certificate } from './protocols/quorum-certificate-ready.ts';
import type { ReadyReplyMaker } from './protocols/ready-reply.ts';
import { readyReplies as sealedBid } from './protocols/sealed-bid-auction-ready.ts';
import { readyReplies as voting } from './protocols/voting-ready.ts';

/** Scripted participants of all protocols, by name: `{ "truthful": "60" }` in a script. */
export const readyReplies: Readonly<Record<string, ReadyReplyMaker>> = {
  ...sealedBid,
  ...english,
  ...dutch,
  ...callMarket,
  ...certificate,
  ...voting,
  ...multiUnit,
  ...continuousMarket,
  ...contractNet,
  ...negotiation,
  ...conflict,
  ...combinatorial,
  ...equilibrium,
  ...tasks,
  ...matching,
  ...dcop,
};
