import type { Share } from './registry-state.ts';

/** A share in pieces that are small enough for a message, sent in order over one link. */
export interface SharePart extends Share {
  /** From 0. */
  readonly part: number;
  readonly parts: number;
}

/** Entries in one part; a message may have some ten thousand values in all. */
export const partEntriesMax = 500;
/** Parts that are kept while the others are on their way; a share with more is refused. */
export const partsMax = 4_000;

/** A share as messages; an empty one is one message, too. */
export function splitShare(share: Share): readonly SharePart[] {
  const { registrations, singletons, ...rest } = share;
  const longest = Math.max(registrations.length, singletons.length);
  const parts = Math.max(1, Math.ceil(longest / partEntriesMax));
  return Array.from({ length: parts }, (_, part) => {
    const range = [part * partEntriesMax, (part + 1) * partEntriesMax] as const;
    return {
      ...rest,
      part,
      parts,
      registrations: registrations.slice(...range),
      singletons: singletons.slice(...range),
    };
  });
}

/** Puts the parts of shares together that come over several links. */
export class ShareJoiner {
  readonly #begun = new WeakMap<object, SharePart[]>();

  /**
   * The whole share with its last part, otherwise undefined. A first part begins anew.
   *
   * @param link - what the parts come over
   */
  add(link: object, next: SharePart): Share | undefined {
    const parts = next.part === 0 ? [] : (this.#begun.get(link) ?? []);
    if (next.part !== parts.length || next.parts > partsMax) return undefined;
    parts.push(next);
    this.#begun.set(link, parts);
    if (parts.length < next.parts) return undefined;
    this.#begun.delete(link);
    const { incarnation, version } = next;
    const registrations = parts.flatMap((each) => each.registrations);
    const singletons = parts.flatMap((each) => each.singletons);
    return { incarnation, version, registrations, singletons };
  }
}
