import type { StandardSchemaV1 } from '@standard-schema/spec';
import { call, defineProcess } from './definition.ts';
declare const positive: StandardSchemaV1<string, number>;
export const a = defineProcess('till', {
  init: () => ({ sum: 0 }),
  calls: { add: call(positive, ({ state }, amount) => (state.sum += amount)), sum: ({ state }) => state.sum },
});
export const b = defineProcess('till', {
  init: () => ({ sum: 0 }),
  calls: { add: call(positive, ({ state }, amount) => (state.sum += amount)), b: call(positive, () => 1) },
});
export const c = defineProcess('till', {
  init: () => ({ sum: 0 }),
  calls: { add: ({ state }) => state.sum },
  casts: { put: call(positive, ({ state }, amount) => void (state.sum += amount)) },
});
export const d = defineProcess('till', {
  init: () => ({ sum: 0 }),
  calls: { add: call(positive, ({ state }, amount) => (state.sum += amount)) },
  casts: { put: call(positive, ({ state }, amount) => void (state.sum += amount)) },
});
export const e = defineProcess('till', {
  init: () => ({ sum: 0 }),
  timers: { tick: () => {} },
  calls: { add: call(positive, ({ state }, amount) => (state.sum += amount)) , b: call(positive, () => 1)},
  casts: { put: call(positive, ({ state }, amount) => void (state.sum += amount)) },
});
export const f = defineProcess('till', {
  init: () => ({ sum: 0 }),
  timers: { tick: () => {} },
  calls: { add: call(positive, (ctx, amount) => { ctx.after(1, 'tick'); 
  // @ts-expect-error none
  ctx.after(1, 'tock'); return (ctx.state.sum += amount)}) },
});
