import { describe, expect, it } from 'vitest';

import { printable } from './printable.ts';

describe('printable', () => {
  it.each([
    ['a line', 'n1 joined\n2026 admin logged in', 'n1 joined\\u{a}2026 admin logged in'],
    ['what moves the cursor', '\u001b[2Kgone', '\\u{1b}[2Kgone'],
    ['what turns text around', 'user\u202etxt.exe', 'user\\u{202e}txt.exe'],
    ['a further line end', 'a\u2028b\u0085c', 'a\\u{2028}b\\u{85}c'],
    ['half of a character', 'a\ud800b', 'a\\u{d800}b'],
  ])('shows %s by its code', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('leaves letters of all writings as they are', () => {
    expect(printable('Grüße, 世界 👋 «مرحبا»')).toBe('Grüße, 世界 👋 «مرحبا»');
  });
});
