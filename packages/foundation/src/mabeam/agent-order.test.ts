import { describe, expect, it } from 'vitest';

import { parseOrder } from './agent-order.ts';

describe('an order from another node', () => {
  it.each([
    { kind: 'list' },
    { kind: 'running', ids: ['w'] },
    { kind: 'stop', id: 'w' },
    { kind: 'usage', id: 'w' },
    { kind: 'update', id: 'w', changes: { init: 1 }, call: 'configure', timeoutMs: 5 },
    { kind: 'update', id: 'w', changes: {}, timeoutMs: 5 },
    { kind: 'register', id: 'w', registration: { process: { name: 'worker' }, capabilities: [] } },
  ])('is taken where it is one: %o', (order) => {
    expect(parseOrder(order)).toEqual(order);
  });

  it.each([
    undefined,
    'stop',
    { kind: 'stop' },
    { kind: 'running', ids: ['bad\nname'] },
    { kind: 'explode', id: 'w' },
    { kind: 'stop', id: 'bad\nname' },
    { kind: 'update', id: 'w', changes: 5, call: 'configure', timeoutMs: 5 },
    { kind: 'update', id: 'w', changes: {}, call: 5, timeoutMs: 5 },
    { kind: 'update', id: 'w', changes: {} },
    { kind: 'register', id: 'w', registration: { process: 'worker' } },
  ])('is refused where it is none: %o', (order) => {
    expect(() => parseOrder(order)).toThrow(expect.objectContaining({ code: 'INVALID_MESSAGE' }));
  });
});
