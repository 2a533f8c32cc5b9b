import { printable } from '@foundation/core/internal';

import type { Unanswered } from './ask-all.ts';

/** Part of an answer is missing; what is missing has been said. */
export class Incomplete extends Error {
  override readonly name = 'Incomplete';
}

/**
 * Says which nodes gave no answer, and why.
 *
 * @throws Incomplete when there are any
 */
export function tellUnanswered(unanswered: readonly Unanswered[]): void {
  for (const { node, message } of unanswered) {
    console.error(printable(`${node} gave no answer: ${message}`));
  }
  if (unanswered.length > 0) throw new Incomplete();
}
