import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import type { Effect, Protocol, Step } from '../../protocol.ts';
import { assignmentProblems, costOf } from './dcop-claim.ts';
import { checkOwners, reasonsOf } from './dcop-members.ts';
import { axesOf, dcopCellsMax, dcopVariablesMax, parseDcop } from './dcop-problem.ts';
import {
  choiceTask,
  type DpopReply,
  type DpopResult,
  type DpopSpec,
  freeze,
  ownerOf,
  type Progress,
  type ReadDpop,
  take,
  utilTask,
} from './dpop-progress.ts';
import { parseChoices, parseUtils } from './dpop-questions.ts';
import { pseudoTree, tableCells } from './pseudo-tree.ts';

/**
 * The best assignment to variables of several agents, each of which knows only its own costs: tables of what is
 * best below go up a tree of the variables, agent by agent, then chosen values go down (DPOP, Petcu and Faltings 2005).
 * Exact. The variable of an agent that says nothing keeps the value it has, and the outcome says so.
 */
export const dpop: Protocol<DpopSpec, DpopReply, Progress, DpopResult> = {
  name: 'dcop.dpop',
  version: '1.0.0',
  traits: {
    dominantStrategyTruthful: false,
    individuallyRational: false,
    budget: 'n/a',
    sealed: false,
    toleratesSilent: (n) => n,
    toleratesByzantine: () => 0,
    maxRounds: () => 2 * dcopVariablesMax,
    // A question and an answer in each round, and a notice.
    maxMessages: (n) => n * (4 * dcopVariablesMax + 1),
  },
  parseSpec,
  parseReply: (type, body) => (type === 'get_util' ? parseUtils(body) : parseChoices(body)),
  init(given, roster) {
    const spec = withDefaults(given);
    checkOwners(spec, roster);
    const tree = pseudoTree(spec);
    const levels: string[][] = [];
    for (const [name, { depth }] of tree) (levels[depth] ??= []).push(name);
    return goOn({
      spec,
      variables: new Map(spec.variables.map((each) => [each.name, each])),
      tree,
      levels,
      phase: levels.length === 1 ? 'value' : 'util',
      depth: levels.length - 1,
      utils: new Map(),
      values: new Map(),
      privateCost: 0,
      expected: 0,
      frozen: new Set(),
      gone: new Set(),
      invalid: new Set(),
      messages: { util: 0, value: 0 },
    });
  },
  on(progress, { answers }) {
    const taken = answers.reduce(take, progress);
    return goOn(deeper(taken));
  },
  verify: (spec, claim) => assignmentProblems(withDefaults(spec), claim),
};

/** Asks those of one level. Where nobody is left to be asked it goes on to the next. */
function goOn(progress: Progress): Step<Progress, DpopResult> {
  let at = progress;
  for (;;) {
    const level = at.levels[at.depth];
    if (level === undefined) return finish(at);
    const asked = level.filter((name) => !at.gone.has(ownerOf(at, name)));
    at = level.filter((name) => at.gone.has(ownerOf(at, name))).reduce(freeze, at);
    if (asked.length > 0) return { state: at, effects: questions(at, asked) };
    at = deeper(at);
  }
}

/** The roots have nobody above them: there the way down begins. */
function deeper(progress: Progress): Progress {
  const depth = progress.depth + (progress.phase === 'util' ? -1 : 1);
  return depth === 0 ? { ...progress, phase: 'value', depth } : { ...progress, depth };
}

function questions(progress: Progress, names: readonly string[]): readonly Effect<DpopResult>[] {
  const { spec, phase } = progress;
  const { problem, objective, answerMs: budgetMs } = spec;
  return [...Map.groupBy(names, (name) => ownerOf(progress, name))].map(([owner, own]) => {
    const tasks = own.map((name) =>
      phase === 'util' ? utilTask(progress, name) : choiceTask(progress, name),
    );
    const type = phase === 'util' ? 'get_util' : 'get_value';
    return { kind: 'ask', to: [owner], type, body: { problem, objective, tasks }, budgetMs };
  });
}

function finish(progress: Progress): Step<Progress, DpopResult> {
  const { spec, values, privateCost, expected, frozen, messages } = progress;
  const cost = costOf(spec, values) + privateCost;
  const result: DpopResult = {
    assignment: Object.fromEntries(
      spec.variables.map(({ name }) => [name, values.get(name) ?? '']),
    ),
    cost,
    privateCost,
    frozen: [...frozen],
    messages,
  };
  const reasons = reasonsOf(spec, progress);
  const isOptimal = frozen.size === 0 && expected === cost;
  const proof = isOptimal
    ? { certificate: { kind: 'optimality', bound: expected, gap: 0 } as const }
    : frozen.size > 0
      ? {}
      : { detail: `the roots expected ${expected}: somebody has told what is not so` };
  const decision = { status: 'decided', result, reasons, ...proof } as const;
  const notices = [...Map.groupBy(frozen, (name) => ownerOf(progress, name))].map(
    ([owner, variables]): Effect<DpopResult> => ({
      kind: 'tell',
      to: [owner],
      type: 'frozen',
      body: { problem: spec.problem, variables },
    }),
  );
  return { state: progress, effects: [...notices, { kind: 'finish', decision }] };
}

const defaults = { objective: 'min', answerMs: 1_000, cellsMax: 100_000 } as const;

function withDefaults(spec: DpopSpec): ReadDpop {
  return { ...defaults, ...spec };
}

function parseSpec(given: unknown): Parsed<DpopSpec> {
  const problem = parseDcop(given, ['cellsMax']);
  if (!problem.ok) return problem;
  const { cellsMax = defaults.cellsMax } = isRecord(given) ? given : {};
  if (!Number.isInteger(cellsMax) || !(Number(cellsMax) >= 1 && Number(cellsMax) <= dcopCellsMax)) {
    return unparsed(`cellsMax: expected 1 to ${dcopCellsMax}, got ${shown(cellsMax)}`);
  }
  const most = Number(cellsMax);
  const axes = axesOf(problem.value.variables);
  for (const [name, node] of pseudoTree(problem.value)) {
    const cells = tableCells(node);
    if (cells <= most) continue;
    const width = node.separator.length;
    return unparsed(
      `variables: ${shown(name)} depends on ${width} of ${axes.size - 1} others, which takes a table of ${cells} cells, more than ${most}`,
    );
  }
  return parsed({ ...problem.value, cellsMax: most });
}
