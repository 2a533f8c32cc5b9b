import type { ModelName } from './models.ts';

/**
 * What it costs to ask a model about one snippet; 1 is half a millisecond of one core. The figures are
 * means over 6400 snippets, measured once and rounded (cld3-asm 0.09 ms, eld 0.05, franc 0.08, lande 0.60,
 * tinyld 0.13), and committed, so that the best team depends on the seed and not on the machine. The demo
 * reports the times it really measured.
 */
export const modelCosts: Readonly<Record<ModelName, number>> = {
  'cld3-asm': 0.2,
  eld: 0.1,
  franc: 0.15,
  lande: 1.2,
  tinyld: 0.25,
};
