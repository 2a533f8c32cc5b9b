import { from, type Goal } from '@foundation/agents';

import type { Split } from './member.ts';
import { votersToAsk, type Team } from './vote.ts';

/**
 * Scoring one team on one half of the snippets, as steps with what they need of each other: ask the
 * first member; if it was unsure of any, ask the voters about those, side by side; combine; score.
 */
export function scoringGoal(id: string, team: Team, split: Split): Goal {
  const voters = votersToAsk(team);
  const hasFirst = team.first !== 'none';
  const first = hasFirst
    ? [
        {
          id: 'first',
          capability: `identify:${team.first}`,
          action: 'answer',
          needs: [],
          input: { split, threshold: team.threshold },
        },
      ]
    : [];
  const votes = voters.map((name) => ({
    id: `vote:${name}`,
    capability: `identify:${name}`,
    action: 'answer',
    needs: hasFirst ? ['first'] : [],
    input: { split, ...(hasFirst ? { places: from('first', 'unsure') } : {}) },
    ...(hasFirst ? { when: from('first', 'unsure') } : {}),
  }));
  const before = [...first, ...votes].map((step) => step.id);
  const ballot = {
    first: hasFirst ? from('first', 'answers') : undefined,
    votes: Object.fromEntries(voters.map((name) => [name, from(`vote:${name}`, 'answers')])),
  };
  return {
    id,
    description: `Score a team of ${team.first} and ${voters.length} voters on ${split}.`,
    steps: [
      ...first,
      ...votes,
      {
        id: 'combine',
        capability: 'combine',
        action: 'combine',
        needs: before,
        input: { team, split, ballot },
      },
      {
        id: 'score',
        capability: 'score',
        action: 'score',
        needs: ['combine'],
        input: {
          team,
          split,
          labels: from('combine', 'labels'),
          unsure: from('combine', 'unsure'),
        },
      },
    ],
  };
}
