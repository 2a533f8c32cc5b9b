import { FoundationError } from './errors.ts';

/** Refuses names that are not known, all at once, with the likely spelling. */
export function refuseUnknown(what: string, given: object, known: readonly string[]): void {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) {
    throw new FoundationError('INVALID_OPTION', `${what}: expected options, got ${String(given)}`, {
      hint: `Give an object. Known are: ${known.join(', ')}.`,
    });
  }
  const unknown = Object.keys(given).filter((key) => !known.includes(key));
  if (unknown.length === 0) return;
  const messages = unknown.map((key) => {
    const meant = closest(key, known);
    return `unknown option \`${key}\`${meant === undefined ? '' : `, did you mean \`${meant}\`?`}`;
  });
  throw new FoundationError('INVALID_OPTION', `${what}: ${messages.join('; ')}`, {
    hint: `Known are: ${known.join(', ')}.`,
    details: { unknown },
  });
}

/** The known word that is nearest to a misspelt one, if any is near. */
export function closest(word: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3));
  const ranked = known
    .map((candidate) => ({
      candidate,
      steps: editDistance(word.toLowerCase(), candidate.toLowerCase()),
    }))
    .filter(({ steps }) => steps <= limit)
    .toSorted((a, b) => a.steps - b.steps);
  return ranked[0]?.candidate;
}

/**
 * Fewest insertions, deletions, replacements and swaps of neighbours between two words. Source: optimal
 * string alignment, after Damerau 1964 and Wagner and Fischer 1974.
 */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  let above: readonly number[] = [];
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwap ? (above[j - 2] ?? 0) + 1 : Infinity;
      next.push(Math.min(replaced, swapped, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    above = row;
    row = next;
  }
  return row[b.length] ?? 0;
}
