/** What was run, by name, and how it failed; undefined for a success. */
export type Tally = readonly (readonly [name: string, failure: string | undefined])[];

/** Prints each failure, then the closing line; the program then ends with 1 if there was any. */
export function report(tally: Tally): void {
  const failed = tally.filter(([, failure]) => failure !== undefined);
  for (const [name, failure] of failed) console.error(`${name}: ${failure}\n`);
  console.log(closingLine(tally.length - failed.length, failed.length));
  if (failed.length > 0) process.exitCode = 1;
}

/** The line that every runner of this repository ends with. */
export function closingLine(passed: number, failed: number): string {
  return `${passed} passed, ${failed} failed`;
}
