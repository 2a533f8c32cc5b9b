import type { Store } from '@foundation/core/internal';

/** Gives a test started stores on one set of data. */
export type WithStores = (
  count: number,
  test: (...stores: [Store, ...Store[]]) => Promise<void>,
) => Promise<void>;
