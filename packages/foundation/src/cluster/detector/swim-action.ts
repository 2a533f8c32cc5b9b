import type { Judgement } from './peers-state.ts';
import type { Sighting } from './sightings-state.ts';
import type { Life, SwimMessage } from './swim-message.ts';

/** By which way a message goes: as a datagram, or over the link of the two nodes. */
export type Route = 'datagram' | 'link';

/** What a detector wants done. */
export type SwimAction =
  | {
      readonly kind: 'send';
      readonly to: Life;
      readonly message: SwimMessage;
      readonly by: Route;
    }
  | Judgement
  | { readonly kind: 'seen'; readonly about: Life; readonly sighting: Sighting };

/** What a message came with. */
export interface Arrival {
  readonly from: Life;
  readonly by: Route;
  readonly nowMs: number;
}
