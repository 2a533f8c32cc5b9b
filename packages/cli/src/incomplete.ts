/** Part of an answer is missing; what is missing has been said. */
export class Incomplete extends Error {
  override readonly name = 'Incomplete';
}
