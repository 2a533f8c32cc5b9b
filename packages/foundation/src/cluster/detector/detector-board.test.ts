import { describe, expect, it } from 'vitest';

import { DetectorBoard, probeRefusals } from './detector-board.ts';

describe('the board of a detector', () => {
  it('is the same for both threads', () => {
    const mine = new DetectorBoard();
    const theirs = new DetectorBoard(mine.memory);
    mine.beat();
    theirs.health = 5;
    for (const [index, code] of probeRefusals.entries()) {
      for (let time = 0; time <= index; time++) theirs.refuse(code);
    }
    expect([theirs.beats, mine.health]).toEqual([1, 5]);
    expect(mine.refused()).toEqual({
      MALFORMED: 1,
      PROTOCOL_VERSION: 2,
      WRONG_CLUSTER: 3,
      AUTHENTICATION_FAILED: 4,
      STALE_INCARNATION: 5,
    });
  });

  it('gives each sequence number once, also to a thread that begins anew', () => {
    const mine = new DetectorBoard();
    expect([mine.nextSequence(), mine.nextSequence()]).toEqual([1, 2]);
    expect(new DetectorBoard(mine.memory).nextSequence()).toBe(3);
  });

  it('tells of no refusal that has not happened', () => {
    expect(new DetectorBoard().refused()).toEqual({});
  });
});
