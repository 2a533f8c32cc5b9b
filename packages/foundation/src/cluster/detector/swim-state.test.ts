import { describe, expect, it } from 'vitest';

import { seededRandom } from '../../random.ts';
import { detectorProfiles, type DetectorSettings } from './detector-options.ts';
import type { Arrival, SwimAction } from './swim-action.ts';
import type { Life, Rumour, SwimContent, SwimMessage } from './swim-message.ts';
import { SwimState } from './swim-state.ts';

const settings: DetectorSettings = { ...detectorProfiles.lan };
const { periodMs, answerMs, suspicionMs, healthMax } = settings;
const life = (node: string, incarnation = 1): Life => ({ node, incarnation });
const others = ['a', 'b', 'c', 'd', 'e'];

type Sent = SwimAction & { readonly kind: 'send' };

/** The detector of one node whose time, and whose mail, is in the hands of a test. */
class Tested {
  nowMs = 0;
  readonly all: SwimAction[] = [];
  readonly state: SwimState;

  constructor(nodes: readonly string[] = others, changes: Partial<DetectorSettings> = {}) {
    const env = { settings: { ...settings, ...changes }, random: seededRandom(1), nowMs: 0 };
    this.state = new SwimState({ self: life('self'), ...env });
    for (const node of nodes) this.state.watch(life(node), 0);
  }

  /** Time passes in steps of a healthy program. */
  pass(byMs: number): readonly SwimAction[] {
    const before = this.all.length;
    for (const endMs = this.nowMs + byMs; this.nowMs < endMs;) {
      this.nowMs = Math.min(endMs, Math.max(this.nowMs, this.state.dueMs));
      this.all.push(...this.state.pass(this.nowMs));
    }
    return this.all.slice(before);
  }

  hear(
    from: string,
    content: SwimContent,
    more: Partial<SwimMessage & Arrival> = {},
  ): readonly SwimAction[] {
    const { rumours = [], refutations = 0, isStalled = false, by = 'datagram' } = more;
    const message = { ...content, rumours, refutations, isStalled };
    const actions = this.state.receive(message, { from: life(from), by, nowMs: this.nowMs });
    this.all.push(...actions);
    return actions;
  }

  /** Until it pings somebody; that ping. */
  nextPing(): Sent & { readonly message: { readonly kind: 'ping' } } {
    const from = this.all.length;
    for (;;) {
      const found = sentIn(this.all.slice(from)).find(({ message }) => message.kind === 'ping');
      if (found !== undefined) return found as ReturnType<Tested['nextPing']>;
      this.pass(1);
    }
  }

  /** Everybody answers each ping at once, but some. */
  liveOn(forMs: number, silent: readonly string[] = []): readonly SwimAction[] {
    const before = this.all.length;
    for (let at = before, endMs = this.nowMs + forMs; this.nowMs < endMs; this.pass(5)) {
      for (; at < this.all.length; at++) {
        const action = this.all[at];
        if (action?.kind !== 'send' || silent.includes(action.to.node)) continue;
        if (action.message.kind === 'ping') this.ack(action.message);
        if (action.message.kind === 'ask')
          this.hear(action.to.node, { kind: 'nack', serial: action.message.serial });
      }
    }
    return this.all.slice(before);
  }

  ack({ serial, about }: { serial: number; about: Life }, from: string = about.node): void {
    this.hear(from, { kind: 'ack', serial, about, aboutRefutations: 0 });
  }
}

function sentIn(actions: readonly SwimAction[]): readonly Sent[] {
  return actions.filter((action) => action.kind === 'send');
}

/** `ping a`, `ask b about a by link`, ... */
function said(actions: readonly SwimAction[]): readonly string[] {
  return actions.map((action) => {
    if (action.kind === 'seen') return `seen ${action.about.node}`;
    if (action.kind !== 'send') return `${action.kind} ${action.about.node}`;
    const { message, to, by } = action;
    const about =
      'about' in message && message.about.node !== to.node ? ` about ${message.about.node}` : '';
    return `${message.kind} ${to.node}${about}${by === 'link' ? ' by link' : ''}`;
  });
}

