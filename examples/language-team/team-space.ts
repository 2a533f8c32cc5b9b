import { choice, float, integer, variables, type ConfigurationOf } from '@foundation/ml';

import { modelNames, type ModelName } from './models.ts';
import type { Team, Weight } from './vote.ts';

const declared = {
  first: choice(['none', ...modelNames]),
  threshold: float(0, 1, { step: 0.05 }),
  'cld3-asm': integer(0, 3),
  eld: integer(0, 3),
  franc: integer(0, 3),
  lande: integer(0, 3),
  tinyld: integer(0, 3),
};

/** Every architecture a team can have: 6 first responders × 21 thresholds × 4 weights for each of 5 models. */
export const teamSpace = variables(declared);

export type TeamConfiguration = ConfigurationOf<typeof declared>;

export function teamOf(configuration: TeamConfiguration): Team {
  const { first, threshold } = configuration;
  return { first, threshold, weights: weightsBy((name) => configuration[name]) };
}

/** A team of one. */
export function soloist(name: ModelName): Team {
  return { first: name, threshold: 0, weights: weightsBy(() => 0) };
}

/** All five models vote on everything, with one vote each. */
export const everyone: Team = { first: 'none', threshold: 0, weights: weightsBy(() => 1) };

function weightsBy(weight: (name: ModelName) => number): Team['weights'] {
  const entries = modelNames.map((name) => [name, weight(name)]);
  return Object.fromEntries(entries) as Record<ModelName, Weight>;
}
