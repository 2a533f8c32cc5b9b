import { describe, expect, it } from 'vitest';

describe('the tests', () => {
  it('run on the Node that the packages need, whichever is installed', () => {
    expect(Number.parseInt(process.versions.node, 10)).toBeGreaterThanOrEqual(24);
  });

  it('run against source, without a build', () => {
    expect(import.meta.resolve('@foundation/core')).toMatch(
      /packages\/foundation\/src\/index\.ts$/,
    );
  });
});