const judgements = (actions: readonly SwimAction[]): readonly string[] =>
  said(actions.filter(({ kind }) => kind !== 'send' && kind !== 'seen'));

describe('a probe', () => {
  it('is one ping a period to one node, as long as all answer', () => {
    const tested = new Tested();
    const actions = tested.liveOn(20 * periodMs);
    expect(judgements(actions)).toEqual([]);
    const pinged = sentIn(actions).map(({ to }) => to.node);
    expect(said(sentIn(actions)).every((line) => line.startsWith('ping'))).toBe(true);
    expect(pinged).toHaveLength(20);
    for (const node of others) expect(pinged.filter((each) => each === node)).toHaveLength(4);
  });

  it('that is not answered in time goes by others, and over the link', () => {
    const tested = new Tested();
    const { message } = tested.nextPing();
    const { node } = message.about;
    expect(said(tested.pass(answerMs - 1))).toEqual([]);
    const asked = said(tested.pass(1));
    expect(asked.filter((line) => line.endsWith(`about ${node}`))).toHaveLength(settings.helpers);
    expect(asked.at(-1)).toBe(`ping ${node} by link`);
    expect(new Set(asked).size).toBe(settings.helpers + 1);
  });

  it.each([
    ['itself', 'datagram'],
    ['itself', 'link'],
    ['another', 'datagram'],
  ] as const)('is answered by %s, by %s', (who, by) => {
    const tested = new Tested();
    const { message } = tested.nextPing();
    const { about, serial } = message;
    tested.pass(answerMs + 50);
    const from = who === 'itself' ? about.node : (others.find((node) => node !== about.node) ?? '');
    tested.hear(from, { kind: 'ack', serial, about, aboutRefutations: 0 }, { by });
    expect(judgements(tested.pass(periodMs / 2))).toEqual([]);
  });

  it('without any answer makes a suspicion, of which others hear, who pass it on', () => {
    const tested = new Tested();
    const { message } = tested.nextPing();
    const { node } = message.about;
    const actions = tested.liveOn(3 * periodMs, [node]);
    expect(judgements(actions)).toEqual([`suspect ${node}`]);
    const told = new Set(
      sentIn(actions)
        .filter((each) => each.message.rumours.some(({ about }) => about.node === node))
        .map(({ to }) => to.node),
    );
    expect(told.size).toBeGreaterThanOrEqual(3);
  });

  it('of a suspect tells it what it is suspected of, however often others were told', () => {
    const tested = new Tested();
    const { message } = tested.nextPing();
    const { node } = message.about;
    const actions = tested.liveOn(20 * periodMs, [node]);
    const pings = sentIn(actions).filter(
      (each) => each.to.node === node && each.message.kind === 'ping',
    );
    const buddies = pings.filter(
      ({
        message: {
          rumours: [first],
        },
      }) => first?.kind === 'suspect',
    );
    expect(buddies.length).toBeGreaterThan(3);
    expect(
      buddies.every(
        ({
          message: {
            rumours: [first],
          },
        }) => first?.about.node === node,
      ),
    ).toBe(true);
  });

  it('is not answered by a late word about an earlier one', () => {
    const tested = new Tested(['a', 'b']);
    const { message } = tested.nextPing();
    tested.pass(periodMs * 2);
    tested.ack(message);
    expect(judgements(tested.all)).toEqual([`suspect ${message.about.node}`]);
  });

  it('can be asked for: it is the next, and now unless another waits for its answer', () => {
    const tested = new Tested();
    expect(said(tested.state.look('c', 0))).toEqual(['ping c']);
    expect(said(tested.state.look('d', 0))).toEqual([]);
    tested.liveOn(3 * periodMs, []);
    expect(said(tested.all).filter((line) => line === 'ping d').length).toBeGreaterThan(0);
  });
});

