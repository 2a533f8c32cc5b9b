import { FoundationError } from '../../../errors.ts';
import { type ReadyReply, understood } from '../ready-reply.ts';
import { type Costs, costsQuestion, parseCosts } from './costs-question.ts';

/** Agents for scripts, by name. */
export const readyReplies = {
  /** `get_costs`: what tasks cost it, by name: `{ "write": "3", "test": "5" }`. It cannot do any other. */
  costOf: (argument: unknown): ReadyReply<Costs> => {
    const names = Object.keys(Object(argument));
    const given = parseCosts({ costs: names.map((name): unknown => Object(argument)[name]) });
    if (!given.ok) throw new FoundationError('INVALID_OPTION', `costOf: ${given.reason}`);
    const { costs } = given.value;
    return (request) => {
      const { tasks } = understood(costsQuestion, request);
      return { costs: tasks.map((task) => costs[names.indexOf(task)] ?? null) };
    };
  },
} as const;
