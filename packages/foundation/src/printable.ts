/** Control and format characters (they move cursors, turn text around or hide it) and line ends. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu;

/**
 * Text from elsewhere, fit for a line of a log or of a terminal: what could forge a further line, or
 * change how the rest is shown, is written as its code.
 */
export function printable(text: string): string {
  return text.replaceAll(unprintable, (found) => `\\u{${found.codePointAt(0)?.toString(16)}}`);
}
