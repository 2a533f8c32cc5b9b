import type { Killed } from './killing.ts';
import type { ModelName } from './models.ts';
import type { Sale } from './placement.ts';
import type { Team } from './vote.ts';

/** A team with its accuracy on both halves and its cost on the validation half. */
export interface TeamResult {
  readonly first: Team['first'];
  readonly threshold: number;
  readonly weights: Team['weights'];
  readonly validation: number;
  readonly test: number;
  readonly cost: number;
}

export interface DemoResult {
  readonly nodes: number;
  readonly discovery: string;
  readonly formationMs: number;
  readonly languages: number;
  readonly snippets: number;
  readonly candidates: number;
  readonly best: TeamResult;
  readonly bestSingle: TeamResult & { readonly model: ModelName };
  readonly everyoneVotes: TeamResult;
  readonly cheapest: TeamResult;
  readonly pareto: readonly {
    readonly cost: number;
    readonly validation: number;
    readonly test: number;
  }[];
  readonly killed: Killed | null;
  readonly lost: number;
  readonly doubled: number;
  readonly evaluationsPerSecond: number;
  readonly auctions: number;
  readonly seed: number;
  readonly story: Story;
}

/** What only people want to read. */
export interface Story {
  /** The last auction, as an example. */
  readonly lastSale: Sale | undefined;
  /** Steps that the planner gave to another agent, since the first had died. */
  readonly retries: number;
  /** Evaluations that were told twice, since their worker died after telling; each was counted once. */
  readonly repeated: number;
  /** Agents of the killed node, with the node they live on now. */
  readonly moved: readonly { readonly name: string; readonly node: string }[];
  /** Milliseconds a snippet, as measured in this run. */
  readonly measuredMs: Readonly<Record<ModelName, number>>;
}
