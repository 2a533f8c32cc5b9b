import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { Hint } from './discovery.ts';
import type { Contact } from './member.ts';
import type { MembershipEffect, MembershipEvent } from './membership-event.ts';
import { judge, newMembership, nextMembership, type MembershipState } from './membership-state.ts';

const self = { node: 'self', incarnation: 1 };

function life(node: string, incarnation: number): Contact {
  return { node, incarnation, address: `${node}:${incarnation}` };
}

const linked = (contact: Contact): MembershipEvent => ({ kind: 'linked', contact, meta: {} });
const unlinked = (
  { node, incarnation }: Contact,
  how: 'goodbye' | 'reset' | 'lost' = 'reset',
): MembershipEvent => ({ kind: 'unlinked', node, incarnation, how });
const dialled = (
  hint: Hint,
  outcome: 'there' | 'refused' | 'unreachable',
  found: string | undefined = outcome === 'there' ? hint.node : undefined,
): MembershipEvent => ({
  kind: 'dialled',
  hint,
  isRefused: outcome === 'refused',
  ...(found === undefined ? {} : { found }),
});
const judged = (
  { node, incarnation }: Contact,
  judgement: 'suspect' | 'trust' | 'dead',
): MembershipEvent => ({ kind: 'judged', node, incarnation, judgement });
const discovered = (...hints: readonly Hint[]): MembershipEvent => ({ kind: 'discovered', hints });
const introduced = (...contacts: readonly Contact[]): MembershipEvent => ({
  kind: 'introduced',
  contacts,
});

/** The state after events, and what the last one asked for. */
function after(...events: readonly MembershipEvent[]): {
  state: MembershipState;
  effects: readonly MembershipEffect[];
} {
  let step = { state: newMembership(self), effects: [] as readonly MembershipEffect[] };
  for (const event of events) step = nextMembership(step.state, event);
  return step;
}

function said(effects: readonly MembershipEffect[]): readonly string[] {
  return effects.map((effect) => {
    switch (effect.kind) {
      case 'dial':
        return `dial ${effect.hint.address}`;
      case 'up':
        return `up ${effect.member.address}`;
      case 'down':
        return `down ${effect.member.address} ${effect.reason}`;
      case 'introduce':
        return `introduce ${effect.to}`;
      case 'changed':
        return `${effect.member.node} is ${effect.member.status}`;
      case 'unlink':
        return `${effect.kind} ${effect.node}`;
      case 'rejoin':
        return 'rejoin';
    }
  });
}

const b = life('b', 1);
const b2 = life('b', 2);
const c = life('c', 1);

