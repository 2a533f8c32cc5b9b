import type { Model } from './models.ts';

/** Stands for "no answer" in place of a language. */
export const noLanguage = 255;

/** One model's answers to a batch of snippets, at the index of the snippet in the batch. */
export interface Answers {
  /** Index of the language in the corpus, or {@link noLanguage}. */
  readonly languages: Uint8Array;
  /** Confidence in 255ths, so that it crosses the wire exactly. */
  readonly confidences: Uint8Array;
}

/**
 * Asks a model about each text.
 *
 * @param languages - ISO 639-3 codes, as in the corpus; answers are indexes into them.
 */
export function identifyAll(
  model: Model,
  texts: readonly string[],
  languages: readonly string[],
): Answers {
  const indexes = new Map(languages.map((language, index) => [language, index]));
  const answers = texts.map((text) => model.identify(text));
  return {
    languages: Uint8Array.from(answers, ({ language = '' }) => indexes.get(language) ?? noLanguage),
    confidences: Uint8Array.from(answers, ({ confidence }) => Math.round(255 * confidence)),
  };
}
