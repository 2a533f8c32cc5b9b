import { FoundationError } from '../../../errors.ts';
import { isRecord, shown } from '../../parse.ts';
import { answering, understood } from '../ready-reply.ts';
import { type Costs, costsQuestion, parseCosts } from './costs-question.ts';

/** Agents for scripts, by name. */
export const readyReplies = {
  /** `get_costs`: what tasks cost it, by name: `{ "write": "3", "test": "5" }`. It cannot do any other. */
  costOf: answering<Costs>([costsQuestion], (argument) => {
    if (!isRecord(argument)) {
      const expected = 'costOf: expected { task: cost }';
      throw new FoundationError('INVALID_OPTION', `${expected}, got ${shown(argument)}`);
    }
    const names = Object.keys(argument);
    const given = parseCosts({ costs: names.map((name) => argument[name]) });
    if (!given.ok) throw new FoundationError('INVALID_OPTION', `costOf: ${given.reason}`);
    const { costs } = given.value;
    return (request) => {
      const { tasks } = understood(costsQuestion, request);
      return { costs: tasks.map((task) => costs[names.indexOf(task)] ?? null) };
    };
  }),
} as const;
