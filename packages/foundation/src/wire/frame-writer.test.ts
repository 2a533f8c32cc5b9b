import { describe, expect, it } from 'vitest';

import { FrameWriter, lanes } from './frame-writer.ts';
import { FrameReader } from './frame.ts';

/** A socket that can be full, and a turn of the event loop that ends when told. */
function setUp(options: { queuedBytesMax?: number; frameBytesMax?: number } = {}) {
  const written: Uint8Array[] = [];
  const turns: (() => void)[] = [];
  const socket = { takes: true };
  const writer = new FrameWriter({
    ...options,
    schedule: (flush) => turns.push(flush),
    write: (bytes) => {
      written.push(bytes);
      return socket.takes;
    },
  });
  const send = (lane: 'control' | 'normal' | 'bulk', text: string): boolean =>
    writer.send(lane, Buffer.from(text));
  const endTurn = (): void => {
    for (const flush of turns.splice(0)) flush();
  };
  const frames = (): string[] => {
    const seen: string[] = [];
    new FrameReader().push(Buffer.concat(written), (kind, payload) => {
      seen.push(`${lanes[kind] ?? kind}:${payload.toString()}`);
    });
    return seen;
  };
  return { writer, written, socket, send, endTurn, frames };
}

describe('FrameWriter', () => {
  it('writes all frames of a turn at once', () => {
    const { written, send, endTurn, frames } = setUp();
    for (let index = 0; index < 100; index++) send('normal', `${index}`);
    expect(written).toHaveLength(0);
    endTurn();
    expect(written).toHaveLength(1);
    expect(frames()).toStrictEqual(Array.from({ length: 100 }, (_, index) => `normal:${index}`));
  });

  it('lets control overtake normal, and normal overtake bulk, in order within a lane', () => {
    const { send, endTurn, frames } = setUp();
    for (const text of ['b1', 'b2']) send('bulk', text);
    for (const text of ['n1', 'n2']) send('normal', text);
    send('control', 'c1');
    endTurn();
    expect(frames()).toStrictEqual(['control:c1', 'normal:n1', 'normal:n2', 'bulk:b1', 'bulk:b2']);
  });

  it('stops when the socket is full, and lets control overtake what still waits', () => {
    const { writer, socket, send, endTurn, written, frames } = setUp();
    socket.takes = false;
    send('normal', 'first');
    endTurn();
    send('normal', 'second');
    endTurn();
    send('control', 'urgent');
    endTurn();
    expect(written).toHaveLength(1);
    expect(writer.queuedBytes).toBe(2 * 5 + 'secondurgent'.length);
    socket.takes = true;
    writer.resume();
    expect(frames()).toStrictEqual(['normal:first', 'control:urgent', 'normal:second']);
    expect(writer.queuedBytes).toBe(0);
  });

  it('refuses frames past the bound of a lane, keeping room for control', () => {
    const { writer, socket, send, endTurn } = setUp({ queuedBytesMax: 1_000 });
    socket.takes = false;
    send('bulk', 'x');
    endTurn();
    let taken = 0;
    while (send('normal', 'x'.repeat(95))) taken++;
    expect(taken).toBe(10);
    expect(send('control', 'x'.repeat(200))).toBe(true);
    expect(send('control', 'x'.repeat(200))).toBe(false);
    expect(writer.queuedBytes).toBe(1_205);
    socket.takes = true;
    writer.resume();
    expect(send('normal', 'x')).toBe(true);
  });

  it('takes any frame when nothing waits, and none past the frame limit', () => {
    const { send } = setUp({ queuedBytesMax: 100, frameBytesMax: 1_000 });
    expect(send('normal', 'x'.repeat(1_000))).toBe(true);
    expect(send('normal', 'x')).toBe(false);
    expect(() => send('bulk', 'x'.repeat(1_001))).toThrow(
      expect.objectContaining({ code: 'FRAME_TOO_LARGE' }),
    );
  });

  it('copies a frame when it is sent, and never touches what it has written', () => {
    const { writer, endTurn, frames } = setUp();
    const reused = Buffer.from('aaaa');
    for (const letter of ['a', 'b', 'c']) {
      writer.send('normal', reused.fill(letter));
      endTurn();
    }
    const large = Buffer.alloc(40_000, 'd');
    for (let index = 0; index < 5; index++) writer.send('normal', large);
    endTurn();
    expect(frames()).toStrictEqual([
      'normal:aaaa',
      'normal:bbbb',
      'normal:cccc',
      ...Array.from({ length: 5 }, () => `normal:${large.toString()}`),
    ]);
  });

  it('puts a last frame behind everything', () => {
    const { writer, send, frames } = setUp();
    send('bulk', 'b');
    send('normal', 'n');
    writer.finish(9, Buffer.from('bye'));
    expect(frames()).toStrictEqual(['normal:n', 'bulk:b', '9:bye']);
  });
});
