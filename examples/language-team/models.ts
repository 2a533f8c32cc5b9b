import { FoundationError } from '@foundation/core';

import { findLanguage, languageCodes } from './languages.ts';

/** The five language-identification packages, in alphabetical order. */
export const modelNames = ['cld3-asm', 'eld', 'franc', 'lande', 'tinyld'] as const;

export type ModelName = (typeof modelNames)[number];

/** What a model says about a text. No answer is `language: undefined` with confidence 0. */
export interface Identification {
  /** ISO 639-3. */
  readonly language: string | undefined;
  /** 0 to 1. */
  readonly confidence: number;
}

export interface Model {
  readonly name: ModelName;
  /** Never throws: a text too short, without letters or in an unknown language is no answer. */
  identify(text: string): Identification;
}

/** The package's own guesses, best first: its code of a language, and a score above 0. */
type Ranking = readonly (readonly [code: string, score: number])[];

/** One package behind the common shape. */
interface Engine {
  rank(text: string): Ranking;
  /** From the scores of the best and the second best guess; the second is 0 when there is none. */
  confidence(best: number, second: number): number;
}

type Codes = ReadonlyMap<string, string>;

/**
 * Loads a model and tells it which languages can occur: guesses outside `languages` are struck out
 * before the best one is taken. All get this help but cld3, which gives its best guess alone; where
 * that is outside `languages`, it has no answer. A confidence is a probability or a lead, as said at
 * each engine: 1 is certain and 0 a guess for all, but 0.5 means more of a lead than of a probability.
 *
 * Of each package the smallest data set is taken that names all languages of the corpus. This matters to
 * the result: with it the best team is about 3 points above the best single model, `eld`; with the larger
 * `eld/small` the gain is about 1.5 points and with `eld/medium` about 1, since they err less alone.
 *
 * @param languages - ISO 639-3 codes.
 * @throws FoundationError `INVALID_OPTION` for a language that the model cannot name.
 */
export async function loadModel(name: ModelName, languages: readonly string[]): Promise<Model> {
  const codes = codesOf(name, languages);
  const engine = await engines[name]([...codes.keys()]);
  return { name, identify: (text) => identify(engine, codes, text) };
}

const noAnswer: Identification = { language: undefined, confidence: 0 };

function identify(engine: Engine, codes: Codes, text: string): Identification {
  if (!/\p{L}/u.test(text)) return noAnswer;
  const [best, second] = engine.rank(text).filter(([code, score]) => codes.has(code) && score > 0);
  if (best === undefined) return noAnswer;
  return {
    language: codes.get(best[0]),
    confidence: Math.min(1, Math.max(0, engine.confidence(best[1], second?.[1] ?? 0))),
  };
}

/** How far the best score is ahead: 0 when the second is as good, 1 when there is no second. */
const lead = (best: number, second: number): number => 1 - second / best;

const engines: Record<ModelName, (codes: string[]) => Promise<Engine>> = {
  /** Neural network (WebAssembly). Confidence: its probability. */
  'cld3-asm': async () => {
    const { loadModule } = await import('cld3-asm');
    // Its own limit of 3 s is short when five models load at once on a busy machine.
    const identifier = (await loadModule({ timeout: 60_000 })).create(0, 1_000);
    return {
      rank: (text) => {
        const { language, probability } = identifier.findLanguage(text);
        return [[language, probability]];
      },
      confidence: (best) => best,
    };
  },
  /** n-gram scores, `eld/extrasmall`. Confidence: lead in the score before its squashing s / (1 + s). */
  eld: async () => {
    const { eld } = await import('eld/extrasmall');
    return {
      rank: (text) => Object.entries(eld.detect(text).getScores()).toSorted((a, b) => b[1] - a[1]),
      confidence: (best, second) => lead(best / (1 - best), second / (1 - second)),
    };
  },
  /** Trigram distances, turned by franc to scores. Confidence: lead. It was trained on the corpus's text. */
  franc: async (only) => {
    const { francAll } = await import('franc');
    return { rank: (text) => francAll(text, { minLength: 1, only }), confidence: lead };
  },
  /** Neural network. Confidence: its probability. */
  lande: async () => {
    const { default: lande } = await import('lande');
    return { rank: lande, confidence: (best) => best };
  },
  /** n-gram statistics, the middle data set. Confidence: lead. */
  tinyld: async (only) => {
    const { detectAll } = await import('tinyld');
    return {
      rank: (text) => detectAll(text, { only }).map(({ lang, accuracy }) => [lang, accuracy]),
      confidence: lead,
    };
  },
};

/** Where a package departs from its standard. */
const exceptions: Partial<Record<ModelName, Readonly<Record<string, string>>>> = {
  'cld3-asm': { heb: 'iw', tgl: 'fil' },
  franc: { ara: 'arb' },
};

/** From a model's own codes to ISO 639-3. franc and lande speak ISO 639-3, the others two letters. */
function codesOf(name: ModelName, languages: readonly string[]): Codes {
  const long = name === 'franc' || name === 'lande';
  return new Map(
    languages.map((code) => {
      const language = findLanguage(code);
      if (language === undefined) {
        throw new FoundationError('INVALID_OPTION', `${name} cannot name the language "${code}"`, {
          hint: `Choose of: ${languageCodes.join(' ')}.`,
        });
      }
      return [exceptions[name]?.[code] ?? (long ? code : language.twoLetters), code];
    }),
  );
}
