/** Where a node can be reached, in which of its lives. */
export interface Contact {
  readonly node: string;
  readonly incarnation: number;
  readonly address: string;
}

/** A node that this one knows to be in the cluster. */
export interface Member extends Contact {
  /** `suspect`: it has no link, or is silent. Whether it lives is being found out. */
  readonly status: 'up' | 'suspect';
  /** `reset`: the other end broke it, perhaps because it ended. `lost`: gone for any other reason. */
  readonly link: 'up' | 'lost' | 'reset';
  /** It gave no answer to probes of this node, or of another. */
  readonly isSilent: boolean;
  /** Facts it told about itself. */
  readonly meta: Readonly<Record<string, unknown>>;
}

/**
 * `left`: said goodbye. `crashed`: its link was reset and nobody listens at its address any more.
 * `unresponsive`: probes got no answer. `replaced`: it began another life.
 * `cut-off`: it has declared this node's life over, or may have; this node sees it again when it has joined anew.
 */
export type DownReason = 'left' | 'crashed' | 'unresponsive' | 'replaced' | 'cut-off';
