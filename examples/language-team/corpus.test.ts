import { describe, expect, it } from 'vitest';

import { buildCorpus, snippetMax, snippetMin } from './corpus.ts';

const corpus = buildCorpus({ seed: 1, snippetsPerLanguage: 200 });
const all = [...corpus.validation.texts, ...corpus.test.texts];

describe('the corpus', () => {
  it('has at least 20 languages with 100 snippets in each half', () => {
    expect(corpus.languages.length).toBeGreaterThanOrEqual(20);
    for (const { texts, truth } of [corpus.validation, corpus.test]) {
      expect(texts.length).toBe(truth.length);
      for (const language of corpus.languages.keys()) {
        expect(truth.filter((index) => index === language).length).toBe(100);
      }
    }
  });

  it('cuts snippets of 8 to 50 characters, of whole words, without headings', () => {
    expect(all.every(({ length }) => length >= snippetMin && length <= snippetMax)).toBe(true);
    expect(all.every((text) => text === text.trim() && !/[<>]|^Article/.test(text))).toBe(true);
    const english = buildCorpus({ seed: 1, languages: ['eng'], snippetsPerLanguage: 200 });
    const words = new Set(english.validation.texts.flatMap((text) => text.split(' ')));
    expect(words).toContain('rights');
    expect(words).not.toContain('ights');
  });

  it('never gives the same snippet twice, be it in the other half or in another language', () => {
    expect(new Set(all).size).toBe(all.length);
  });

  it('is the same for the same seed and another for another seed', () => {
    expect(buildCorpus({ seed: 1, snippetsPerLanguage: 200 })).toEqual(corpus);
    const other = buildCorpus({ seed: 2, snippetsPerLanguage: 200 });
    expect(other.validation.texts).not.toEqual(corpus.validation.texts);
  });

  it('sorts the languages it is asked for', () => {
    const few = buildCorpus({ seed: 1, languages: ['ell', 'ara'], snippetsPerLanguage: 2 });
    expect(few.languages).toEqual(['ara', 'ell']);
    expect(few.validation.texts[0]).toMatch(/\p{Script=Arabic}/u);
    expect([...few.test.truth]).toEqual([0, 1]);
  });

  it.each([1, 2, 3])('takes the halves from different articles (seed %i)', (seed) => {
    const { validation, test } = buildCorpus({
      seed,
      languages: ['eng'],
      snippetsPerLanguage: 300,
    });
    // each word occurs several times, but in one article
    for (const word of ['slavery', 'marriage', 'penal', 'lementary']) {
      const halves = [validation, test].filter(({ texts }) => texts.join('|').includes(word));
      expect(halves).toHaveLength(1);
    }
  });

  it.each([
    [{ seed: 1, languages: ['xyz'], snippetsPerLanguage: 200 }, 'no language "xyz"'],
    [{ seed: 1, snippetsPerLanguage: 3 }, 'snippetsPerLanguage is 3'],
    [{ seed: 1, snippetsPerLanguage: 2_000 }, '1000 were asked for'],
  ])('refuses what the text cannot give: %j', (options, message) => {
    expect(() => buildCorpus(options)).toThrow(message);
  });
});