describe('a suspect', () => {
  function suspected(nodes = others): { tested: Tested; node: string } {
    const tested = new Tested(nodes);
    const { message } = tested.nextPing();
    const { node } = message.about;
    tested.liveOn(periodMs + 10, [node]);
    expect(judgements(tested.all)).toEqual([`suspect ${node}`]);
    return { tested, node };
  }

  it('is trusted again when anything of it says that it has refuted', () => {
    const { tested, node } = suspected();
    tested.hear(node, { kind: 'news' }, { refutations: 1 });
    expect(judgements(tested.all)).toEqual([`suspect ${node}`, `trust ${node}`]);
  });

  it('is trusted again by what others have heard', () => {
    const { tested, node } = suspected();
    const other = others.find((each) => each !== node) ?? '';
    const alive: Rumour = { kind: 'alive', about: life(node), refutations: 1 };
    tested.hear(other, { kind: 'news' }, { rumours: [alive] });
    expect(judgements(tested.all).at(-1)).toBe(`trust ${node}`);
  });

  it('is dead after the shortest time when enough others accuse it, and later when they do not', () => {
    const { tested, node } = suspected();
    for (const by of ['x', 'y']) {
      const accusation: Rumour = { kind: 'suspect', about: life(node), refutations: 0, by };
      tested.hear(
        others.find((each) => each !== node) ?? '',
        { kind: 'news' },
        { rumours: [accusation] },
      );
    }
    tested.liveOn(suspicionMs - 20, [node]);
    expect(judgements(tested.all).at(-1)).toBe(`suspect ${node}`);
    tested.liveOn(40, [node]);
    expect(judgements(tested.all).at(-1)).toBe(`dead ${node}`);
    const lonely = suspected();
    lonely.tested.liveOn(2 * suspicionMs, [lonely.node]);
    expect(judgements(lonely.tested.all).at(-1)).toBe(`suspect ${lonely.node}`);
  });

  it('that is dead is probed no more, and what it says counts for nothing', () => {
    const { tested, node } = suspected(['a']);
    tested.pass(2 * suspicionMs);
    expect(judgements(tested.all).at(-1)).toBe(`dead ${node}`);
    expect(said(tested.hear(node, { kind: 'ping', serial: 1, about: life('self') }))).toEqual([]);
    expect(said(tested.pass(5 * periodMs))).toEqual([]);
  });
});

describe('a node that is asked', () => {
  it('answers, the way the question came, and says how often it has refuted', () => {
    const tested = new Tested();
    const accusation: Rumour = { kind: 'suspect', about: life('self'), refutations: 4, by: 'b' };
    for (const by of ['datagram', 'link'] as const) {
      const ping = { kind: 'ping', serial: 7, about: life('self') } as const;
      const [answer] = sentIn(tested.hear('a', ping, { by, rumours: [accusation] }));
      const ack = {
        kind: 'ack',
        serial: 7,
        about: life('self'),
        aboutRefutations: 5,
        refutations: 5,
      };
      expect(answer).toMatchObject({ to: life('a'), by, message: ack });
    }
  });

  it.each([
    ['in an earlier life', 'a', life('self', 0)],
    ['as somebody else', 'a', life('z')],
    ['by a stranger', 'stranger', life('self')],
  ])('does not answer %s', (_, from, about) => {
    expect(said(new Tested().hear(from, { kind: 'ping', serial: 1, about }))).toEqual([]);
  });

  it('pings for another, passes the answer on, and says before that there is none yet', () => {
    const tested = new Tested();
    const [ping] = sentIn(tested.hear('a', { kind: 'ask', serial: 9, about: life('b') }));
    if (ping?.message.kind !== 'ping') throw new Error('b is not pinged');
    expect(said([ping])).toEqual(['ping b']);
    expect(said(tested.pass(answerMs)).filter((line) => line.startsWith('nack'))).toEqual([
      'nack a',
    ]);
    const { serial } = ping.message;
    const ack = { kind: 'ack', serial, about: life('b'), aboutRefutations: 2 } as const;
    const passed = sentIn(tested.hear('b', ack)).find(({ to }) => to.node === 'a');
    expect(passed?.message).toMatchObject({ ...ack, serial: 9 });
    expect(said(tested.hear('b', ack)).filter((line) => line.includes('about'))).toEqual([]);
  });

  it('declines what it cannot find out, and answers for itself', () => {
    const tested = new Tested();
    const ask = (about: Life): readonly string[] =>
      said(tested.hear('a', { kind: 'ask', serial: 1, about }));
    expect(ask(life('stranger'))).toEqual(['nack a']);
    expect(ask(life('b', 2))).toEqual(['nack a']);
    expect(ask(life('self'))).toEqual(['ack a about self']);
  });

  it('runs a bounded number of errands at a time', () => {
    const tested = new Tested();
    const ask = { kind: 'ask', serial: 1, about: life('b') } as const;
    const answers = Array.from({ length: 300 }, () => said(tested.hear('a', ask))).flat();
    expect(answers.filter((line) => line === 'ping b')).toHaveLength(256);
    expect(answers.filter((line) => line === 'nack a')).toHaveLength(44);
    tested.liveOn(2 * periodMs);
    expect(said(tested.hear('a', ask))).toContain('ping b');
  });
});

