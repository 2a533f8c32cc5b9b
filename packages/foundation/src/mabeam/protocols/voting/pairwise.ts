import type { Grades, Profile } from './profile.ts';

/** Every option against every other. It is for counting only and stands in no record: it grows with the square. */
export interface Pairwise {
  readonly size: number;
  /** At `own * size + other`: the weight that prefers `own` to `other`. */
  readonly preferring: Float64Array;
}

/** Counts all duels: option by option from the best one, each against those that a ballot puts behind it. */
export function pairwise({ size, votes }: Profile): Pairwise {
  const preferring = new Float64Array(size * size);
  for (const { weight, grades } of votes) {
    const order = bestFirst(grades);
    const gradeOf = (place: number): number => grades[order[place] ?? 0] ?? 0;
    for (let place = 0, behind = 0; place < size; place++) {
      const row = (order[place] ?? 0) * size;
      while (behind < size && gradeOf(behind) >= gradeOf(place)) behind++;
      for (let other = behind; other < size; other++) {
        const duel = row + (order[other] ?? 0);
        preferring[duel] = (preferring[duel] ?? 0) + weight;
      }
    }
  }
  return { size, preferring };
}

function bestFirst(grades: Grades): Uint16Array {
  return Uint16Array.from(grades.keys()).toSorted(
    (one, other) => (grades[other] ?? 0) - (grades[one] ?? 0),
  );
}

/**
 * The strength of the strongest path from each option to each other: a path is as strong as the weakest of its won
 * duels (Schulze 2011, section 2.3; Floyd and Warshall's algorithm, of cubic time).
 */
export function pathStrengths({ size, preferring }: Pairwise): Float64Array {
  const strengths = preferring.map((votes, index) => {
    const back = (index % size) * size + Math.floor(index / size);
    return votes > (preferring[back] ?? 0) ? votes : 0;
  });
  for (let via = 0; via < size; via++) {
    for (let from = 0; from < size; from++) {
      const there = strengths[from * size + via] ?? 0;
      if (there === 0 || from === via) continue;
      // Nothing else is in the innermost loop: it runs 27 million times for 300 options.
      for (let to = 0, row = from * size, hop = via * size; to < size; to++) {
        const onward = strengths[hop + to] ?? 0;
        const strength = onward < there ? onward : there;
        if (strength > (strengths[row + to] ?? 0)) strengths[row + to] = strength;
      }
      strengths[from * size + from] = 0;
    }
  }
  return strengths;
}
