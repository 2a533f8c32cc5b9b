import type { DetectorSettings } from './detector-options.ts';
import type { Watched } from './failure-detector.ts';
import type { Judgement } from './peers-state.ts';
import type { Sighting } from './sightings-state.ts';
import type { Life } from './swim-message.ts';

/** What the thread of the probes is started with. */
export interface DetectorThreadData {
  readonly self: Life;
  readonly settings: DetectorSettings;
  /** URL of the module that opens the channel, and what it is given. */
  readonly module: string;
  readonly channel: unknown;
  /** Memory of the board. */
  readonly memory: SharedArrayBuffer;
}

/** What the main thread says to it; `null` ends it. */
export type ToDetectorThread =
  | { readonly kind: 'watch'; readonly peer: Watched }
  | { readonly kind: 'locate'; readonly life: Life; readonly probeAddress: string }
  | { readonly kind: 'forget' | 'look'; readonly node: string }
  | { readonly kind: 'receive'; readonly from: Life; readonly bytes: Uint8Array }
  | null;

/** What it says to the main thread: the calls of `DetectorHandlers`. */
export type FromDetectorThread =
  | { readonly kind: 'address'; readonly to: Life; readonly probeAddress: string }
  | { readonly kind: 'judgement'; readonly judgement: Judgement }
  | { readonly kind: 'sighting'; readonly about: Life; readonly sighting: Sighting }
  | { readonly kind: 'carry'; readonly to: Life; readonly bytes: Uint8Array }
  | { readonly kind: 'problem'; readonly what: string; readonly error: unknown };
