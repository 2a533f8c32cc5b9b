import { defineAgent } from '@foundation/agents';

import { noLanguage, type Answers } from './answers.ts';
import { buildCorpus, type Corpus } from './corpus.ts';
import { loadModel, type Model, type ModelName } from './models.ts';
import { unsure } from './vote.ts';

/** The half of the snippets: the search sees `validation` only. */
export type Split = 'validation' | 'test';

/** What makes the corpus, the same on every node. */
export interface CorpusSeed {
  readonly seed: number;
  readonly snippetsPerLanguage: number;
}

export interface MemberInit extends CorpusSeed {
  readonly model: ModelName;
}

interface Cache extends Answers {
  /** 1 where the answer is known. */
  readonly known: Uint8Array;
}

interface MemberState {
  readonly model: Model;
  readonly corpus: Corpus;
  readonly indexes: ReadonlyMap<string, number>;
  /** What the model has said so far; dies with the process. */
  readonly caches: Readonly<Record<Split, Cache>>;
  readonly timing: Timing;
}

/** How long the model took for what it was really asked. */
export interface Timing {
  snippets: number;
  ms: number;
}

interface Question {
  readonly split: Split;
  /** Places of the snippets in the split; all of them when left out. */
  readonly places?: readonly number[];
  /** Tells also which answers are below it. */
  readonly threshold?: number;
}

/** Snippets answered before other processes of the thread get a turn. */
const burst = 64;

/** One model as an agent. It is busy for seconds at a time, so it lives in a thread. */
export const member = defineAgent('member', {
  module: import.meta.url,
  isolation: 'thread',
  thread: 'models',
  capabilities: ['identify'],
  init: async ({ model, ...seed }: MemberInit): Promise<MemberState> => {
    const corpus = buildCorpus(seed);
    return {
      model: await loadModel(model, corpus.languages),
      corpus,
      indexes: new Map(corpus.languages.map((language, index) => [language, index])),
      caches: { validation: emptyCache(corpus, 'validation'), test: emptyCache(corpus, 'test') },
      timing: { snippets: 0, ms: 0 },
    };
  },
  actions: {
    async answer({ state }, { split, places, threshold }: Question) {
      const all = places ?? state.corpus[split].texts.map((_, place) => place);
      await identifyMissing(state, split, all);
      const cache = state.caches[split];
      const answers: Answers = {
        languages: Uint8Array.from(all, (place) => cache.languages[place] ?? noLanguage),
        confidences: Uint8Array.from(all, (place) => cache.confidences[place] ?? 0),
      };
      return threshold === undefined
        ? { answers }
        : { answers, unsure: unsure(answers, threshold) };
    },
    timing: ({ state }): Timing => state.timing,
  },
});

async function identifyMissing(
  state: MemberState,
  split: Split,
  places: readonly number[],
): Promise<void> {
  const cache = state.caches[split];
  const { texts } = state.corpus[split];
  let asked = 0;
  for (const place of places) {
    if (cache.known[place] === 1) continue;
    const began = performance.now();
    const { language, confidence } = state.model.identify(texts[place] ?? '');
    state.timing.ms += performance.now() - began;
    state.timing.snippets++;
    cache.languages[place] = state.indexes.get(language ?? '') ?? noLanguage;
    cache.confidences[place] = Math.round(255 * confidence);
    cache.known[place] = 1;
    asked++;
    if (asked % burst === 0) await new Promise((resolve) => setImmediate(resolve));
  }
}

function emptyCache(corpus: Corpus, split: Split): Cache {
  const size = corpus[split].texts.length;
  return {
    languages: new Uint8Array(size),
    confidences: new Uint8Array(size),
    known: new Uint8Array(size),
  };
}
