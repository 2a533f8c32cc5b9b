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
  running: number;
  /** What an evaluation took lately, in milliseconds. */
  meanMs: number;
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
    init: ({ name }: { name: string }): EvaluatorState => ({ name, running: 0, meanMs: 100 }),
    calls: {
      evaluate: (ctx, work: Work) =>
        ctx.later(async (): Promise<Done> => {
          const { state } = ctx;
          const began = performance.now();
          state.running++;
          try {
            return await evaluate(work, state.name);
          } finally {
            state.running--;
            state.meanMs = 0.8 * state.meanMs + 0.2 * (performance.now() - began);
          }
        }),
    },
    // Its true cost: how long the work would take behind what it has already, in microseconds.
    coordinate: participant({
      bid: ({ state }: { state: EvaluatorState }) =>
        BigInt(Math.ceil(1_000 * state.meanMs * (state.running + 1))),
    }),
  });

  async function evaluate({ id, team, goal }: Work, by: string): Promise<Done> {
    const node = theNode();
    const report = await planner.executeGoal(parseGoal(goal), nodeDirectory(node), {
      preferNode: node.name,
    });
    if (report.status !== 'succeeded') throw failed(id, report.steps.find((step) => step.error)?.error);
    const score = scoreTeam(team, [report.results['score'] as Tally]);
    const book = node.ref(ledger, 'ledger');
    await untilAnswered('the ledger', () => book.record({ id, team, score, by }));
    const attempts = report.steps.reduce((sum, step) => sum + Math.max(0, step.attempts - 1), 0);
    return { score, by, node: node.name, retries: attempts };
  }
}

function failed(id: string, cause: unknown): FoundationError {
  return new FoundationError('INTERNAL', `the evaluation ${id} failed`, { cause });
}
