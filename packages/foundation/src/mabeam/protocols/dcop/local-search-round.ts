import { drawn } from '../../digest.ts';
import type { AgentId } from '../../message.ts';
import type { Answer, PureEnv } from '../../protocol.ts';
import { costOf, type DcopResult } from './dcop-claim.ts';
import type { Absent } from './dcop-members.ts';
import type { DcopConstraint, DcopProblem, DcopVariable, ReadDcop } from './dcop-problem.ts';
import type {
  Improvement,
  ImprovementReply,
  ImprovementTask,
  StandingVariable,
} from './local-search-questions.ts';

/** A problem, and how long it may take. */
export interface LocalSearchSpec extends DcopProblem {
  /** Most rounds, from 2 to {@link localSearchRoundsMax}. @defaultValue 100 */
  readonly rounds?: number;
}

/** What a local search came to: the best assignment that came up. */
export interface LocalSearchResult extends DcopResult {
  /** Rounds that it took. */
  readonly rounds: number;
  /** Whether no variable could do better alone (1-opt). There may be better assignments all the same. */
  readonly isLocalOptimum: boolean;
}

/** A spec with everything that was left out. */
export type ReadLocalSearch = ReadDcop & { readonly rounds: number };

/** How far a local search is. */
export interface Search<Spec extends ReadLocalSearch = ReadLocalSearch> extends Absent {
  readonly spec: Spec;
  readonly roster: readonly AgentId[];
  readonly surroundings: ReadonlyMap<string, Surroundings>;
  /** Where each variable stands. */
  readonly values: ReadonlyMap<string, string>;
  readonly round: number;
  /** The best assignment so far. */
  readonly best?: Candidate;
}

/** What a variable has to do with. */
interface Surroundings {
  readonly constraints: readonly DcopConstraint[];
  /** The other variables of these. */
  readonly neighbours: readonly DcopVariable[];
}

/** An assignment that came up. */
export type Candidate = Pick<
  LocalSearchResult,
  'assignment' | 'cost' | 'privateCost' | 'isLocalOptimum'
>;

/** A variable that would move. */
export interface Wish {
  readonly name: string;
  readonly value: string;
  readonly gain: number;
}

/** A search after a round. */
interface Heard<Spec extends ReadLocalSearch> {
  readonly search: Search<Spec>;
  readonly best: Candidate;
  readonly wishes: readonly Wish[];
}

/** A search in which nobody has said anything. */
export function beginning<Spec extends ReadLocalSearch>(
  spec: Spec,
  roster: readonly AgentId[],
): Search<Spec> {
  return {
    spec,
    roster,
    surroundings: surroundingsIn(spec),
    values: new Map(spec.variables.map(({ name, initial = '' }) => [name, initial])),
    round: 1,
    gone: new Set(),
    invalid: new Set(),
  };
}

/** What each owner is asked: one task for each of its variables. */
export function tasksOf(
  search: Search,
  { seed }: PureEnv,
): ReadonlyMap<AgentId, readonly ImprovementTask[]> {
  const { spec, surroundings, gone, round } = search;
  const asked = spec.variables.filter(({ owner }) => !gone.has(owner));
  const tasks = Map.groupBy(asked, ({ owner }) => owner);
  return new Map(
    [...tasks].map(([owner, own]) => [
      owner,
      own.map((variable): ImprovementTask => {
        const { constraints = [], neighbours = [] } = surroundings.get(variable.name) ?? {};
        return {
          ...standing(search, variable),
          constraints,
          neighbours: neighbours.map((each) => standing(search, each)),
          draw: drawn(seed, 'value', round, variable.name),
        };
      }),
    ]),
  );
}

/** What was said of where variables stand. Who has said nothing that makes sense is held there from now on. */
export function afterAnswers<Spec extends ReadLocalSearch>(
  before: Search<Spec>,
  answers: readonly Answer<ImprovementReply>[],
): Heard<Spec> {
  const owned = Map.groupBy(before.spec.variables, ({ owner }) => owner);
  const gone = new Set(before.gone);
  const invalid = new Set(before.invalid);
  const said: (Wish & Improvement)[] = [];
  for (const answer of answers) {
    const own = owned.get(answer.from) ?? [];
    const heard = answer.kind === 'ok' ? heardOf(before, own, answer.body) : undefined;
    if (heard === undefined) gone.add(answer.from);
    else said.push(...heard);
    if (heard === undefined && answer.kind === 'ok') invalid.add(answer.from);
  }
  const found = candidate(before, said);
  // What was found with somebody who is gone now may move what is frozen.
  const best = gone.size > before.gone.size ? found : better(before, found);
  const wishes = said.filter(({ name, value }) => value !== before.values.get(name));
  return { search: { ...before, gone, invalid, best }, best, wishes };
}

/** The same search one round on, after these moves. */
export function moved<Spec extends ReadLocalSearch>(
  search: Search<Spec>,
  moves: readonly Wish[],
): Search<Spec> {
  const values = new Map(search.values);
  for (const { name, value } of moves) values.set(name, value);
  return { ...search, values, round: search.round + 1 };
}

/** What an owner has said of its variables, if it makes sense. */
// oxlint-disable-next-line max-params -- of what, for which, what
function heardOf(
  { values }: Search,
  own: readonly DcopVariable[],
  { improvements }: ImprovementReply,
): readonly (Wish & Improvement)[] | undefined {
  if (improvements.length !== own.length) return undefined;
  const heard = own.flatMap((variable, at): readonly (Wish & Improvement)[] => {
    const { name } = variable;
    const improvement = improvements[at];
    if (improvement === undefined || !variable.values.includes(improvement.value)) return [];
    const stays = improvement.value === values.get(name);
    return stays && improvement.gain > 0 ? [] : [{ name, ...improvement }];
  });
  return heard.length === own.length ? heard : undefined;
}

/** Where variables stand, and what their owners have said of it. */
function candidate({ spec, values }: Search, said: readonly Improvement[]): Candidate {
  const privateCost = said.reduce((sum, { cost = 0 }) => sum + cost, 0);
  return {
    assignment: Object.fromEntries(values),
    cost: costOf(spec, values) + privateCost,
    privateCost,
    isLocalOptimum: said.length > 0 && said.every(({ gain }) => gain === 0),
  };
}

function better({ best, spec }: Search, found: Candidate): Candidate {
  if (best === undefined) return found;
  if (found.cost === best.cost) return best.isLocalOptimum ? best : found;
  return (spec.objective === 'min') === found.cost < best.cost ? found : best;
}

function standing({ values }: Search, { name, values: all }: DcopVariable): StandingVariable {
  return { name, values: all, value: values.get(name) ?? '' };
}

function surroundingsIn({ variables, constraints }: ReadDcop): Search['surroundings'] {
  const byName = new Map(variables.map((each) => [each.name, each]));
  const constraintsOf = new Map<string, DcopConstraint[]>(variables.map(({ name }) => [name, []]));
  for (const each of constraints) for (const name of each.over) constraintsOf.get(name)?.push(each);
  return new Map(
    [...constraintsOf].map(([name, own]) => {
      const names = new Set(own.flatMap(({ over }) => over));
      names.delete(name);
      const neighbours = [...names].flatMap((other) => byName.get(other) ?? []);
      return [name, { constraints: own, neighbours }];
    }),
  );
}
