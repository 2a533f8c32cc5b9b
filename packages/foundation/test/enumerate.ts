import type { Decision, Effect, Protocol, Step } from '../src/mabeam/protocol.ts';
import type { Lots } from '../src/mabeam/protocols/combinatorial/lots.ts';
import type { MipModel, SolverJob, SolverResult } from '../src/mabeam/solver.ts';

/** The most that bids can be worth together, by looking at all of them; undefined if nothing can be had. */
export function bestWelfare({ side, goods, groups, bids }: Lots): bigint | undefined {
  const used = goods.map(() => 0);
  const isEnough = (): boolean => goods.every(({ supply }, good) => (used[good] ?? 0) >= supply);
  const bestFrom = (at: number): bigint | undefined => {
    const group = groups[at];
    if (group === undefined) return side === 'sell' || isEnough() ? 0n : undefined;
    let best = bestFrom(at + 1);
    for (const index of group) {
      const { units = [], worth = 0n } = bids[index] ?? {};
      for (const [good, count] of units) used[good] = (used[good] ?? 0) + count;
      const fits = side === 'buy' || goods.every(({ supply }, good) => (used[good] ?? 0) <= supply);
      const rest = fits ? bestFrom(at + 1) : undefined;
      for (const [good, count] of units) used[good] = (used[good] ?? 0) - count;
      if (rest !== undefined && (best === undefined || rest + worth > best)) best = rest + worth;
    }
    return best;
  };
  return bestFrom(0);
}

/** Solves a small program of whole columns from 0 to 1 by looking at all there is, faster than any solver would begin. */
export function enumerated({ model }: SolverJob): SolverResult {
  const solver = 'enumeration';
  const isWhole = model.columns.every((column) => column.isWhole === true);
  if (!isWhole) return { status: 'limit', solver };
  const open = model.columns.flatMap(({ most }, column) => (most === 0 ? [] : [column]));
  let best: { readonly objective: number; readonly values: readonly number[] } | undefined;
  for (let choice = 0; choice < 2 ** open.length; choice++) {
    const values = model.columns.map(() => 0);
    for (const [bit, column] of open.entries()) values[column] = (choice >> bit) & 1;
    if (!model.rows.every((row) => holds(row, values))) continue;
    const objective = model.columns.reduce(
      (sum, { worth }, at) => sum + worth * (values[at] ?? 0),
      0,
    );
    if (best === undefined || objective > best.objective) best = { objective, values };
  }
  return best === undefined
    ? { status: 'infeasible', solver }
    : { status: 'optimal', ...best, bound: best.objective, solver };
}

function holds(
  { terms, least = -Infinity, most = Infinity }: MipModel['rows'][number],
  values: readonly number[],
): boolean {
  const sum = terms.reduce((total, [column, factor]) => total + factor * (values[column] ?? 0), 0);
  return sum >= least && sum <= most;
}

/** What a protocol of one round decides, without an engine or a clock. */
export function outcomeOf<Spec, Rep, S, Out>(
  protocol: Protocol<Spec, Rep, S, Out>,
  spec: Spec,
  {
    bodies,
    solve,
  }: { readonly bodies: readonly Rep[]; readonly solve: (job: SolverJob) => SolverResult },
): Decision<Out> {
  const env = { seed: 'seed', tie: 'seeded' } as const;
  const roster = bodies.map((_, index) => `${index}`);
  const answers = bodies.map((body, index) => ({
    kind: 'ok' as const,
    from: `${index}`,
    body,
    at: 0,
  }));
  const { state } = protocol.init(spec, roster, env);
  let step: Step<S, Out> | undefined = protocol.on(
    state,
    { kind: 'round_closed', round: 1, answers },
    env,
  );
  for (;;) {
    const effect: Effect<Out> | undefined = step?.effects.find(
      ({ kind }) => kind === 'finish' || kind === 'solve',
    );
    if (effect?.kind === 'finish') return effect.decision;
    if (step === undefined || effect?.kind !== 'solve')
      throw new Error('neither solves nor finishes');
    step = protocol.solved?.(step.state, solve(effect.job), env);
  }
}
