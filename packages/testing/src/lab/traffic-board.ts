import { trafficIn, trafficKinds, type PathTraffic } from './path.ts';

/** Hosts by their index. */
export interface PathsBetween {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** What the threads of a switch count of each path, in shared memory: a thread waits for frames and answers nobody. */
export class TrafficBoard {
  readonly memory: SharedArrayBuffer;
  readonly #hosts: number;

  /** @param memory - Of another one. @defaultValue new memory, with nothing counted */
  constructor(hosts: number, memory?: SharedArrayBuffer) {
    this.#hosts = hosts;
    this.memory = memory ?? new SharedArrayBuffer(hosts * hosts * this.#pathBytes);
  }

  /** Where those of one path are. */
  counts(from: number, to: number): Float64Array {
    const at = (from * this.#hosts + to) * this.#pathBytes;
    return new Float64Array(this.memory, at, trafficKinds.length);
  }

  /** Those of some paths together. */
  sum({ from, to }: PathsBetween): PathTraffic {
    const sums = new Float64Array(trafficKinds.length);
    for (const sender of from) {
      for (const receiver of to) {
        for (const [index, count] of this.counts(sender, receiver).entries()) {
          sums[index] = (sums[index] ?? 0) + count;
        }
      }
    }
    return trafficIn(sums);
  }

  get #pathBytes(): number {
    return trafficKinds.length * Float64Array.BYTES_PER_ELEMENT;
  }
}
