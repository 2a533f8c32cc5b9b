import type { EventLoopUtilization } from 'node:perf_hooks';

import { createPlanner, nodeDirectory, parseGoal, type Goal } from '@foundation/agents';
import { defineProcess, FoundationError, type Definition, type Node } from '@foundation/core';
import { participant } from '@foundation/core/mabeam';

import { ledger } from './ledger.ts';
import { untilAnswered } from './until-answered.ts';
import { scoreTeam, type Score, type Tally, type Team } from './vote.ts';

/** One team to be scored. */
export interface Work {
  /** The same for every try of the same evaluation. */
  readonly id: string;
  readonly team: Team;
  readonly goal: Goal;
}

export interface Done {
  readonly score: Score;
  /** Name of the evaluator, and of the node it lives on now. */
  readonly by: string;
  readonly node: string;
  /** Steps that had to be asked for again, since their agent had died. */
  readonly retries: number;
}

interface EvaluatorState {
  readonly name: string;
  /** Evaluations under way. */
  running: number;
  /** Where the use of the event loop is counted from. */
  since: EventLoopUtilization;
}

// An interface in place of `typeof evaluator`: the definition is made by a function.
interface EvaluatorCalls {
  readonly evaluate: (work: Work) => Done;
}
export type Evaluator = Definition<{ name: string }, { calls: EvaluatorCalls }>;

/**
 * A worker of one node: bids for evaluations from its own load, carries those it wins out with the
 * planner, and enters them into the ledger before it answers.
 */
export function makeEvaluator(theNode: () => Node): Evaluator {
  const planner = createPlanner();
  return defineProcess('evaluator', {
    init: ({ name }: { name: string }): EvaluatorState => ({
      name,
      running: 0,
      since: performance.eventLoopUtilization(),
    }),
    calls: {
      evaluate: (ctx, work: Work) =>
        ctx.later(async (): Promise<Done> => {
          const { state } = ctx;
          state.running++;
          try {
            return await evaluate(work, state.name);
          } finally {
            state.running--;
          }
        }),
    },
    coordinate: participant({ bid: ({ state }: { state: EvaluatorState }) => load(state) }),
  });

  async function evaluate({ id, team, goal }: Work, by: string): Promise<Done> {
    const node = theNode();
    const report = await planner.executeGoal(parseGoal(goal), nodeDirectory(node), {
      preferNode: node.name,
    });
    if (report.status !== 'succeeded')
      throw failed(id, report.steps.find((step) => step.error)?.error);
    const score = scoreTeam(team, [report.results['score'] as Tally]);
    const book = node.ref(ledger, 'ledger');
    await untilAnswered('the ledger', () => book.record({ id, team, score, by }));
    const attempts = report.steps.reduce((sum, step) => sum + Math.max(0, step.attempts - 1), 0);
    return { score, by, node: node.name, retries: attempts };
  }
}

/**
 * What another evaluation costs this worker, in thousandths of an evaluation: those it has with the
 * new one, and how busy its event loop was since it was last asked.
 */
function load(state: EvaluatorState): bigint {
  const now = performance.eventLoopUtilization();
  const { utilization } = performance.eventLoopUtilization(now, state.since);
  state.since = now;
  return BigInt(Math.round(1_000 * (state.running + 1 + utilization)));
}

function failed(id: string, cause: unknown): FoundationError {
  return new FoundationError('INTERNAL', `the evaluation ${id} failed`, { cause });
}