describe('a node that doubts itself', () => {
  it('takes more time when others it asked for help say nothing either, and less when all is well', () => {
    const tested = new Tested();
    tested.nextPing();
    tested.pass(4 * periodMs);
    expect(tested.state.health).toBeGreaterThanOrEqual(settings.helpers);
    const before = tested.all.length;
    tested.pass(periodMs);
    expect(
      sentIn(tested.all.slice(before)).filter(({ message }) => message.kind === 'ping').length,
    ).toBeLessThan(2);
    tested.liveOn(60 * periodMs);
    expect(tested.state.health).toBe(0);
  });

  it('does not, when others say that they are well and the probed is not', () => {
    const tested = new Tested();
    const { message } = tested.nextPing();
    tested.liveOn(3 * periodMs, [message.about.node]);
    expect(judgements(tested.all)).toContain(`suspect ${message.about.node}`);
    expect(tested.state.health).toBe(0);
  });

  it('never doubts itself more than it may', () => {
    const tested = new Tested();
    tested.pass(200 * periodMs);
    expect(tested.state.health).toBeLessThanOrEqual(healthMax);
  });

  it('does when it is suspected', () => {
    const tested = new Tested();
    const accusation: Rumour = { kind: 'suspect', about: life('self'), refutations: 0, by: 'b' };
    tested.hear('a', { kind: 'news' }, { rumours: [accusation] });
    expect(tested.state.health).toBe(1);
  });

  it('holds what it slept through against nobody', () => {
    const tested = new Tested();
    const { message } = tested.nextPing();
    tested.nowMs += 60_000;
    tested.all.push(...tested.state.pass(tested.nowMs));
    expect(judgements(tested.all)).toEqual([]);
    expect(tested.state.health).toBe(1);
    tested.ack(message);
    expect(judgements(tested.liveOn(5 * periodMs))).toEqual([]);
  });

  it('gives a suspect the time that it slept itself', () => {
    const tested = new Tested(['a']);
    tested.nextPing();
    tested.pass(periodMs + 1);
    expect(judgements(tested.all)).toEqual(['suspect a']);
    tested.nowMs += 60_000;
    tested.all.push(...tested.state.pass(tested.nowMs));
    expect(judgements(tested.pass(suspicionMs))).toEqual([]);
    expect(judgements(tested.pass(suspicionMs))).toEqual(['dead a']);
  });

  it('accuses nobody and ends no suspicion while its event loop stands still, and says so', () => {
    const tested = new Tested(['a']);
    tested.nextPing();
    tested.pass(periodMs + 1);
    expect(judgements(tested.all)).toEqual(['suspect a']);
    tested.state.stalled(true, tested.nowMs);
    expect(judgements(tested.pass(60_000))).toEqual([]);
    const ping = { kind: 'ping', serial: 1, about: life('self') } as const;
    expect(sentIn(tested.hear('a', ping))[0]?.message.isStalled).toBe(true);
    tested.state.stalled(false, tested.nowMs);
    expect(sentIn(tested.hear('a', ping))[0]?.message.isStalled).toBe(false);
    expect(judgements(tested.pass(suspicionMs))).toEqual([]);
    expect(judgements(tested.pass(suspicionMs))).toEqual(['dead a']);
    const stalled = new Tested();
    stalled.state.stalled(true, 0);
    expect(judgements(stalled.pass(60_000))).toEqual([]);
  });

  it('gives up everybody when it hears nobody at all, and keeps that to itself', () => {
    const tested = new Tested();
    const actions = tested.pass(5 * suspicionMs);
    expect(
      judgements(actions)
        .filter((line) => line.startsWith('dead'))
        .toSorted(),
    ).toEqual(others.map((node) => `dead ${node}`));
    const rumours = sentIn(actions).flatMap(({ message }) => message.rumours);
    expect(rumours.some(({ kind }) => kind === 'suspect')).toBe(true);
    expect(said(tested.pass(2_000))).toEqual([]);
  });

  it('does not, when a single word comes in', () => {
    const tested = new Tested();
    for (let at = 0; at < 5 * suspicionMs; at += periodMs) {
      tested.pass(periodMs);
      tested.hear('e', { kind: 'news' });
    }
    expect(judgements(tested.all)).not.toContain('dead e');
  });
});

