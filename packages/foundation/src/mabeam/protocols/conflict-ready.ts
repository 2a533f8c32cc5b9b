import { FoundationError } from '../../errors.ts';
import { shown } from '../parse.ts';
import {
  claimQuestion,
  type ResourceClaim,
  type Ruling,
  rulingQuestion,
  unitsMax,
} from './conflict-questions.ts';
import { unitsOf } from './conflict-terms.ts';
import { ration } from './ration.ts';
import { answering, understood } from './ready-reply.ts';
import { isWhole } from './voting/vote-spec.ts';

/** Scripted claimants and deciders, by name. */
export const readyReplies = {
  /** `get_claim`: claims so many units, and where that is more than there is, its proportion of them. */
  yieldFrom: answering<ResourceClaim>([claimQuestion], (argument) => {
    if (!isWhole(argument, 0, unitsMax)) {
      const expected = 'yieldFrom: expected a whole number of units';
      throw new FoundationError('INVALID_OPTION', `${expected}, got ${shown(argument)}`);
    }
    return (request) => {
      const { supply, claims } = understood(claimQuestion, request);
      if (claims === undefined) return { units: argument };
      return { units: Number((BigInt(argument) * BigInt(supply)) / BigInt(unitsOf(claims))) };
    };
  }),
  /** `get_ruling`: gives each its proportion, what is left to the largest remainders, then by id. */
  ruleBy: answering<Ruling>([rulingQuestion], (argument) => {
    if (argument !== 'proportion') {
      const expected = 'ruleBy: expected proportion';
      throw new FoundationError('INVALID_OPTION', `${expected}, got ${shown(argument)}`);
    }
    return (request) => {
      const { supply, claims, resource } = understood(rulingQuestion, request);
      const how = { units: supply, rule: 'pro_rata', label: resource } as const;
      const { shares } = ration(claims, how, { seed: '', tie: 'lexicographic' });
      return { shares: Object.fromEntries(shares ?? []) };
    };
  }),
} as const;
