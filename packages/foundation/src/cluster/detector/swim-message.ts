/** One life of a node. */
export interface Life {
  readonly node: string;
  readonly incarnation: number;
}

/** How often a life has refuted a suspicion: what is said of it with a higher count is newer. */
interface Counted {
  readonly about: Life;
  readonly refutations: number;
}

/** What nodes tell each other about a third one. `by` has found out itself. */
export type Rumour =
  | (Counted & { readonly kind: 'suspect'; readonly by: string })
  | (Counted & { readonly kind: 'alive' })
  | (Counted & { readonly kind: 'dead'; readonly by: string });

/** What a message is for. */
export type SwimContent =
  | { readonly kind: 'ping'; readonly serial: number; readonly about: Life }
  /** `about` has answered; it need not be the sender. */
  | {
      readonly kind: 'ack';
      readonly serial: number;
      readonly about: Life;
      readonly aboutRefutations: number;
    }
  /** Please ping `about` in my place. */
  | { readonly kind: 'ask'; readonly serial: number; readonly about: Life }
  /** I am well, but it has not answered me. */
  | { readonly kind: 'nack'; readonly serial: number }
  | { readonly kind: 'news' };

/** What passes between the failure detectors of two nodes. */
export type SwimMessage = SwimContent & {
  /** How often its sender has refuted a suspicion. */
  readonly refutations: number;
  /** Its sender's event loop does not come round. */
  readonly isStalled: boolean;
  readonly rumours: readonly Rumour[];
};

/** Most rumours in a message. With the longest names it stays below {@link probeBytesMax}. */
export const rumoursMax = 8;
/** Largest packet of a probe, with all that a channel puts around it, in bytes. */
export const probeBytesMax = 1_400;
