import type { Highs, ModelData, ModelStatusCode, SymbolDisposable, Model } from 'highs';

import type { MipModel, SolverJob, SolverResult } from '../solver.ts';

/** What ends a job before it is solved, and who hears how it goes. */
export interface HighsLimits {
  readonly budgetMs: number;
  /** Asked now and then; true: give up, with the best there is. */
  readonly isOver?: () => boolean;
  /** Told of each solution that is better than the ones before. */
  readonly onBetter?: (result: SolverResult) => void;
  /** Told when the best there could be is known better, by a ten-thousandth or more. */
  readonly onBound?: (bound: number) => void;
}

/**
 * Solves one problem in this thread: linear and mixed-integer programs, and convex quadratic ones without whole
 * columns. Never throws; HiGHS itself may break, and is not to be used again then.
 */
export function solveWithHighs(highs: Highs, job: SolverJob, limits: HighsLimits): SolverResult {
  const solver = `HiGHS ${highs.version.string}`;
  if (job.model.columns.length === 0) return { ...empty(job.model), solver };
  try {
    return highs.withModel(modelOf(highs, job.model), (model) => {
      model.options.set({
        output_flag: false,
        time_limit: Math.max(limits.budgetMs, 0) / 1_000,
        mip_rel_gap: job.gapMax ?? 0,
        ...(job.nodesMax === undefined ? {} : { mip_max_nodes: job.nodesMax }),
      });
      if (job.start !== undefined) model.setSolution({ colValue: job.start });
      run(highs, model, { job, limits, solver });
      return resultOf(highs, model, { job, solver });
    });
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    return { status: 'failed', solver, detail: detail.slice(0, 200) };
  }
}

/** HiGHS does not look at conditions when there is nothing to choose. */
function empty({ rows }: MipModel): Omit<SolverResult, 'solver'> {
  const isFeasible = rows.every(({ least = 0, most = 0 }) => least <= 0 && most >= 0);
  return isFeasible
    ? { status: 'optimal', values: [], objective: 0, bound: 0 }
    : { status: 'infeasible' };
}

type OpenModel = SymbolDisposable<Model>;

interface Running {
  readonly job: SolverJob;
  readonly limits: HighsLimits;
  readonly solver: string;
}

function run(highs: Highs, model: OpenModel, { job, limits, solver }: Running): void {
  const { callbackType } = highs.constants;
  let told = Infinity;
  const hearBound = (bound = Infinity): void => {
    if (!Number.isFinite(bound) || Math.abs(told - bound) <= Math.abs(bound) * 1e-4) return;
    told = bound;
    limits.onBound?.(bound);
  };
  const check = (event: { interrupt(): void }): undefined => {
    if (limits.isOver?.() === true) event.interrupt();
  };
  model.run({
    [callbackType.simplexInterrupt]: check,
    [callbackType.ipmInterrupt]: check,
    [callbackType.mipInterrupt](event): undefined {
      hearBound(event.data.mip_dual_bound);
      return check(event);
    },
    [callbackType.mipImprovingSolution]({ data }): undefined {
      const { mip_solution: values, objective_function_value: objective } = data;
      if (values === undefined || objective === undefined) return;
      limits.onBetter?.({
        status: 'limit',
        values: readable(job.model, values),
        objective,
        ...bounded(data.mip_dual_bound),
        solver,
      });
    },
  });
}

function resultOf(
  highs: Highs,
  model: OpenModel,
  { job, solver }: Omit<Running, 'limits'>,
): SolverResult {
  const code = model.getModelStatus();
  const status = statusOf(highs, code);
  if (status === 'failed') return { status, solver, detail: `HiGHS ended with status ${code}` };
  const { feasible } = highs.constants.solutionStatus;
  if (model.info.get('primal_solution_status') !== feasible) {
    return { status, ...boundOf(model, job.model, status), solver };
  }
  const { colValue, rowDual } = model.getSolution();
  const isLinear = job.model.columns.every(({ isWhole }) => isWhole !== true);
  return {
    status,
    values: readable(job.model, colValue),
    ...(isLinear && status === 'optimal' ? { prices: [...rowDual] } : {}),
    objective: model.getObjectiveValue(),
    ...boundOf(model, job.model, status),
    solver,
  };
}

/** What is known of the best there could be. */
// oxlint-disable-next-line max-params -- of which, of what kind, how it ended
function boundOf(
  model: OpenModel,
  { columns }: MipModel,
  status: SolverResult['status'],
): { readonly bound?: number } {
  if (columns.some(({ isWhole }) => isWhole === true)) {
    return bounded(Number(model.info.get('mip_dual_bound')));
  }
  return status === 'optimal' ? { bound: model.getObjectiveValue() } : {};
}

function bounded(bound: number | undefined): { readonly bound?: number } {
  return bound !== undefined && Number.isFinite(bound) ? { bound } : {};
}

/** Whole columns exactly whole: HiGHS has them within a millionth. */
function readable({ columns }: MipModel, values: ArrayLike<number>): readonly number[] {
  return columns.map(({ isWhole }, index) => {
    const value = values[index] ?? 0;
    return isWhole === true ? Math.round(value) + 0 : value;
  });
}

function statusOf({ constants }: Highs, code: ModelStatusCode): SolverResult['status'] {
  const { optimal, infeasible, unbounded, ...others } = constants.modelStatus;
  if (code === optimal) return 'optimal';
  if (code === infeasible) return 'infeasible';
  if (code === unbounded) return 'unbounded';
  const { timeLimit, iterationLimit, solutionLimit, interrupted } = others;
  const limits: readonly ModelStatusCode[] = [
    timeLimit,
    iterationLimit,
    solutionLimit,
    interrupted,
  ];
  return limits.includes(code) ? 'limit' : 'failed';
}

function modelOf({ constants, infinity }: Highs, model: MipModel): ModelData {
  const { columns, rows, sense = 'maximize' } = model;
  const starts = [0];
  const indices: number[] = [];
  const values: number[] = [];
  for (const { terms } of rows) {
    for (const [column, factor] of terms) {
      indices.push(column);
      values.push(factor);
    }
    starts.push(indices.length);
  }
  const { continuous, integer } = constants.variableType;
  return {
    numCols: columns.length,
    numRows: rows.length,
    sense: constants.objectiveSense[sense],
    colCost: columns.map(({ worth }) => worth),
    colLower: columns.map(({ least = 0 }) => least),
    colUpper: columns.map(({ most = infinity }) => most),
    rowLower: rows.map(({ least = -infinity }) => least),
    rowUpper: rows.map(({ most = infinity }) => most),
    matrix: {
      format: 'csr',
      numRows: rows.length,
      numCols: columns.length,
      starts,
      indices,
      values,
    },
    ...(columns.some(({ isWhole }) => isWhole === true)
      ? { integrality: columns.map(({ isWhole }) => (isWhole === true ? integer : continuous)) }
      : {}),
    ...(columns.some(({ square = 0 }) => square !== 0) ? { hessian: diagonal(columns) } : {}),
  };
}

function diagonal(columns: MipModel['columns']): NonNullable<ModelData['hessian']> {
  const indices = columns.flatMap(({ square = 0 }, index) => (square === 0 ? [] : [index]));
  const starts = [0];
  for (const { square = 0 } of columns) starts.push((starts.at(-1) ?? 0) + (square === 0 ? 0 : 1));
  const values = indices.map((index) => columns[index]?.square ?? 0);
  return { format: 'triangular', dimension: columns.length, starts, indices, values };
}
