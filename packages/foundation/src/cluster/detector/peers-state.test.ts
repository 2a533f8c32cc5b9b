import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { detectorProfiles } from './detector-options.ts';
import { PeersState, type Peer } from './peers-state.ts';
import { RumoursState } from './rumours-state.ts';
import { suspicionLastsMs } from './suspicion-state.ts';
import type { Life, Rumour } from './swim-message.ts';

const settings = detectorProfiles.lan;
const life = (node: string, incarnation = 1): Life => ({ node, incarnation });

/** What one node thinks of four others, and what it has told. */
class Seen {
  readonly told: string[] = [];
  readonly rumours = new RumoursState();
  readonly peers = new PeersState({
    self: life('self'),
    settings,
    rumours: this.rumours,
    tell: ({ kind, about, by }) => this.told.push(`${kind} ${about.node} by ${by.join()}`),
  });

  constructor() {
    for (const node of ['a', 'b', 'c', 'd']) this.peers.watch(life(node));
  }

  peer(node: string): Peer {
    const peer = this.peers.named(node);
    if (peer === undefined) throw new Error(`${node} is not watched`);
    return peer;
  }

  hear(
    kind: Rumour['kind'],
    node: string,
    more: { by?: string; refutations?: number } = {},
  ): boolean {
    const { by = 'b', refutations = 0 } = more;
    return this.peers.hear({ kind, about: life(node), refutations, by }, 0);
  }

  /** What it would tell others now. */
  spread(): readonly string[] {
    return this.rumours
      .next(5)
      .map((each) => `${each.kind} ${each.about.node} ${each.refutations}`);
  }
}

const lastsMs = (accusers: number): number => suspicionLastsMs(settings, 5, accusers);

describe('what a node thinks of the others', () => {
  it('is a suspicion when somebody has found one silent: it is told and spread once', () => {
    const seen = new Seen();
    seen.hear('suspect', 'a');
    seen.hear('suspect', 'a');
    expect(seen.told).toEqual(['suspect a by b']);
    expect(seen.spread()).toEqual(['suspect a 0']);
    expect(seen.peers.deadlineMs).toBe(lastsMs(1));
  });

  it('ends a suspicion the sooner the more accuse, and spreads only as many as count', () => {
    const seen = new Seen();
    for (const [index, by] of ['b', 'c', 'd'].entries()) {
      seen.hear('suspect', 'a', { by });
      expect(seen.peers.deadlineMs).toBe(lastsMs(index + 1));
    }
    seen.hear('suspect', 'a', { by: 'e' });
    expect([...(seen.peer('a').suspicion?.accusers ?? [])]).toEqual(['b', 'c', 'd']);
  });

  it('is death when the time is over, and then the life is gone', () => {
    const seen = new Seen();
    seen.hear('suspect', 'a');
    seen.peers.judge(lastsMs(1) - 1);
    expect(seen.told).toEqual(['suspect a by b']);
    seen.peers.judge(lastsMs(1));
    expect(seen.told.at(-1)).toBe('dead a by b');
    expect(seen.peers.named('a')).toBeUndefined();
    expect(seen.spread()).toEqual(['dead a 0']);
  });

  it('is trust again when the suspect has refuted, but not when it says nothing new', () => {
    const seen = new Seen();
    seen.hear('suspect', 'a', { refutations: 2 });
    seen.hear('alive', 'a', { refutations: 2 });
    expect(seen.told.at(-1)).toBe('suspect a by b');
    seen.hear('alive', 'a', { refutations: 3 });
    expect(seen.told.at(-1)).toBe('trust a by b');
    expect(seen.spread()).toEqual(['alive a 3']);
    seen.hear('suspect', 'a', { refutations: 2 });
    expect(seen.told.at(-1)).toBe('trust a by b');
    seen.hear('suspect', 'a', { refutations: 3 });
    expect(seen.told.at(-1)).toBe('suspect a by b');
  });

  it('believes that somebody is dead of a suspect only: otherwise it is an accusation', () => {
    const seen = new Seen();
    seen.hear('dead', 'a', { by: 'c' });
    expect(seen.told).toEqual(['suspect a by c']);
    seen.hear('dead', 'a', { by: 'd' });
    expect(seen.told.at(-1)).toBe('dead a by c');
  });

  it('does not believe that somebody is dead who has refuted since', () => {
    const seen = new Seen();
    seen.hear('alive', 'a', { refutations: 1 });
    seen.hear('dead', 'a');
    seen.hear('dead', 'a', { by: 'c' });
    expect(seen.told).toEqual([]);
  });

  it('is nothing about another life than the one that is watched', () => {
    const seen = new Seen();
    seen.peers.watch(life('a', 2));
    seen.hear('suspect', 'a');
    seen.hear('dead', 'a');
    seen.hear('suspect', 'nobody');
    expect(seen.told).toEqual([]);
  });

  it('is refuted by itself: each suspicion of this node once, whoever has it', () => {
    const seen = new Seen();
    expect(seen.hear('suspect', 'self')).toBe(true);
    expect(seen.hear('suspect', 'self', { by: 'c' })).toBe(false);
    expect(seen.hear('dead', 'self', { refutations: 5 })).toBe(true);
    expect(seen.hear('alive', 'self', { refutations: 9 })).toBe(false);
    expect(seen.peers.refutations).toBe(6);
    expect(seen.spread()).toEqual(['alive self 6']);
    expect(seen.told).toEqual([]);
  });

  it('is kept to itself when it gives up everybody', () => {
    const seen = new Seen();
    seen.peers.giveUpAll();
    expect(seen.told).toHaveLength(4);
    expect(seen.spread()).toEqual([]);
  });

  it('can be put off', () => {
    const seen = new Seen();
    seen.hear('suspect', 'a');
    seen.peers.putOff(1_000);
    seen.hear('suspect', 'a', { by: 'c' });
    expect(seen.peers.deadlineMs).toBe(lastsMs(2) + 1_000);
  });

  it('is in turn: suspect, then trust or dead, and nothing after dead', () => {
    const rumour = fc.record({
      kind: fc.constantFrom('suspect' as const, 'alive' as const, 'dead' as const),
      about: fc.constantFrom('a', 'b', 'self').map((node) => life(node)),
      refutations: fc.nat(4),
      by: fc.constantFrom('c', 'd', 'e'),
    });
    fc.assert(
      fc.property(fc.array(rumour, { maxLength: 60 }), (all) => {
        const seen = new Seen();
        for (const each of all) seen.peers.hear(each, 0);
        for (const node of ['a', 'b']) {
          const kinds = seen.told
            .filter((line) => line.split(' ')[1] === node)
            .map((line) => line[0])
            .join('');
          expect(kinds).toMatch(/^(?:st)*(?:s|sd)?$/);
          expect(seen.peers.named(node) === undefined).toBe(kinds.endsWith('d'));
        }
      }),
    );
  });
});
