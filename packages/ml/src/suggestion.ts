/**
 * The known name that `name` was probably meant to be.
 *
 * @returns `undefined` when no known name is within a third of its length (at least 1 edit).
 */
export function suggestionFor(name: string, known: readonly string[]): string | undefined {
  let best: { readonly text: string; readonly distance: number } | undefined;
  for (const text of known) {
    const distance = editDistance(name.toLowerCase(), text.toLowerCase());
    const allowed = Math.max(1, Math.floor(text.length / 3));
    if (distance <= allowed && (best === undefined || distance < best.distance)) {
      best = { text, distance };
    }
  }
  return best?.text;
}

/** Insertions, deletions and replacements from one text to another (Levenshtein 1966). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
