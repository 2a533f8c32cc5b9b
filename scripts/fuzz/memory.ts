import { Codec } from '../../packages/foundation/src/internal.ts';
import type { Goal } from '../goals/goal-program.ts';
import { leastMs, readMsMax } from './reading.ts';

/** As many values as a message may have. */
const itemsMax = 65_535;
/** Memory of a decoded frame, in bytes, for each of its own; a smaller frame may take as much as one of 1 MiB. */
const limit = { times: 16, frameBytes: 2 ** 20 };

/** A list of one value, again and again, as often as may be. The value is in hexadecimal, and so many items. */
function listOf(itemsEach: number, hex: string): Buffer {
  const count = Math.floor(itemsMax / itemsEach);
  const header = Buffer.from([0xdd, 0, 0, 0, 0]);
  header.writeUInt32BE(count, 1);
  return Buffer.concat([header, Buffer.from(hex.repeat(count), 'hex')]);
}

function encoded(value: unknown): Buffer {
  return Buffer.from(new Codec().encode(value));
}

/** Frames that are small and make much. */
const hungryFrames: Readonly<Record<string, Buffer>> = {
  'empty maps': listOf(1, '80'),
  'empty lists': listOf(1, '90'),
  'maps of one key': listOf(2, '81a16101'),
  'different keys': encoded(
    Object.fromEntries(Array.from({ length: 8_000 }, (_, index) => [`k${index}`, 1])),
  ),
  'empty texts': listOf(1, 'a0'),
  'texts of one letter': listOf(1, 'a161'),
  'empty bytes': listOf(1, 'c400'),
  fractions: listOf(1, 'ca3f800000'),
  dates: listOf(4, '93c10300'),
  'empty Maps': listOf(3, '92c104'),
  'empty Sets': listOf(3, '92c105'),
  bigints: listOf(4, '93c102a131'),
  pids: listOf(6, '95c107a1610101'),
  errors: listOf(5, '94c10aa161a0'),
  'errors of ours': listOf(9, '98c10ba161a161d4000080c3c0'),
  refusals: listOf(5, '94c109a161c0'),
  '64 levels': Buffer.concat([Buffer.alloc(64, 0x91), Buffer.of(1)]),
  'one long text': encoded('a'.repeat(2 ** 20)),
  'bytes of 1 MiB': encoded(new Uint8Array(2 ** 20)),
};

/** How much memory and time the frames take that are made to take the most. Needs `--expose-gc`. */
export const memory: Goal = async ({ report, seed, progress }) => {
  const codec = new Codec();
  let [times, slowestMs] = [0, 0];
  for (const [what, frame] of Object.entries(hungryFrames)) {
    // What is made once, such as code and caches, is no part of it.
    codec.decode(frame);
    const bytes = bytesOf(codec, frame);
    const ms = leastMs(() => codec.decode(frame));
    progress(`${what}: ${frame.length} bytes become ${bytes}, in ${ms.toFixed(1)} ms`);
    times = Math.max(times, bytes / Math.max(frame.length, limit.frameBytes));
    slowestMs = Math.max(slowestMs, ms);
  }
  report.tell({
    goal: 'G10 memory of a decoded frame, times its bytes, or 1 MiB where it is smaller',
    value: Number(times.toFixed(1)),
    limit: `<= ${limit.times}`,
    ok: times > 0 && times <= limit.times && globalThis.gc !== undefined,
    seed,
  });
  report.tell({
    goal: 'G10 slowest frame that is made to be slow',
    value: Number(slowestMs.toFixed(1)),
    limit: `<= ${readMsMax} ms`,
    ok: slowestMs <= readMsMax,
    seed,
  });
};

function bytesOf(codec: Codec, frame: Buffer): number {
  globalThis.gc?.();
  const before = bytesInUse();
  const kept = [codec.decode(frame)];
  globalThis.gc?.();
  const after = bytesInUse();
  // It has lived until here.
  return kept.length === 1 ? after - before : 0;
}

function bytesInUse(): number {
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