describe('where datagrams do not pass', () => {
  /** Lets a node answer over its link only. */
  function overLinks(tested: Tested, forMs: number): readonly SwimAction[] {
    const before = tested.all.length;
    for (let at = before, endMs = tested.nowMs + forMs; tested.nowMs < endMs; tested.pass(5)) {
      for (; at < tested.all.length; at++) {
        const action = tested.all[at];
        if (action?.kind !== 'send' || action.by === 'datagram' || action.message.kind !== 'ping')
          continue;
        const { serial, about } = action.message;
        tested.hear(
          about.node,
          { kind: 'ack', serial, about, aboutRefutations: 0 },
          { by: 'link' },
        );
      }
    }
    return tested.all.slice(before);
  }

  it('links carry the probes: nobody is suspected, and it is seen', () => {
    const tested = new Tested();
    const actions = overLinks(tested, 60 * periodMs);
    expect(judgements(actions)).toEqual([]);
    const detoured = actions.filter((each) => each.kind === 'seen' && each.sighting.isDetoured);
    expect(new Set(detoured.map((each) => (each.kind === 'seen' ? each.about.node : '')))).toEqual(
      new Set(others),
    );
  });

  it('all else goes over links, too, and pings by both ways to see when that ends', () => {
    const tested = new Tested(['a', 'b']);
    overLinks(tested, 60 * periodMs);
    const asked = said(tested.hear('a', { kind: 'ask', serial: 1, about: life('b') }));
    expect(asked).toEqual(['ping b', 'ping b by link']);
    expect(said(tested.hear('a', { kind: 'ask', serial: 1, about: life('z') }))).toEqual([
      'nack a by link',
    ]);
    tested.liveOn(20 * periodMs);
    expect(said(tested.hear('a', { kind: 'ask', serial: 1, about: life('z') }))).toEqual([
      'nack a',
    ]);
  });
});

describe('what is seen of others', () => {
  it('is how long an answer takes, and whether their event loops come round', () => {
    const tested = new Tested();
    const { message } = tested.nextPing();
    tested.pass(30);
    const { about, serial } = message;
    const ack = { kind: 'ack', serial, about, aboutRefutations: 0 } as const;
    const actions = tested.hear(about.node, ack, { isStalled: true });
    const sightings = actions.flatMap((each) => (each.kind === 'seen' ? [each.sighting] : []));
    expect(sightings.at(-1)).toEqual({
      rttMs: expect.closeTo(30, 0),
      isStalled: true,
      isDetoured: false,
    });
  });

  it('is forgotten with the life', () => {
    const tested = new Tested();
    tested.hear('a', { kind: 'news' }, { isStalled: true });
    tested.state.watch(life('a', 2), tested.nowMs);
    const news = { kind: 'news', refutations: 0, isStalled: true, rumours: [] } as const;
    const arrival = { from: life('a', 2), by: 'datagram', nowMs: tested.nowMs } as const;
    expect(said(tested.state.receive(news, arrival))).toEqual(['seen a']);
  });
});
