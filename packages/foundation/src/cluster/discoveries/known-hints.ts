import { FoundationError, isFoundationError, messageOf } from '../../errors.ts';
import type { DiscoveryHandlers, Hint } from '../discovery.ts';

/** Whom a set of hints is told to, and its bound. */
export interface KnownHintsOptions {
  /** Of the discovery, for messages. */
  readonly name: string;
  readonly handlers: DiscoveryHandlers;
  /** Hints that are taken at most. */
  readonly hintsMax: number;
}

/**
 * The last good set of a discovery: told when it changes, kept when nobody is found or looking fails.
 */
export class KnownHints {
  readonly #options: KnownHintsOptions;
  #told: string | undefined;

  constructor(options: KnownHintsOptions) {
    this.#options = options;
  }

  /** Takes everybody who was found, in any order; nobody is a failure. */
  found(hints: readonly Hint[]): void {
    if (hints.length === 0) this.failed(nobody());
    if (hints.length > 0 || this.#told === undefined) this.are(hints);
  }

  /** Takes everybody who is known, in any order; nobody is as good an answer as any. */
  are(hints: readonly Hint[]): void {
    const { hintsMax } = this.#options;
    const known = sorted(hints);
    if (known.length > hintsMax) this.failed(tooMany(hintsMax));
    this.#tell(known.slice(0, hintsMax));
  }

  /** Reports why nobody could be found. */
  failed(cause: unknown): void {
    const { name, handlers } = this.#options;
    const { hint, details } = isFoundationError(cause) ? cause : unexplained;
    handlers.onError(
      new FoundationError('DISCOVERY_FAILED', `${name}: ${messageOf(cause)}`, {
        ...(hint === undefined ? {} : { hint }),
        details,
        cause,
      }),
    );
  }

  #tell(hints: readonly Hint[]): void {
    const seen = JSON.stringify(hints);
    if (seen === this.#told) return;
    this.#told = seen;
    this.#options.handlers.onPeers(hints);
  }
}

const unexplained = {
  hint: 'Who was known before stays known. It is tried again by itself.',
  details: {},
};

/** Each address once, always in the same order: servers turn theirs round. */
function sorted(hints: readonly Hint[]): readonly Hint[] {
  const byAddress = new Map(hints.map((hint) => [hint.address, hint]));
  return [...byAddress.values()].toSorted((a, b) => (a.address < b.address ? -1 : 1));
}

function nobody(): FoundationError {
  return new FoundationError('DISCOVERY_FAILED', 'found nobody, not even this node', {
    hint: 'Who was known before stays known. Check the name, and that the nodes are registered under it.',
  });
}

function tooMany(hintsMax: number): FoundationError {
  return new FoundationError(
    'DISCOVERY_FAILED',
    `found more than ${hintsMax} addresses, the first ${hintsMax} are taken`,
    {
      hint: 'The nodes that are found tell of the rest. Raise `hintsMax` if that is not enough.',
      details: { hintsMax },
    },
  );
}
