import { defineAgent } from '@foundation/agents';

import type { Answers } from './answers.ts';
import { buildCorpus, type Corpus } from './corpus.ts';
import type { CorpusSeed, Split } from './member.ts';
import type { ModelName } from './models.ts';
import { combine, countCorrect, unsure, type Tally, type Team } from './vote.ts';

interface Combination {
  readonly team: Team;
  readonly split: Split;
  readonly ballot: {
    readonly first: Answers | undefined;
    readonly votes: Readonly<Partial<Record<ModelName, Answers>>>;
  };
}

interface Judgement {
  readonly split: Split;
  readonly labels: Uint8Array;
  readonly unsure: number;
}

const nothing: Answers = { languages: new Uint8Array(), confidences: new Uint8Array() };

/** Counts votes and right answers. Quick, so it shares the node's main thread. */
export const judge = defineAgent('judge', {
  capabilities: ['combine', 'score'],
  init: (seed: CorpusSeed): { corpus: Corpus } => ({ corpus: buildCorpus(seed) }),
  actions: {
    combine({ state }, { team, split, ballot }: Combination) {
      const size = state.corpus[split].texts.length;
      const { first } = ballot;
      const count = first === undefined ? size : unsure(first, team.threshold).length;
      // Voters who were not asked, since the first was sure of everything, have said nothing.
      const votes = Object.fromEntries(
        Object.entries(ballot.votes).map(([name, answers]) => [name, answers ?? nothing]),
      );
      return { labels: combine(team, { size, first, votes }), unsure: count };
    },
    score({ state }, { split, labels, unsure: count }: Judgement): Tally {
      const { truth } = state.corpus[split];
      return { snippets: truth.length, correct: countCorrect(labels, truth), unsure: count };
    },
  },
});
