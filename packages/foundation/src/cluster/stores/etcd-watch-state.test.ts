import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { WatchState } from './etcd-watch-state.ts';

interface LogEntry {
  readonly key: string;
  readonly revision: number;
  readonly isGone: boolean;
}

type Log = readonly LogEntry[];

/** What is there at a revision. */
function versionsAt(log: Log, revision: number): ReadonlyMap<string, number> {
  const versions = new Map<string, number>();
  for (const each of log) {
    if (each.revision > revision) break;
    if (each.isGone) versions.delete(each.key);
    else versions.set(each.key, each.revision);
  }
  return versions;
}

/** Some revisions change two keys. Only what is there can be deleted. */
const logs: fc.Arbitrary<Log> = fc
  .array(
    fc.record({
      keys: fc.subarray(['a', 'b', 'c'], { minLength: 1, maxLength: 2 }),
      isGone: fc.boolean(),
    }),
    {
      minLength: 1,
      maxLength: 30,
    },
  )
  .map((steps) => {
    const there = new Set<string>();
    return steps.flatMap(({ keys, isGone }, index) =>
      keys.flatMap((key): LogEntry[] => {
        if (isGone && !there.delete(key)) return [];
        if (!isGone) there.add(key);
        return [{ key, revision: index + 1, isGone }];
      }),
    );
  });

/** What happens to a watch, until it is left alone: each number says how far something gets. */
const events = fc.array(
  fc.record({ kind: fc.constantFrom('list', 'stream'), until: fc.nat(30), ahead: fc.nat(5) }),
  { maxLength: 12 },
);

/** A user of a watch, who notes what is wrong with what he is told. */
class Listener {
  readonly state = new WatchState();
  readonly now = new Map<string, number>();
  readonly #newest = new Map<string, number>();

  /** The latest revision that anything it was told comes from. */
  seen = 0;

  told(key: string, version: number): void {
    expect(version).toBeGreaterThan(this.#newest.get(key) ?? 0);
    this.#newest.set(key, version);
    this.now.set(key, version);
  }

  toldGone(key: string): void {
    expect(this.now.delete(key)).toBe(true);
  }
}

/** Values are fetched one by one after the listing, and are perhaps newer. */
function list(listener: Listener, log: Log, { at, ahead }: { at: number; ahead: number }): void {
  const { newer, gone } = listener.state.listed(versionsAt(log, at), at);
  listener.seen = at + (newer.length > 0 ? ahead + newer.length - 1 : 0);
  for (const key of gone) listener.toldGone(key);
  for (const [index, key] of newer.entries()) {
    const version = versionsAt(log, at + ahead + index).get(key);
    if (version !== undefined && listener.state.fetched(key, version)) listener.told(key, version);
  }
}

/** Tells changes from where the watch wants to go on; it may break in the middle of a revision. */
function stream(listener: Listener, log: Log, count: number): void {
  const { state } = listener;
  const due = log.filter(({ revision }) => revision >= state.next).slice(0, count);
  for (const [index, change] of due.entries()) {
    listener.seen = Math.max(listener.seen, change.revision);
    if (state.changed(change)) {
      if (change.isGone) listener.toldGone(change.key);
      else listener.told(change.key, change.revision);
    }
    const following = due[index + 1]?.revision;
    if (following !== undefined && following > change.revision) state.finished(change.revision);
  }
}

describe('what a watch has told', () => {
  it('ends up right, and never goes back, however often it breaks and is listed anew', () => {
    fc.assert(
      fc.property(logs, events, (log, happenings) => {
        const listener = new Listener();
        const last = log.at(-1)?.revision ?? 0;
        list(listener, log, { at: 0, ahead: 0 });
        for (const { kind, until, ahead } of happenings) {
          if (kind === 'stream') stream(listener, log, until);
          else {
            // Nothing is read that is older than what was seen before.
            const at = Math.min(last, listener.seen + until);
            list(listener, log, { at, ahead });
          }
        }
        stream(listener, log, Infinity);
        expect(listener.now).toEqual(versionsAt(log, last));
      }),
      { numRuns: 1_000 },
    );
  });

  it('goes on after a whole revision, and within one that is not', () => {
    const state = new WatchState();
    state.listed(new Map(), 4);
    expect(state.next).toBe(5);
    state.changed({ key: 'a', revision: 7, isGone: false });
    expect(state.next).toBe(7);
    state.finished(7);
    expect(state.next).toBe(8);
    state.finished(0);
    expect(state.next).toBe(8);
  });
});
