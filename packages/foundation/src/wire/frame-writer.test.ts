import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeCredit, parseCredit, windowBytes } from './credit.ts';
import { FrameWriter, lanes } from './frame-writer.ts';
import { FrameReader, partFlag } from './frame.ts';
import { PartJoiner } from './part-joiner.ts';

type Lane = 'control' | 'normal' | 'bulk';

/** A socket that can be full, and a turn of the event loop that ends when told. */
function setUp(options: { queuedBytesMax?: number; frameBytesMax?: number } = {}) {
  const written: Uint8Array[] = [];
  const turns: (() => void)[] = [];
  const socket = { takes: true };
  const writer = new FrameWriter({
    ...options,
    schedule: (flush) => turns.push(flush),
    write: ({ bytes, onWritten }) => {
      written.push(Buffer.from(bytes));
      onWritten?.();
      return socket.takes;
    },
  });
  const send = (lane: Lane, text: string, to?: number): boolean =>
    writer.send(lane, Buffer.from(text), to);
  const endTurn = (): void => {
    for (const flush of turns.splice(0)) flush();
  };
  const frames = (): string[] => framesIn(written);
  return { writer, written, socket, send, endTurn, frames };
}

/** `normal:text` of each frame, in the order in which they are complete. */
function framesIn(written: readonly Uint8Array[]): string[] {
  const seen: string[] = [];
  const joiners = lanes.map(() => new PartJoiner(16 * 2 ** 20));
  new FrameReader().push(Buffer.concat(written), (kind, part) => {
    const lane = kind & ~partFlag;
    const tell = (frame: Buffer): void => void seen.push(`${lanes[lane] ?? kind}:${String(frame)}`);
    const joiner = joiners[lane];
    if (joiner === undefined || (lane === kind && joiner.isEmpty)) return tell(part);
    joiner.add(part);
    if (lane === kind) joiner.finish(tell);
  });
  return seen;
}

function bytesIn(written: readonly Uint8Array[]): number {
  return written.reduce((sum, { length }) => sum + length, 0);
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
    writer.finish(20, Buffer.from('bye'));
    expect(frames()).toStrictEqual(['normal:n', 'bulk:b', '20:bye']);
  });
});

describe('FrameWriter to a peer that does not keep up', () => {
  const [normal, bulk] = [windowBytes.normal, windowBytes.bulk];
  const pieceBytes = 65_536;

  it.each([
    ['normal', normal],
    ['bulk', bulk],
  ] as const)(
    'has no more of the %s lane on its way than its window, and goes on with credit',
    (lane, window) => {
      const { writer, written, send, endTurn, frames } = setUp();
      const text = 'x'.repeat(3 * 2 ** 20);
      send(lane, text);
      endTurn();
      expect(bytesIn(written)).toBeGreaterThanOrEqual(window);
      expect(bytesIn(written)).toBeLessThan(window + pieceBytes);
      const before = bytesIn(written);
      writer.grant({ lane, bytes: pieceBytes });
      expect(bytesIn(written)).toBe(before + pieceBytes);
      while (writer.queuedBytes > 0) writer.grant({ lane, bytes: pieceBytes });
      expect(frames()).toStrictEqual([`${lane}:${text}`]);
    },
  );

  it('lets the other lanes pass while one waits for credit', () => {
    const { writer, send, endTurn, frames } = setUp();
    send('bulk', 'b'.repeat(2 ** 20));
    endTurn();
    send('normal', 'n');
    send('control', 'c');
    endTurn();
    expect(frames()).toStrictEqual(['control:c', 'normal:n']);
    expect(writer.queuedBytes).toBeGreaterThan(2 ** 19);
  });

  it('does not let a peer give more credit than the window', () => {
    const { writer, written, send, endTurn } = setUp();
    writer.grant({ lane: 'bulk', bytes: 2 ** 30 });
    send('bulk', 'x'.repeat(2 ** 20));
    endTurn();
    expect(bytesIn(written)).toBeLessThan(bulk + pieceBytes);
  });

  it('says goodbye behind what waits for credit', () => {
    const { writer, send, frames } = setUp();
    send('bulk', 'b'.repeat(bulk + pieceBytes));
    send('normal', 'n');
    writer.finish(20, Buffer.from('bye'));
    expect(frames()).toStrictEqual(['normal:n']);
    writer.grant({ lane: 'bulk', bytes: bulk });
    expect(
      frames()
        .slice(1)
        .map((text) => text.slice(0, 6)),
    ).toStrictEqual(['bulk:b', '20:bye']);
  });

  it('is told what was handled here, before anything else, and not more often than need be', () => {
    const { writer, written, send, endTurn } = setUp();
    for (const bytes of [16_000, 16_000, 16_000]) writer.handled('bulk', bytes);
    send('control', 'c');
    endTurn();
    expect(framesIn(written)).toStrictEqual(['control:c']);
    writer.handled('bulk', 16_000);
    writer.handled('normal', 16_000);
    writer.handled('control', 2 ** 30);
    endTurn();
    const credits: unknown[] = [];
    new FrameReader().push(Buffer.concat(written.slice(1)), (kind, payload) =>
      credits.push([kind, parseCredit(payload)]),
    );
    expect(credits).toStrictEqual([[3, { lane: 'bulk', bytes: 64_000 }]]);
  });

  it('tells credit in numbers that fit, however much a peer has sent without leave', () => {
    const { writer, written, endTurn } = setUp();
    writer.handled('bulk', 2 ** 40);
    endTurn();
    expect(written).toStrictEqual([
      Buffer.concat([Buffer.from([0, 0, 0, 5, 3]), encodeCredit({ lane: 'bulk', bytes: bulk })]),
    ]);
  });

  it('leaves the bulk lane its share while the normal lane never rests', () => {
    const { writer, socket, written, send, endTurn, frames } = setUp();
    socket.takes = false;
    send('bulk', `b${'b'.repeat(100_000)}`);
    for (let turn = 0; turn < 200; turn++) {
      while (send('normal', 'n'.repeat(10_000)));
      endTurn();
      writer.grant({ lane: 'normal', bytes: normal });
      writer.resume();
    }
    expect(frames().some((text) => text.startsWith('bulk:b'))).toBe(true);
    expect(written.length).toBeLessThan(250);
  });
});

