import type { NodeEvents } from '../events.ts';
import type { Listing } from '../process/runtime.ts';
import type { Change } from '../registry/registry.ts';

/** What a worker thread is started with. */
export interface ThreadData {
  readonly kind: 'foundation.thread';
  readonly node: string;
  readonly incarnation: number;
  readonly thread: number;
  readonly copiesMessages: boolean;
  readonly shares: readonly Change[];
  /** Memory of its counters, shared with the main thread. */
  readonly board: SharedArrayBuffer;
}

/** Whether the code at hand runs in a thread of a node. */
export function isThreadData(data: unknown): data is ThreadData {
  return (
    typeof data === 'object' && data !== null && 'kind' in data && data.kind === 'foundation.thread'
  );
}

/** A packet, encoded by the codec. To a thread: from that node. To the main thread: for that node. */
export interface PacketMessage {
  readonly kind: 'packet';
  readonly node: string;
  readonly incarnation: number;
  readonly bytes: Uint8Array;
}

/** What the main thread says to a worker. */
export type ToThread =
  | PacketMessage
  | { readonly kind: 'change'; readonly change: Change }
  | { readonly kind: 'lost'; readonly node: string; readonly thread: number | undefined }
  | { readonly kind: 'rejoin'; readonly incarnation: number }
  /** From now on its event loop is to show that it comes round. */
  | { readonly kind: 'beat'; readonly everyMs: number }
  /** Its node stops: whatever no supervisor ends is to end by itself. */
  | { readonly kind: 'stop' };

/** What a worker says to the main thread. */
export type FromThread =
  | PacketMessage
  | { readonly kind: 'ready' }
  /** The answer to `stop`. */
  | { readonly kind: 'ended' }
  | {
      readonly kind: 'publish';
      readonly serial: number;
      readonly process: string;
      readonly listing: Listing & { readonly fencingToken?: number | undefined };
    }
  | { readonly kind: 'release'; readonly serial: number }
  | {
      readonly kind: 'join';
      readonly serial: number;
      readonly process: string;
      readonly group: string;
    }
  | { readonly kind: 'leave'; readonly serial: number; readonly group: string }
  | { readonly kind: 'event'; readonly name: keyof NodeEvents; readonly bytes: Uint8Array };
