import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/manual-clock.ts';
import type { Link } from './transport.ts';
import { WatchedLinks } from './watched-links.ts';

/** A link of which a test says what comes in and what waits. */
class TestLink implements Link {
  readonly peer;
  readonly peerAddress = 'x:1';
  receivedBytes = 0;
  queuedBytes = 0;

  constructor(node: string, incarnation = 1) {
    this.peer = { cluster: 'test', node, incarnation, meta: {} };
  }

  send(): boolean {
    return true;
  }

  close(): void {}
}

class Tested {
  readonly clock = new ManualClock();
  readonly told: string[] = [];
  readonly suspects = new Set<string>();
  readonly excused = new Set<string>();
  readonly table: WatchedLinks;
  readonly links = new Map<string, TestLink>();

  constructor(...nodes: readonly string[]) {
    this.table = new WatchedLinks(this.clock, {
      ping: ({ peer }) => this.told.push(`ping ${peer.node}`),
      onQuiet: (node) => this.told.push(`quiet ${node}`),
      onSilent: (node) => this.told.push(`silent ${node}`),
      isSuspect: (node) => this.suspects.has(node),
      isExcused: (node) => this.excused.has(node),
    });
    for (const node of nodes) this.link(node);
  }

  link(node: string): TestLink {
    const link = new TestLink(node);
    this.links.set(node, link);
    this.table.set(link);
    return link;
  }

  /** What is told while time passes; those that answer do so at once. */
  pass(byMs: number, answering: readonly string[] = []): readonly string[] {
    const before = this.told.length;
    for (let passedMs = 0; passedMs < byMs; passedMs += 100) {
      this.clock.jump(100);
      for (const node of answering) {
        const link = this.links.get(node);
        if (link !== undefined) link.receivedBytes += 1;
      }
    }
    return this.told.slice(before);
  }

  /** Milliseconds until a node is told to be silent, at most 20 s. */
  silentAfterMs(node: string): number {
    const from = this.clock.now();
    while (!this.told.includes(`silent ${node}`) && this.clock.now() - from < 20_000) {
      this.clock.jump(100);
    }
    return this.clock.now() - from;
  }
}

describe('links that are not in use', () => {
  it('are pinged one a second, each in turn', () => {
    const tested = new Tested('a', 'b', 'c');
    const told = tested.pass(6_000, ['a', 'b', 'c']);
    expect(told).toHaveLength(6);
    expect(told.slice(0, 3).toSorted()).toEqual(['ping a', 'ping b', 'ping c']);
    expect(told.slice(3).toSorted()).toEqual(['ping a', 'ping b', 'ping c']);
  });
});

describe('a link in use', () => {
  it('is pinged when nothing comes back, then the detector is asked, then it is silent', () => {
    const tested = new Tested('a');
    tested.pass(100, ['a']);
    tested.table.use('a', 1);
    const told = tested.pass(7_000);
    expect(told.filter((line) => line === 'ping a')).toHaveLength(1);
    expect(told.indexOf('quiet a')).toBeGreaterThan(told.indexOf('ping a'));
    expect(told.indexOf('silent a')).toBeGreaterThan(told.indexOf('quiet a'));
  });

  it('is silent sooner when its node is suspect, or was since it was heard last', () => {
    const patient = new Tested('a');
    patient.table.use('a', 1);
    const longMs = patient.silentAfterMs('a');
    const suspect = new Tested('a');
    suspect.table.use('a', 1);
    suspect.suspects.add('a');
    expect(suspect.silentAfterMs('a')).toBeLessThan(longMs / 2);
    const cleared = new Tested('a');
    cleared.table.use('a', 1);
    cleared.suspects.add('a');
    cleared.pass(1_000);
    cleared.suspects.clear();
    expect(1_000 + cleared.silentAfterMs('a')).toBeLessThan(longMs / 2);
  });

  it.each([
    ['a byte comes in, of whatever', (link: TestLink) => (link.receivedBytes += 1)],
    ['something gets away', (link: TestLink) => (link.queuedBytes -= 1)],
  ])('lives as long as %s', (_, move) => {
    const tested = new Tested('a');
    const link = tested.links.get('a') ?? new TestLink('a');
    link.queuedBytes = 1_000;
    for (let time = 0; time < 30; time++) {
      tested.table.use('a', 1);
      tested.pass(900);
      move(link);
    }
    expect(tested.told).not.toContain('silent a');
  });

  it('is excused while the event loop of its node stands still, and has its time afterwards', () => {
    const tested = new Tested('a');
    tested.table.use('a', 1);
    tested.excused.add('a');
    tested.pass(30_000);
    expect(tested.told).not.toContain('silent a');
    tested.excused.clear();
    tested.table.use('a', 1);
    tested.pass(2_000);
    expect(tested.told).not.toContain('silent a');
    tested.pass(6_000);
    expect(tested.told).toContain('silent a');
  });

  it('is not held to what this node slept through', () => {
    const tested = new Tested('a');
    tested.table.use('a', 1);
    tested.pass(600);
    tested.clock.stall(60_000);
    tested.pass(1_000);
    expect(tested.told).not.toContain('silent a');
  });

  it('belongs to one life of its node, and to the newest connection', () => {
    const tested = new Tested('a');
    const [first] = tested.table.all();
    expect(tested.table.use('a', 2)).toBeUndefined();
    expect(tested.table.use('a', 1)).toBe(first);
    const second = tested.link('a');
    expect(first === undefined || tested.table.remove(first)).toBe(false);
    expect(tested.table.get('a')).toBe(second);
    expect(tested.table.remove(second)).toBe(true);
    expect(tested.table.get('a')).toBeUndefined();
  });
});
