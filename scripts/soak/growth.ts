import type { Heap } from './subject.ts';

/** What a heap holds when nothing is going on. */
export interface Sample extends Heap {
  readonly minutes: number;
}

/** How much something has grown, from the end of the warm-up to the last sample. */
export interface Growth {
  readonly last: number;
  /** By a line through the samples. */
  readonly growth: number;
  /** Of the growth. */
  readonly standardError: number;
  /** What does not count as growth. */
  readonly bound: number;
  readonly isSteady: boolean;
}

export interface HeapVerdict {
  readonly bytes: Growth;
  readonly objects: Growth;
  /** Samples after the warm-up, and the minutes between the first and the last of them. */
  readonly samples: number;
  readonly minutes: number;
  /** Whether there were too few samples to tell growth from chance: the bounds are wider then. */
  readonly isLenient: boolean;
}

const bounds = { bytes: 2 ** 20, objects: 1_500 };
const lenientBounds = { bytes: 8 * 2 ** 20, objects: 15_000 };
/** Samples after the warm-up that a strict judgement needs. */
const samplesMin = 12;
/** Share of the samples that is warm-up. */
const warmUpShare = 1 / 3;

/** Whether a heap has grown: by more than a bound and more than chance, which is two standard errors. */
export function judge(all: readonly Sample[]): HeapVerdict {
  const samples = all.slice(Math.ceil(all.length * warmUpShare));
  const isLenient = samples.length < samplesMin;
  const bound = isLenient ? lenientBounds : bounds;
  const minutes = (samples.at(-1)?.minutes ?? 0) - (samples[0]?.minutes ?? 0);
  const grown = (key: 'bytes' | 'objects'): Growth => {
    const { slope, error } = lineThrough(samples.map((each) => [each.minutes, each[key]]));
    const growth = Math.round(slope * minutes);
    const standardError = Math.round(error * minutes);
    const isSteady = growth - 2 * standardError <= bound[key];
    return { last: all.at(-1)?.[key] ?? 0, growth, standardError, bound: bound[key], isSteady };
  };
  const [bytes, objects] = [grown('bytes'), grown('objects')];
  return { bytes, objects, samples: samples.length, minutes, isLenient };
}

type Point = readonly [x: number, y: number];

/** Source: ordinary least squares. */
function lineThrough(points: readonly Point[]): {
  readonly slope: number;
  readonly error: number;
} {
  const count = points.length;
  if (count < 3) return { slope: 0, error: 0 };
  const meanX = sum(points, ([x]) => x) / count;
  const meanY = sum(points, ([, y]) => y) / count;
  const spread = sum(points, ([x]) => (x - meanX) ** 2);
  const slope = sum(points, ([x, y]) => (x - meanX) * (y - meanY)) / spread;
  const left = sum(points, ([x, y]) => (y - meanY - slope * (x - meanX)) ** 2);
  return { slope, error: Math.sqrt(left / (count - 2) / spread) };
}

function sum(points: readonly Point[], value: (point: Point) => number): number {
  return points.reduce((total, point) => total + value(point), 0);
}
