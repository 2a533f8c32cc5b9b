import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../../test/manual-clock.ts';
import { DetectorBoard } from './detector-board.ts';
import { beatMs, stalledAfterMs, StallWatch } from './stall-watch.ts';

function watched(): {
  clock: ManualClock;
  board: DetectorBoard;
  told: boolean[];
  watch: StallWatch;
} {
  const [clock, board, told] = [new ManualClock(), new DetectorBoard(), [] as boolean[]];
  // The other thread has a board of its own over the same memory.
  const other = new DetectorBoard(board.memory);
  const watch = new StallWatch(other, clock, (isStalled) => told.push(isStalled));
  return { clock, board, told, watch };
}

describe('an event loop', () => {
  it('that beats is not stalled', () => {
    const { clock, board, told } = watched();
    for (let time = 0; time < 40; time++) {
      board.beat();
      clock.jump(beatMs);
    }
    expect(told).toEqual([]);
  });

  it('is stalled when it has not beaten for long enough, until it beats again', () => {
    const { clock, board, told } = watched();
    board.beat();
    clock.jump(stalledAfterMs);
    expect(told).toEqual([]);
    clock.jump(2 * beatMs);
    expect(told).toEqual([true]);
    clock.jump(5_000);
    board.beat();
    clock.jump(beatMs);
    expect(told).toEqual([true, false]);
  });

  it('is not when the whole program stood still', () => {
    const { clock, board, told } = watched();
    board.beat();
    clock.jump(beatMs);
    clock.stall(60_000);
    clock.jump(beatMs);
    expect(told).toEqual([]);
  });

  it('is not watched any more after the end', () => {
    const { clock, told, watch } = watched();
    watch.stop();
    clock.jump(60_000);
    expect(told).toEqual([]);
  });
});
