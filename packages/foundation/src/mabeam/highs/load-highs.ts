import type { Highs } from 'highs';
import type highs from 'highs';

import { FoundationError } from '../../errors.ts';
import { optionalPeer } from '../../optional-peer.ts';

/**
 * HiGHS, compiled to WebAssembly, in this thread.
 *
 * @throws FoundationError `INVALID_OPTION` with what to install when it is not there.
 */
export function loadHighs(load = (): Promise<unknown> => import('highs')): Promise<Highs> {
  return optionalPeer({ who: 'the solver', name: 'highs' }, async () => {
    const loader = Object(await load()).default;
    if (isLoader(loader)) return loader();
    throw new FoundationError('INTERNAL', 'the package highs exports no loader');
  });
}

/** What the package exports by default; its types, which are those of CommonJS, have it one level deeper. */
function isLoader(value: unknown): value is typeof highs.default {
  return typeof value === 'function';
}
