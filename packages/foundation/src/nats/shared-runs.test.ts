import { describe, expect, it } from 'vitest';

import { SharedRuns } from './shared-runs.ts';

/** Runs that end when told to. */
function controlled() {
  const runs: PromiseWithResolvers<number>[] = [];
  const action = (): Promise<number> => {
    const run = Promise.withResolvers<number>();
    runs.push(run);
    return run.promise;
  };
  return { runs, action };
}

const settled = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('SharedRuns', () => {
  it('gives those who ask during a run the next one, together, and never the one that had begun', async () => {
    const { runs, action } = controlled();
    const shared = new SharedRuns<number>();
    const first = shared.run('key', action);
    const others = [shared.run('key', action), shared.run('key', action)];
    expect(runs).toHaveLength(1);
    runs[0]?.resolve(1);
    expect(await first).toBe(1);
    await settled();
    expect(runs).toHaveLength(2);
    const late = shared.run('key', action);
    runs[1]?.resolve(2);
    expect(await Promise.all(others)).toEqual([2, 2]);
    await settled();
    runs[2]?.resolve(3);
    expect(await late).toBe(3);
  });

  it('goes on after a run that failed, and keeps keys apart', async () => {
    const { runs, action } = controlled();
    const shared = new SharedRuns<number>();
    const failing = shared.run('key', action);
    const next = shared.run('key', action);
    const other = shared.run('other', action);
    expect(runs).toHaveLength(2);
    runs[1]?.resolve(7);
    expect(await other).toBe(7);
    runs[0]?.reject(new Error('no'));
    await expect(failing).rejects.toThrow('no');
    await settled();
    runs[2]?.resolve(1);
    expect(await next).toBe(1);
    await settled();
    const again = shared.run('key', action);
    expect(runs).toHaveLength(4);
    runs[3]?.resolve(2);
    expect(await again).toBe(2);
  });
});