describe('membership', () => {
  it('dials whoever was discovered, each once at a time, and not itself', () => {
    expect(said(after(discovered(b, c, life('self', 9))).effects)).toEqual([
      'dial b:1',
      'dial c:1',
    ]);
    expect(said(after(discovered(b), discovered(b, c)).effects)).toEqual(['dial c:1']);
  });

  it('dials again in time whoever could not be reached', () => {
    const events = [discovered(b, c), linked(c), dialled(c, 'there'), dialled(b, 'unreachable')];
    expect(said(after(...events).effects)).toEqual([]);
    expect(said(after(...events, { kind: 'look' }).effects)).toEqual(['dial b:1']);
  });

  it('does not dial yet where nobody was a moment ago, but for members', () => {
    const early = new Set([b.address, c.address]);
    const { state } = after(linked(b), unlinked(b, 'lost'), dialled(b, 'unreachable'));
    const { effects } = nextMembership(state, { kind: 'discovered', hints: [c], early });
    expect(said(effects)).toEqual([`dial ${b.address}`]);
    expect(said(nextMembership(state, { kind: 'look', early }).effects)).toEqual(said(effects));
  });

  it('takes in a linked node, introduces the others to it, and dials it no more', () => {
    const { state, effects } = after(discovered(b), linked(b));
    expect(said(effects)).toEqual(['up b:1', 'introduce b']);
    expect(said(nextMembership(state, introduced(b)).effects)).toEqual([]);
    expect(said(nextMembership(state, { kind: 'look' }).effects)).toEqual([]);
  });

  it('dials addresses without names, and no more once it knows who is there', () => {
    const hints = [{ address: 'x:1' }, { address: 'y:1' }];
    expect(said(after(discovered(...hints)).effects)).toEqual(['dial x:1', 'dial y:1']);
    const found = [
      discovered(...hints),
      linked(b),
      dialled({ address: 'x:1' }, 'there', 'b'),
      dialled({ address: 'y:1' }, 'there', 'self'),
    ];
    expect(said(after(...found, { kind: 'look' }).effects)).toEqual([]);
  });

  it('dials an address without a name again when nobody was there, or who was there is gone', () => {
    const x = { address: 'x:1' };
    const events = [discovered(x), dialled(x, 'refused')];
    expect(said(after(...events, { kind: 'look' }).effects)).toEqual(['dial x:1']);
    const gone = [
      discovered(x),
      linked(b),
      dialled(x, 'there', 'b'),
      unlinked(b),
      dialled(b, 'refused'),
    ];
    expect(said(after(...gone, { kind: 'look' }).effects)).toEqual(['dial x:1']);
  });

  it('does not dial an address at which a member says it listens', () => {
    expect(said(after(linked(b), discovered({ address: b.address })).effects)).toEqual([]);
  });

  it('does not count itself when it looks for a majority', () => {
    // Five others are hinted at, one hint is this node: with two members this is half of six, not more.
    const hints = ['b', 'c', 'd', 'e', 'f', 'me'].map((node) => ({ address: `${node}:1` }));
    const events = [
      discovered(...hints),
      linked(b),
      linked(c),
      linked(life('d', 1)),
      dialled({ address: 'me:1' }, 'there', 'self'),
    ];
    const d = [unlinked(life('d', 1)), dialled(life('d', 1), 'refused')];
    expect(judge(after(...events, ...d).state, life('d', 1))).toBe('give-way');
    const e = [linked(life('e', 1)), linked(life('f', 1))];
    expect(judge(after(...events, ...e, ...d).state, life('d', 1))).toBe('over');
  });

  it('keeps the elder of two nodes of one name while it is up, whichever numbers their lives have', () => {
    const elsewhere = (incarnation: number) => ({ node: 'b', incarnation, address: 'z:9' });
    const { state } = after(linked({ ...b, incarnation: 5 }));
    for (const incarnation of [4, 6]) expect(judge(state, elsewhere(incarnation))).toBe('taken');
    expect(judge(state, elsewhere(5))).toBe('welcome');
    expect(judge(state, { ...b, incarnation: 6 })).toBe('welcome');
    expect(judge(state, { node: 'b', incarnation: 6 })).toBe('welcome');
  });

  it('takes a node at another address when the one that had its name is suspect or over', () => {
    const elsewhere = { node: 'b', incarnation: 2, address: 'z:9' };
    expect(judge(after(linked(b), unlinked(b)).state, elsewhere)).toBe('welcome');
    expect(judge(after(linked(b), judged(b, 'suspect')).state, elsewhere)).toBe('welcome');
    expect(judge(after(linked(b), unlinked(b, 'goodbye')).state, elsewhere)).toBe('welcome');
  });

  it('has a life that was declared over begin another, also when its name is taken', () => {
    const at = (address: string) => ({ node: 'b', incarnation: 1, address });
    const { state } = after(linked(b), linked(life('b', 2)));
    expect(judge(state, at('z:9'))).toBe('over');
  });

  it('dials whom a member knows', () => {
    expect(said(after(linked(b), introduced(b, c)).effects)).toEqual(['dial c:1']);
  });

  it('suspects a node whose link broke, and dials it once', () => {
    const { state, effects } = after(linked(b), unlinked(b));
    expect(said(effects)).toEqual(['b is suspect', 'dial b:1']);
    expect(state.members.get('b')).toMatchObject({ status: 'suspect', link: 'reset' });
  });

  it('closes a link over which nothing comes any more, and dials anew at once', () => {
    const { state, effects } = after(linked(b), { kind: 'silent', node: 'b' });
    expect(said(effects)).toEqual(['unlink b', 'b is suspect', 'dial b:1']);
    expect(state.members.get('b')).toMatchObject({ status: 'suspect', link: 'lost' });
    expect(said(nextMembership(state, { kind: 'silent', node: 'b' }).effects)).toEqual([]);
  });

  it('keeps a node that is linked again: it was not down', () => {
    const { state, effects } = after(linked(b), unlinked(b), linked(b));
    expect(said(effects)).toEqual(['introduce b', 'b is up']);
    expect(state.members.get('b')?.status).toBe('up');
  });

  it.each([
    ['refuses', dialled(b, 'refused')],
    ['is another node', dialled(b, 'there', 'c')],
  ])('gives up a node whose link was reset when its address %s', (_, outcome) => {
    const { state, effects } = after(linked(b), unlinked(b), outcome);
    expect(said(effects)).toEqual(['unlink b', 'down b:1 crashed']);
    expect(state.members.size).toBe(0);
  });

  it.each([
    ['is reset and cannot be reached', 'reset', 'unreachable'],
    ['is reset and answers a dial', 'reset', 'there'],
    ['is lost for another reason, even if dials are refused', 'lost', 'refused'],
  ] as const)('does not give up a node that %s, and dials again in time', (_, how, outcome) => {
    const events = [linked(b), unlinked(b, how), dialled(b, outcome)];
    expect(said(after(...events).effects)).toEqual([]);
    expect(said(after(...events, { kind: 'look' }).effects)).toEqual(['dial b:1']);
  });

  it('does not give up a node because an earlier life of it cannot be reached', () => {
    const events = [discovered(b), linked(b2), unlinked(b2), dialled(b, 'refused')];
    expect(after(...events).state.members.get('b')?.incarnation).toBe(2);
  });

  it('shows a node that the detector suspects, with its link, until that trusts it again', () => {
    const suspected = after(linked(b), judged(b, 'suspect'));
    expect(said(suspected.effects)).toEqual(['b is suspect']);
    expect(suspected.state.members.get('b')).toMatchObject({ link: 'up', isSilent: true });
    const events = [linked(b), judged(b, 'suspect'), judged(b, 'trust')];
    expect(said(after(...events).effects)).toEqual(['b is up']);
  });

  it('keeps a node suspect as long as it is silent or without a link', () => {
    const events = [linked(b), judged(b, 'suspect'), unlinked(b), linked(b)];
    expect(after(...events).state.members.get('b')?.status).toBe('suspect');
    const trusted = [linked(b), judged(b, 'suspect'), unlinked(b), judged(b, 'trust')];
    expect(after(...trusted).state.members.get('b')?.status).toBe('suspect');
  });

  it('lets go of a node that the detector has found dead, and of no other life of it', () => {
    const { state, effects } = after(linked(b), judged(b, 'dead'));
    expect(said(effects)).toEqual(['unlink b', 'down b:1 unresponsive']);
    expect(judge(state, b)).toBe('over');
    expect(after(linked(b2), judged(b, 'dead')).state.members.get('b')?.status).toBe('up');
  });

  it('remembers the last thousand nodes that are over', () => {
    const last = 1_001;
    let { state } = after();
    for (let at = 0; at <= last; at++) {
      state = nextMembership(state, linked(life(`n${at}`, 1))).state;
      state = nextMembership(state, unlinked(life(`n${at}`, 1), 'goodbye')).state;
    }
    expect(state.buried.size).toBe(1_000);
    expect(judge(state, life(`n${last}`, 1))).not.toBe('welcome');
  });

  it('forgets who was found at addresses that nothing hints at any more', () => {
    const { state } = after(
      discovered({ address: 'x:1' }, { address: 'y:1' }),
      dialled({ address: 'x:1' }, 'there', 'x'),
      dialled({ address: 'y:1' }, 'there', 'y'),
      discovered({ address: 'y:1' }),
    );
    expect([...state.found]).toEqual([['y:1', 'y']]);
  });

  it('lets go at once of a node that says goodbye', () => {
    const { effects } = after(linked(b), unlinked(b, 'goodbye'));
    expect(said(effects)).toEqual(['unlink b', 'down b:1 left']);
  });

  it('replaces a node that has begun another life: the old one goes down before the new one is up', () => {
    const { state, effects } = after(linked(b), linked(b2));
    expect(said(effects)).toEqual(['down b:1 replaced', 'up b:2', 'introduce b']);
    expect(judge(state, b)).toBe('over');
  });

  it('begins a new life when others have declared this one over', () => {
    expect(said(after({ kind: 'outvoted' }).effects)).toEqual(['rejoin']);
  });

  describe('after a split', () => {
    const d = life('d', 1);
    const lost = [linked(b), judged(b, 'dead')];

    it('dials whom it had declared over, while discovery still knows them', () => {
      expect(said(after(discovered(b), ...lost, { kind: 'look' }).effects)).toEqual(['dial b:1']);
      expect(said(after(...lost, introduced(b)).effects)).toEqual([]);
    });

    it('refuses the lost ones with the majority, and gives way to them without', () => {
      const contacts = discovered(b, c, d);
      expect(judge(after(contacts, ...lost, linked(c), linked(d)).state, b)).toBe('over');
      expect(judge(after(contacts, ...lost, linked(c)).state, b)).toBe('give-way');
      expect(judge(after(contacts, ...lost).state, b2)).toBe('welcome');
    });
  });

  // ── laws ───────────────────────────────────────────────────────────────────

  const contact = fc
    .tuple(fc.constantFrom('b', 'c', 'd'), fc.integer({ min: 1, max: 3 }))
    .map(([node, incarnation]) => life(node, incarnation));
  const event: fc.Arbitrary<MembershipEvent> = fc.oneof(
    fc.array(contact, { maxLength: 3 }).map((contacts) => discovered(...contacts)),
    fc.array(contact, { maxLength: 3 }).map((contacts) => introduced(...contacts)),
    contact.map(linked),
    fc
      .tuple(contact, fc.constantFrom('goodbye' as const, 'reset' as const, 'lost' as const))
      .map(([each, how]) => unlinked(each, how)),
    fc
      .tuple(contact, fc.constantFrom('there' as const, 'refused' as const, 'unreachable' as const))
      .map(([each, outcome]) => dialled(each, outcome)),
    contact.map(({ node }) => ({ kind: 'silent', node }) as const),
    fc
      .tuple(contact, fc.constantFrom('suspect' as const, 'trust' as const, 'dead' as const))
      .map(([each, judgement]) => judged(each, judgement)),
    fc.constant({ kind: 'look' } as const),
  );
  const events = fc.array(event, { maxLength: 40, size: 'max' });

  it('never takes in a life that it has declared over, and tells up and down in turn', () => {
    fc.assert(
      fc.property(events, (all) => {
        let state = newMembership(self);
        const told: MembershipEffect[] = [];
        for (const each of all) {
          const step = nextMembership(state, each);
          told.push(...step.effects);
          state = step.state;
        }
        const { breaches, up } = history(told);
        expect(breaches).toEqual([]);
        const members = [...state.members.values()].map(
          ({ node, incarnation }) => `${node}:${incarnation}`,
        );
        expect(members.toSorted()).toEqual(up.toSorted());
      }),
    );
  });

  it('declares no life over that is a member', () => {
    fc.assert(
      fc.property(events, (all) => {
        const { state } = after(...all);
        for (const member of state.members.values()) expect(judge(state, member)).toBe('welcome');
      }),
    );
  });

  it('dials a node only when it is not dialling it, and forgets nobody who has no link', () => {
    fc.assert(
      fc.property(events, (all) => {
        let state = newMembership(self);
        for (const each of all) {
          const step = nextMembership(state, each);
          const dialledNow = step.effects.flatMap((effect) =>
            effect.kind === 'dial' ? [effect.hint.node ?? effect.hint.address] : [],
          );
          for (const node of dialledNow) {
            expect(state.dialling.has(node)).toBe(false);
            expect(step.state.dialling.has(node)).toBe(true);
          }
          state = step.state;
        }
        const looked = nextMembership(state, { kind: 'look' }).state;
        const lost = [...looked.members.values()].filter(({ link }) => link !== 'up');
        for (const { node } of lost) expect(looked.dialling.has(node)).toBe(true);
      }),
    );
  });

  it('changes nothing but by returning a new state', () => {
    fc.assert(
      fc.property(events, event, (all, last) => {
        const { state } = after(...all);
        const before = structuredClone(state);
        nextMembership(state, last);
        expect(state).toEqual(before);
      }),
    );
  });
});

/** Who is up after all that was told, and what should not have been told. */
function history(told: readonly MembershipEffect[]): {
  readonly up: readonly string[];
  readonly breaches: readonly string[];
} {
  const up = new Set<string>();
  const newest = new Map<string, number>();
  const breaches: string[] = [];
  for (const effect of told) {
    if (effect.kind === 'up') {
      const { node, incarnation, address } = effect.member;
      if (incarnation <= (newest.get(node) ?? 0))
        breaches.push(`${address} is up after it was over`);
      newest.set(node, incarnation);
      up.add(address);
    } else if (effect.kind === 'down' && !up.delete(effect.member.address)) {
      breaches.push(`${effect.member.address} is down and was not up`);
    }
  }
  return { up: [...up], breaches };
}
