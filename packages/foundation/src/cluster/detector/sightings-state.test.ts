import { describe, expect, it } from 'vitest';

import { SightingsState, type Sighting } from './sightings-state.ts';

const a = { node: 'a', incarnation: 1 };

function tested(): { state: SightingsState; told: Sighting[] } {
  const told: Sighting[] = [];
  return { state: new SightingsState((_, sighting) => told.push(sighting)), told };
}

describe('what is seen of a node', () => {
  it('is told when its event loop stands still, and when it comes round again', () => {
    const { state, told } = tested();
    for (const isStalled of [false, true, true, false]) state.said(a, isStalled);
    expect(told.map(({ isStalled }) => isStalled)).toEqual([true, false]);
  });

  it('is a smoothed round trip, told when it has changed by much', () => {
    const { state, told } = tested();
    state.answered(a, { rttMs: 10 });
    for (let time = 0; time < 20; time++) state.answered(a, { rttMs: 9 + (time % 3) });
    expect(told.map(({ rttMs }) => rttMs)).toEqual([10]);
    for (let time = 0; time < 60; time++) state.answered(a, { rttMs: 100 });
    expect(told.length).toBeLessThan(10);
    expect(told.at(-1)?.rttMs).toBeGreaterThan(60);
    const before = told.length;
    state.answered(a, { rttMs: 101 });
    expect(told).toHaveLength(before);
  });

  it('is a detour when several answers in a row come by one, until one comes directly', () => {
    const { state, told } = tested();
    for (let time = 0; time < 5; time++) state.answered(a, 'detour');
    state.answered(a, { rttMs: 1 });
    for (let time = 0; time < 5; time++) state.answered(a, 'detour');
    expect(state.isDetoured('a')).toBe(false);
    state.answered(a, 'detour');
    expect(state.isDetoured('a')).toBe(true);
    expect(told.at(-1)?.isDetoured).toBe(true);
    state.answered(a, { rttMs: 1 });
    expect(told.at(-1)?.isDetoured).toBe(false);
  });

  it('can be forgotten', () => {
    const { state, told } = tested();
    state.said(a, true);
    state.forget('a');
    state.said(a, true);
    expect(told).toHaveLength(2);
  });
});
