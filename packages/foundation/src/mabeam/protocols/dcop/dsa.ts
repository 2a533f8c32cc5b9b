import { drawn } from '../../digest.ts';
import { isRecord, type Parsed, parsed, shown, unparsed } from '../../parse.ts';
import type { Protocol } from '../../protocol.ts';
import type { ImprovementReply } from './local-search-questions.ts';
import type {
  LocalSearchResult,
  LocalSearchSpec,
  ReadLocalSearch,
  Search,
} from './local-search-round.ts';
import { localSearch, localSearchDefaults, parseLocalSearch } from './local-search.ts';

/** A problem, how long it may take, and how often variables move. */
export interface DsaSpec extends LocalSearchSpec {
  /** How likely a variable that would move does so in a round: above 0, at most 1. @defaultValue 0.7 */
  readonly activation?: number;
}

/** A spec with everything that was left out. */
export type ReadDsa = ReadLocalSearch & Required<DsaSpec>;

/**
 * Each variable that could do better moves with some probability, which the seed draws; so does one that is as good
 * elsewhere, if a constraint is at odds with it (distributed stochastic algorithm, variant B, Zhang et al. 2005). Costs may
 * rise on the way. The best assignment so far counts.
 */
export const dsa: Protocol<
  DsaSpec,
  ImprovementReply,
  Search<ReadDsa>,
  LocalSearchResult
> = localSearch({
  name: 'dcop.dsa',
  parseSpec,
  withDefaults: (given: DsaSpec): ReadDsa => ({ ...defaults, ...given }),
  worthy: (wishes) => wishes,
  movers: (wishes, { spec, round }, { seed }) =>
    wishes.filter(({ name }) => drawn(seed, 'activation', round, name) < spec.activation),
});

const defaults = { ...localSearchDefaults, activation: 0.7 } as const;

function parseSpec(given: unknown): Parsed<ReadDsa> {
  const problem = parseLocalSearch(given, ['activation']);
  if (!problem.ok) return problem;
  const { activation = defaults.activation } = isRecord(given) ? given : {};
  return typeof activation === 'number' && activation > 0 && activation <= 1
    ? parsed({ ...problem.value, activation })
    : unparsed(`activation: expected more than 0, at most 1, got ${shown(activation)}`);
}
