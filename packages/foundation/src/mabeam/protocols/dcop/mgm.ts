import { digest } from '../../digest.ts';
import type { Protocol } from '../../protocol.ts';
import type { ImprovementReply } from './local-search-questions.ts';
import type {
  LocalSearchResult,
  LocalSearchSpec,
  ReadLocalSearch,
  Search,
} from './local-search-round.ts';
import { localSearch, localSearchDefaults, parseLocalSearch } from './local-search.ts';

/**
 * Of neighbours that could do better only the one that gains most moves, so that costs never rise, until nobody
 * can do better alone (maximum gain message, Maheswaran, Pearce and Tambe 2004). Equals take turns as the seed says.
 */
export const mgm: Protocol<LocalSearchSpec, ImprovementReply, Search, LocalSearchResult> =
  localSearch({
    name: 'dcop.mgm',
    parseSpec: parseLocalSearch,
    withDefaults: (given: LocalSearchSpec): ReadLocalSearch => ({
      ...localSearchDefaults,
      ...given,
    }),
    worthy: (wishes) => wishes.filter(({ gain }) => gain > 0),
    movers(wishes, { surroundings, round }, { seed }) {
      const bids = new Map(
        wishes.map(({ name, gain }) => [name, { gain, draw: digest(seed, 'turn', round, name) }]),
      );
      return wishes.filter(({ name }) => {
        const own = bids.get(name);
        return surroundings.get(name)?.neighbours.every((neighbour) => {
          const other = bids.get(neighbour.name);
          if (own === undefined || other === undefined) return true;
          return other.gain === own.gain ? own.draw < other.draw : other.gain < own.gain;
        });
      });
    },
  });
