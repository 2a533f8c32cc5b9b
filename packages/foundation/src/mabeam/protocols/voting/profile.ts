import { type Ballot, type BallotKind, kindOf } from './ballot.ts';

/** Ballots in the form in which they are counted. */
export interface Profile {
  /** How many options there are. */
  readonly size: number;
  readonly votes: readonly Vote[];
}

/** One ballot. */
export interface Vote {
  readonly weight: number;
  /**
   * One for each option: the better, the higher. 0 is unnamed. Of a single or approval ballot it is 1 for what is
   * named, of a score its score, of a ranking the place from behind.
   */
  readonly grades: Grades;
}

/** A whole number for each option. */
export type Grades = Uint16Array;

/** On which ballots there is a vote. */
export interface Slate {
  readonly kind: BallotKind;
  /** Where each option stands. */
  readonly places: ReadonlyMap<string, number>;
  readonly scoreMax: number;
}

/** Reads a ballot as grades. None: it is spoilt, as it is of another kind or names something else. */
export function gradesOf(ballot: Ballot, { kind, places, scoreMax }: Slate): Grades | undefined {
  if (kindOf(ballot) !== kind) return undefined;
  const grades = new Uint16Array(places.size);
  for (const [option, grade] of gradedBy(ballot)) {
    const place = places.get(option);
    if (place === undefined || (kind === 'score' && grade > scoreMax)) return undefined;
    grades[place] = grade;
  }
  return grades;
}

function gradedBy(ballot: Ballot): Iterable<readonly [option: string, grade: number]> {
  if ('single' in ballot) return [[ballot.single, 1]];
  if ('approve' in ballot) return ballot.approve.map((option) => [option, 1] as const);
  if ('scores' in ballot) return Object.entries(ballot.scores);
  const { ranking } = ballot;
  return ranking.flatMap((equals, place) =>
    [equals].flat().map((option) => [option, ranking.length - place] as const),
  );
}

/** The options that a ballot puts first. None of a blank one. */
export function favouritesOf(grades: Grades): readonly number[] {
  let best = 1;
  let favourites: number[] = [];
  for (const [option, grade] of grades.entries()) {
    if (grade < best) continue;
    if (grade > best) favourites = [];
    best = grade;
    favourites.push(option);
  }
  return favourites;
}
