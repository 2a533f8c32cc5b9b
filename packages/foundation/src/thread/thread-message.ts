import type { NodeEvents } from '../events.ts';
import type { Listing } from '../process/runtime.ts';
import type { Change } from '../registry/registry.ts';

/** What a worker thread is started with. */
export interface ThreadData {
  readonly node: string;
  readonly incarnation: number;
  readonly thread: number;
  readonly copiesMessages: boolean;
  readonly shares: readonly Change[];
}

/** What crosses the port, in both directions; packets are encoded by the codec. */
export type ThreadMessage =
  /** To a thread: from that node. To the main thread: for that node. */
  | {
      readonly kind: 'packet';
      readonly node: string;
      readonly incarnation: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'lost'; readonly node: string; readonly thread: number | undefined }
  | { readonly kind: 'rejoin'; readonly incarnation: number }
  | {
      readonly kind: 'publish';
      readonly serial: number;
      readonly process: string;
      readonly listing: Listing;
    }
  | { readonly kind: 'release'; readonly serial: number }
  | { readonly kind: 'event'; readonly name: keyof NodeEvents; readonly bytes: Uint8Array }
  | { readonly kind: 'ready' };
