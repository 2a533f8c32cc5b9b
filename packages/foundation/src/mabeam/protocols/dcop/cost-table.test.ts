import { describe, expect, it } from 'vitest';

import { eliminate, slice } from './cost-table.ts';
import { factorOf } from './max-sum-questions.ts';

const own = { name: 'x', size: 2 };
const short = { over: ['x', 'y'], costs: [1, 0, 2] };

describe('a table of costs that is too short', () => {
  it('is refused: what is not there is not free', () => {
    const at = (): { name: string; size: number; value: number } => ({
      name: 'y',
      size: 2,
      value: 1,
    });
    expect(() => slice([short], own, at)).toThrow('a table of 3 costs is too short');
    const others = [{ name: 'y', size: 2 }];
    expect(() => eliminate([short], { own, others }, 'min')).toThrow('too short');
    const task = {
      constraint: { name: 'c', over: short.over },
      variables: [
        { name: 'x', values: ['a', 'b'] },
        { name: 'y', values: ['a', 'b'] },
      ],
      incoming: [
        [0, 0],
        [0, 0],
      ],
      at: ['a', 'a'],
    };
    expect(() => factorOf(task, 'min', () => short.costs)).toThrow('too short');
  });
});
