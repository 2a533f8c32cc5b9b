import { FoundationError } from '../../errors.ts';
import {
  acceptProposalQuestion,
  cfpQuestion,
  type Performance,
  progressQuestion,
  type Proposal,
} from './contract-net-questions.ts';
import { answering, readyAmount, understood } from './ready-reply.ts';
import { isWhole } from './voting/vote-spec.ts';

/** Scripted contractors, by name. */
export const readyReplies = {
  /** `cfp`: proposes to do it for what it costs, unless that is more than is paid. */
  proposeFor: answering<Proposal | undefined>([cfpQuestion], (argument) => {
    const cost = readyAmount('proposeFor', argument);
    return (request) => {
      const { maxCost = cost } = understood(cfpQuestion, request);
      return cost <= maxCost ? { cost } : undefined;
    };
  }),
  /** `accept_proposal` and `progress`: works for so many heartbeats, and is done. */
  doneAfter: answering<Performance>([acceptProposalQuestion, progressQuestion], (argument) => {
    if (!isWhole(argument, 0, Number.MAX_SAFE_INTEGER)) {
      throw new FoundationError('INVALID_OPTION', 'doneAfter: expected a number of heartbeats');
    }
    return (request) => {
      const question =
        request.type === progressQuestion.type ? progressQuestion : acceptProposalQuestion;
      const { heartbeat } = understood(question, request);
      return { act: heartbeat < argument ? 'working' : 'inform_done' };
    };
  }),
} as const;