describe('FrameWriter with receivers', () => {
  it('sends a small frame behind a large one to the same receiver, and ahead of it to others', () => {
    const { writer, send, endTurn, frames } = setUp();
    send('normal', 'first', 1);
    send('bulk', 'L'.repeat(300_000), 1);
    send('normal', 'same', 1);
    send('normal', 'other', 2);
    send('normal', 'nobody');
    endTurn();
    writer.grant({ lane: 'bulk', bytes: 300_000 });
    const short = frames().map((text) => text.slice(0, 13));
    expect(short).toStrictEqual([
      'normal:first',
      'normal:other',
      'normal:nobody',
      'bulk:LLLLLLLL',
      'bulk:same',
    ]);
    send('normal', 'after', 1);
    endTurn();
    expect(frames().at(-1)).toBe('normal:after');
  });

  it('sends a large frame behind small ones to the same receiver, however many wait', () => {
    const { writer, socket, send, endTurn, frames } = setUp();
    socket.takes = false;
    send('control', 'c');
    endTurn();
    for (let index = 0; index < 100; index++) send('normal', `${index} ${'n'.repeat(10_000)}`, 1);
    send('bulk', 'L'.repeat(100_000), 1);
    for (let index = 100; index < 150; index++) send('normal', `${index} ${'n'.repeat(10_000)}`, 2);
    socket.takes = true;
    writer.resume();
    while (writer.queuedBytes > 0) writer.grant({ lane: 'normal', bytes: windowBytes.normal });
    const order = frames().map((text) => text.slice(0, 9).split(' ')[0]);
    const large = order.indexOf('bulk:LLLL');
    expect(large).toBeGreaterThan(order.indexOf('normal:99'));
    expect(large).toBeLessThan(order.length - 1);
  });

  /** What happens to a writer. */
  const step = fc.oneof(
    {
      weight: 3,
      arbitrary: fc.record({
        kind: fc.constant('send' as const),
        lane: fc.constantFrom<Lane>('normal', 'bulk', 'control'),
        to: fc.integer({ min: 1, max: 3 }),
        bytes: fc.oneof(fc.nat(50), fc.nat(300_000)),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constantFrom(
          'turn' as const,
          'drain' as const,
          'fill' as const,
          'credit' as const,
        ),
      }),
    },
  );

  it('delivers what it took once, in the order of each receiver', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { writer, socket, endTurn, frames } = setUp();
        const sent: Record<string, string[]> = {};
        const giveCredit = (): void => {
          for (const lane of ['normal', 'bulk'] as const) {
            writer.grant({ lane, bytes: windowBytes[lane] });
          }
        };
        const drain = (): void => {
          socket.takes = true;
          writer.resume();
        };
        for (const [index, each] of steps.entries()) {
          if (each.kind === 'turn') endTurn();
          if (each.kind === 'fill') socket.takes = false;
          if (each.kind === 'credit') giveCredit();
          if (each.kind === 'drain') drain();
          if (each.kind !== 'send') continue;
          const order = each.lane === 'control' ? 'control' : `${each.to}`;
          const text = `${order}/${index}/`;
          if (!writer.send(each.lane, Buffer.from(text.padEnd(each.bytes, '.')), each.to)) continue;
          (sent[order] ??= []).push(text);
        }
        endTurn();
        drain();
        while (writer.queuedBytes > 0) giveCredit();
        const arrived: Record<string, string[]> = {};
        for (const frame of frames()) {
          const [, text = '', order = ''] = /:((\w+)\/\d+\/)/.exec(frame) ?? [];
          (arrived[order] ??= []).push(text);
        }
        expect(arrived).toStrictEqual(sent);
      }),
      { numRuns: 100 },
    );
  });
});
