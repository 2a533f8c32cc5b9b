import { pairwise, type Pairwise, pathStrengths } from './pairwise.ts';
import type { Grades, Profile } from './profile.ts';

// Every tally gives each option a number: the higher, the better; the highest have won.

/** A number for each option. */
export type Scores = readonly number[];

/** Sums what ballots give: votes of single ballots, approvals, scores (range voting). */
export function points(profile: Profile): Scores {
  return summed(profile, (grades) => grades);
}

/**
 * A point for each option that a ballot ranks below, half a point for each equal (Borda 1781). Ballots that rank
 * everything give m-1, m-2, … 0.
 */
export function borda(profile: Profile): Scores {
  return summed(profile, bordaPoints);
}

/** Duels won, ties as half (Copeland 1951). */
export function copeland(profile: Profile): Scores {
  return duels(pairwise(profile), (lead) => (lead > 0 ? 1 : Number(lead === 0) / 2));
}

/** Duels won: all of them by a Condorcet winner, which there need not be (Condorcet 1785). */
export function duelsWon(profile: Profile): Scores {
  return duels(pairwise(profile), (lead) => Number(lead > 0));
}

/** The lead in its worst duel: less than 0 is a defeat (Simpson 1969, Kramer 1977; by margins). */
export function minimax(profile: Profile): Scores {
  const { size, preferring } = pairwise(profile);
  return places(size).map((own) => {
    const leads = places(size)
      .filter((other) => other !== own)
      .map((other) => leadOf(preferring, size, [own, other]));
    return leads.length === 0 ? 0 : Math.min(...leads);
  });
}

/**
 * Options that do not beat it by a stronger path (Schulze 2011, strength by winning votes): all others for a winner,
 * of which there is always one.
 */
export function schulze(profile: Profile): Scores {
  const { size } = profile;
  const strengths = pathStrengths(pairwise(profile));
  return places(size).map((own) => {
    let unbeaten = 0;
    for (let other = 0; other < size; other++) {
      const [there, back] = [strengths[own * size + other], strengths[other * size + own]];
      if (other !== own && (there ?? 0) >= (back ?? 0)) unbeaten++;
    }
    return unbeaten;
  });
}

/**
 * Rounds survived. In each, a ballot counts in full for whatever it ranks first of what is left, and the last go:
 * all of them when they are equals, so that nothing depends on chance. It is over when none or only equals are left.
 * Equals on a ballot count as in Approval-IRV (Delemazure and Peters 2024); without any it is Hare's rule.
 */
export function instantRunoff({ size, votes }: Profile): Scores {
  const rounds = Array.from({ length: size }, () => 0);
  let left = places(size);
  for (let round = 1; left.length > 0; round++) {
    for (const option of left) rounds[option] = round;
    const counts = firsts(votes, left);
    const least = left.reduce((worst, option) => Math.min(worst, counts[option] ?? 0), Infinity);
    left = left.filter((option) => (counts[option] ?? 0) > least);
  }
  return rounds;
}

function firsts(votes: Profile['votes'], left: readonly number[]): Float64Array {
  const counts = new Float64Array(votes[0]?.grades.length ?? 0);
  for (const { weight, grades } of votes) {
    let best = 1;
    for (const option of left) best = Math.max(best, grades[option] ?? 0);
    for (const option of left) {
      if (grades[option] === best) counts[option] = (counts[option] ?? 0) + weight;
    }
  }
  return counts;
}

// oxlint-disable-next-line max-params -- whose lead over whom
function duels({ size, preferring }: Pairwise, worth: (lead: number) => number): Scores {
  return places(size).map((own) => {
    let sum = 0;
    for (let other = 0; other < size; other++) {
      if (other !== own) sum += worth(leadOf(preferring, size, [own, other]));
    }
    return sum;
  });
}

function leadOf(
  preferring: Float64Array,
  size: number,
  [own, other]: readonly [own: number, other: number],
): number {
  return (preferring[own * size + other] ?? 0) - (preferring[other * size + own] ?? 0);
}

function bordaPoints(grades: Grades): ArrayLike<number> {
  const worse = new Map<number, number>();
  let behind = 0;
  const sorted = grades.toSorted();
  for (let start = 0; start < sorted.length;) {
    const grade = sorted[start] ?? 0;
    let end = start + 1;
    while (sorted[end] === grade) end++;
    worse.set(grade, behind + (end - start - 1) / 2);
    behind += end - start;
    start = end;
  }
  return Float64Array.from(grades, (grade) => worse.get(grade) ?? 0);
}

function summed({ size, votes }: Profile, of: (grades: Grades) => ArrayLike<number>): Scores {
  const sums = new Float64Array(size);
  for (const { weight, grades } of votes) {
    const given = of(grades);
    for (let option = 0; option < size; option++) {
      sums[option] = (sums[option] ?? 0) + weight * (given[option] ?? 0);
    }
  }
  return [...sums];
}

function places(size: number): number[] {
  return Array.from({ length: size }, (_, place) => place);
}
