import type { Profile } from './profile.ts';

/** Every option against every other. It is for counting only and stands in no record: it grows with the square. */
export interface Pairwise {
  readonly size: number;
  /** At `own * size + other`: the votes that prefer `own` to `other`. */
  readonly preferring: Float64Array;
}

/** Counts all duels. */
export function pairwise({ size, votes }: Profile): Pairwise {
  const preferring = new Float64Array(size * size);
  for (const { weight, grades } of votes) {
    for (let own = 0; own < size; own++) {
      const grade = grades[own] ?? 0;
      for (let other = own + 1; other < size; other++) {
        const against = grades[other] ?? 0;
        if (grade === against) continue;
        const duel = grade > against ? own * size + other : other * size + own;
        preferring[duel] = (preferring[duel] ?? 0) + weight;
      }
    }
  }
  return { size, preferring };
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
