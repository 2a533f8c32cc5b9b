import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { encodeFrame, FrameReader } from './frame.ts';

interface Frame {
  readonly kind: number;
  readonly payload: string;
}

function reading(reader: FrameReader): { frames: Frame[]; push: (chunk: Buffer) => void } {
  const frames: Frame[] = [];
  return {
    frames,
    push: (chunk) =>
      reader.push(chunk, (kind, payload) => {
        frames.push({ kind, payload: payload.toString('latin1') });
      }),
  };
}

describe('FrameReader', () => {
  it('gives back every frame, however the stream is cut into chunks', () => {
    const frame = fc.record({ kind: fc.nat(255), payload: fc.string({ maxLength: 40 }) });
    const chunkSizes = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 });
    fc.assert(
      fc.property(fc.array(frame), chunkSizes, (sent, sizes) => {
        const stream = Buffer.concat(
          sent.map(({ kind, payload }) => encodeFrame(kind, Buffer.from(payload, 'latin1'))),
        );
        const { frames, push } = reading(new FrameReader());
        for (let at = 0, turn = 0; at < stream.length; turn++) {
          const size = sizes[turn % sizes.length] ?? 1;
          push(Buffer.from(stream.subarray(at, at + size)));
          at += size;
        }
        expect(frames).toStrictEqual(
          sent.map(({ kind, payload }) => ({
            kind,
            payload: Buffer.from(payload, 'latin1').toString('latin1'),
          })),
        );
      }),
    );
  });

  it('refuses a frame past the limit from its header alone', () => {
    const header = Buffer.from([0, 0, 4, 1, 7]);
    const whole = reading(new FrameReader(1_024));
    expect(() => whole.push(header)).toThrow(expect.objectContaining({ code: 'FRAME_TOO_LARGE' }));
    const dripped = reading(new FrameReader(1_024));
    dripped.push(header.subarray(0, 2));
    expect(() => dripped.push(header.subarray(2))).toThrow(
      expect.objectContaining({
        code: 'FRAME_TOO_LARGE',
        details: { bytes: 1_025, frameBytesMax: 1_024 },
      }),
    );
  });

  it('delivers what came before an oversized frame', () => {
    const { frames, push } = reading(new FrameReader(4));
    const stream = Buffer.concat([
      encodeFrame(1, Buffer.from('ok')),
      encodeFrame(1, Buffer.alloc(5)),
    ]);
    expect(() => push(stream)).toThrow('5 bytes');
    expect(frames).toStrictEqual([{ kind: 1, payload: 'ok' }]);
  });

  it('takes memory for what arrived, not for what a header claims', () => {
    const reader = new FrameReader();
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 64 }, () => new FrameReader());
    for (const each of [reader, ...readers]) {
      each.push(Buffer.from([0, 255, 0, 0, 1, 1]), () => {});
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(4 * 2 ** 20);
  });

  it('reassembles a large frame in time that grows with its size, not with its square', () => {
    const frame = encodeFrame(2, Buffer.alloc(8 * 2 ** 20, 7));
    let received = 0;
    const reader = new FrameReader();
    for (let at = 0; at < frame.length; at += 1_000) {
      reader.push(frame.subarray(at, at + 1_000), (_, payload) => {
        received = payload.length;
      });
    }
    expect(received).toBe(8 * 2 ** 20);
  });
});
