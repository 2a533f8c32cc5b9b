import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/manual-clock.ts';
import { NatsSession } from './nats-session.ts';
import { agree, newKeyShare } from './session-keys.ts';

const lateMs = 5_000;

/** One end of a session, what it sent that has not arrived, and what it has received. */
interface TestEnd {
  readonly session: NatsSession;
  readonly outbox: Buffer[];
  readonly received: Buffer[];
  forged: number;
}

function keyPair() {
  const [dialler, answerer] = [newKeyShare(), newKeyShare()];
  const both = { proofKey: Buffer.alloc(32, 1), transcript: Buffer.from('said') };
  return [
    agree({ ...both, share: dialler, peerKey: answerer.publicKey, isDialler: true }),
    agree({ ...both, share: answerer, peerKey: dialler.publicKey, isDialler: false }),
  ] as const;
}

function pairOf(clock: ManualClock, messageBytesMax = 100): readonly [TestEnd, TestEnd] {
  const ends = keyPair().map((keys): TestEnd => {
    const [outbox, received]: [Buffer[], Buffer[]] = [[], []];
    const publish = (message: Uint8Array): void => void outbox.push(Buffer.from(message));
    const onForged = (): void => void end.forged++;
    const host = { clock, lateMs, messageBytesMax, publish, onForged, onEnd: () => {} };
    const session = new NatsSession('peer', keys, host);
    session.on('data', (bytes: Buffer) => received.push(bytes));
    const end = { session, outbox, received, forged: 0 };
    return end;
  });
  const [one, other] = ends;
  if (one === undefined || other === undefined) throw new Error('two keys make two ends');
  return [one, other];
}

function deliver(from: TestEnd, to: TestEnd): void {
  for (const message of from.outbox.splice(0)) to.session.receive(message);
}

const bytesOf = (end: TestEnd): string => Buffer.concat(end.received).toString();

describe('NatsSession', () => {
  it('carries bytes both ways, in messages of a bounded size', () => {
    const [a, b] = pairOf(new ManualClock(), 10);
    a.session.write('x'.repeat(25));
    b.session.write('back');
    expect(a.outbox).toHaveLength(3);
    deliver(a, b);
    deliver(b, a);
    expect([bytesOf(b), bytesOf(a)]).toEqual(['x'.repeat(25), 'back']);
  });

  it('holds back what a peer is sent that has not been heard since', () => {
    const [a, b] = pairOf(new ManualClock(), 65_536);
    const mebibyte = Buffer.alloc(2 ** 20);
    for (let index = 0; index < 8; index++) a.session.write(mebibyte);
    deliver(a, b);
    expect(Buffer.concat(b.received).length).toBe(4 * mebibyte.length);
    b.session.tick();
    deliver(b, a);
    deliver(a, b);
    expect(Buffer.concat(b.received).length).toBe(8 * mebibyte.length);
  });

  it('tells the other end when it ends, after all that was written', async () => {
    const [a, b] = pairOf(new ManualClock());
    const ended = new Promise((resolve) => b.session.once('end', resolve));
    a.session.write('last');
    a.session.end();
    deliver(a, b);
    await ended;
    expect(bytesOf(b)).toBe('last');
    expect(a.session.destroyed).toBe(true);
  });

  it('breaks where a message is missing, and delivers nothing after it', () => {
    const [a, b] = pairOf(new ManualClock());
    for (const text of ['one', 'two', 'three']) a.session.write(text);
    a.outbox.splice(1, 1);
    deliver(a, b);
    expect(bytesOf(b)).toBe('one');
    expect(b.session.destroyed).toBe(true);
  });

  it.each<readonly [string, (message: Buffer) => Buffer]>([
    ['was changed on its way', (message) => flipped(message, message.length >> 1)],
    ['has another number', (message) => flipped(message, 5)],
    ['was cut short', (message) => message.subarray(0, -1)],
    ['is too short to be one', (message) => message.subarray(0, 3)],
    ['is of somebody without the keys', () => Buffer.alloc(60, 7)],
  ])('takes no message that %s, counts it, and goes on', (_, change) => {
    const [a, b] = pairOf(new ManualClock());
    a.session.write('good');
    const [message = Buffer.alloc(0)] = a.outbox;
    b.session.receive(change(message));
    expect([bytesOf(b), b.forged]).toEqual(['', 1]);
    deliver(a, b);
    expect(bytesOf(b)).toBe('good');
  });

  it('takes no message twice, nor one of another session or of its own', () => {
    const [a, b] = pairOf(new ManualClock());
    const [c] = pairOf(new ManualClock());
    a.session.write('once');
    c.session.write('of another session');
    b.session.write('its own');
    const [once, other, own] = [a, c, b].map(({ outbox }) => outbox[0] ?? Buffer.alloc(0));
    for (const message of [once, once, other, own]) b.session.receive(message ?? Buffer.alloc(0));
    expect([bytesOf(b), b.forged, b.session.destroyed]).toEqual(['once', 3, false]);
  });

  it('takes nothing that was kept back for longer than it may be, and breaks', () => {
    const clock = new ManualClock();
    const [a, b] = pairOf(clock);
    a.session.write('in time');
    deliver(a, b);
    b.session.tick();
    deliver(b, a);
    a.session.write('kept back');
    clock.stall(lateMs + 1);
    deliver(a, b);
    expect([bytesOf(b), b.session.destroyed]).toEqual(['in time', true]);
  });

  it('lives on pings, and gives up a peer from which nothing comes', () => {
    const clock = new ManualClock();
    const [a, b] = pairOf(clock);
    const second = (isHeard: boolean): void => {
      clock.stall(1_000);
      for (const end of [a, b]) end.session.tick();
      if (isHeard) deliver(a, b);
      if (isHeard) deliver(b, a);
    };
    for (let seconds = 0; seconds < 60; seconds++) second(true);
    expect([a.session.destroyed, b.session.destroyed]).toEqual([false, false]);
    for (let seconds = 0; seconds < 7; seconds++) second(false);
    expect([a.session.destroyed, b.session.destroyed]).toEqual([true, true]);
  });

  it('delivers a beginning of what was sent and nothing else, whatever happens on the way', () => {
    const event = fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom('send', 'deliver') },
      fc.constantFrom('back', 'drop', 'double', 'swap', 'wait', 'forge'),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        const clock = new ManualClock();
        const [a, b] = pairOf(clock);
        let sent = '';
        let isFaithful = true;
        for (const [index, what] of events.entries()) {
          const [first = Buffer.alloc(0), second] = a.outbox;
          if (what === 'send' && !a.session.destroyed) {
            a.session.write(`<${index}>`);
            sent += `<${index}>`;
          }
          if (what === 'deliver') b.session.receive(a.outbox.shift() ?? Buffer.alloc(0));
          if (what === 'back') deliver(b, a);
          if (what === 'double') b.session.receive(first);
          if (what === 'forge') b.session.receive(flipped(first, 9));
          if (what === 'drop') isFaithful &&= a.outbox.shift() === undefined;
          if (what === 'wait') clock.stall(lateMs / 4);
          if (what === 'swap' && second !== undefined) a.outbox.splice(0, 2, second, first);
          isFaithful &&=
            what !== 'wait' && (what !== 'swap' || second === undefined) && what !== 'double';
        }
        deliver(a, b);
        expect(sent.startsWith(bytesOf(b))).toBe(true);
        expect(bytesOf(b) === sent || !isFaithful).toBe(true);
      }),
    );
  });
});

function flipped(message: Buffer, at: number): Buffer {
  const copy = Buffer.from(message);
  if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}
