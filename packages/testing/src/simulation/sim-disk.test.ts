import { seededRandom } from '@foundation/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { SimDisk } from './sim-disk.ts';

describe('a simulated disk', () => {
  it('has what was written last, synced or not', () => {
    const disk = new SimDisk();
    expect(disk.read('a')).toBeUndefined();
    disk.write('a', '1');
    disk.sync();
    disk.write('a', '2');
    expect(disk.read('a')).toBe('2');
  });

  it('keeps what was synced when the power fails; what was not is there or not', () => {
    const seen = new Set<string | undefined>();
    fc.assert(
      fc.property(fc.nat(), (seed) => {
        const disk = new SimDisk();
        disk.write('a', 'synced');
        disk.write('b', 'synced');
        disk.sync();
        disk.write('a', 'newer');
        disk.losePower(seededRandom(seed));
        expect(disk.read('b')).toBe('synced');
        expect(['synced', 'newer']).toContain(disk.read('a'));
        seen.add(disk.read('a'));
        const after = disk.read('a');
        disk.losePower(seededRandom(seed));
        expect(disk.read('a')).toBe(after);
      }),
    );
    expect(seen.size).toBe(2);
  });
});
