import { describe, expect, it } from 'vitest';

import { detectorProfiles, detectorSettings } from './detector-options.ts';

const settingsOf = (given: unknown): unknown =>
  detectorSettings('startNode', given as 'fast', 'lan');

describe('the options of the detector', () => {
  it('mean a profile, by name or as it is changed', () => {
    expect(settingsOf(undefined)).toEqual(detectorProfiles.lan);
    expect(settingsOf('fast')).toEqual(detectorProfiles.fast);
    expect(settingsOf({ helpers: 5 })).toEqual({ ...detectorProfiles.lan, helpers: 5 });
    expect(settingsOf({ profile: 'wan', periodMs: 2_000, answerMs: undefined })).toEqual({
      ...detectorProfiles.wan,
      periodMs: 2_000,
    });
  });

  it.each([
    ['fats', /`detector.profile` to be 'fast', 'lan' or 'wan', got: 'fats'/],
    [{ profil: 'fast' }, /unknown option `profil`, did you mean `profile`\?/],
    [{ periodMs: 0 }, /`detector.periodMs`.*got: 0/],
    [{ suspicionMs: '5' }, /`detector.suspicionMs`.*got: '5'/],
    [{ helpers: 1.5 }, /`detector.helpers`.*got: 1.5/],
    [{ doubtFactor: 0.5 }, /`detector.doubtFactor`.*got: 0.5/],
    [{ answerMs: 500 }, /`detector.answerMs` to be less than `periodMs`, 500, got: 500/],
    [[], /expected options, got: \[\]/],
    [5, /expected options, got: 5/],
  ])('refuse %o', (given, message) => {
    expect(() => settingsOf(given)).toThrow(
      expect.objectContaining({
        code: 'INVALID_OPTION',
        message: expect.stringMatching(message),
      }),
    );
  });
});
