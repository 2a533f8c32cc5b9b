import { describe, expect, it } from 'vitest';

import { ManualClock } from '../../test/manual-clock.ts';
import { Codec } from '../wire/codec.ts';
import { isWireRequest, Request, type RequestOptions } from './request.ts';
import { contextWireBytesMax, seal } from './sealed-bytes.ts';

const codec = new Codec();
const clock = new ManualClock();
const sealed = (value: unknown): Uint8Array => seal(codec.encode(value), 'it');
const carrier = sealed({ traceparent: `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01` });

/** A request of which each part is as it may come from elsewhere. */
function came(values: unknown): Request {
  const request = Request.parse(codec, clock, ['r', sealed(values), carrier, 1_000]);
  if (request === undefined) throw new Error('there is none');
  return request;
}

describe('a request from elsewhere', () => {
  it('has no values where they could be changed, or are no values', () => {
    expect(came({ tenant: 'acme' }).values).toEqual({ tenant: 'acme' });
    for (const values of [{ deep: [{ map: new Map() }] }, { at: new Date(0) }, new Map(), [], 5]) {
      expect(came(values).values).toEqual({});
    }
  });

  it('keeps its trace for nodes further on, whatever is added here, without OpenTelemetry', () => {
    const env = { codec, clock, newId: () => 'new' };
    for (const options of [
      {},
      { values: { a: 1 } },
      { timeoutMs: 5 },
      { requestId: 'x' },
    ] satisfies RequestOptions[]) {
      const request = came({});
      expect(Request.derive(request, options, env).toWire(codec)[2]).toEqual(carrier);
      // Also when somebody has asked for it here meanwhile.
      expect(request.trace).toBeUndefined();
      expect(Request.derive(request, options, env).toWire(codec)[2]).toEqual(carrier);
    }
  });

  it.each([
    ['without anything', [undefined, undefined, undefined, undefined], true],
    ['with all of it', ['r', carrier, carrier, 5], true],
    [
      'with as many bytes as may be',
      ['r', new Uint8Array(contextWireBytesMax + 1), carrier, 5],
      true,
    ],
    ['with more values', ['r', new Uint8Array(contextWireBytesMax + 2), undefined, 5], false],
    ['with more baggage', ['r', undefined, new Uint8Array(contextWireBytesMax + 2), 5], false],
    ['with values that are no bytes', ['r', 'text', undefined, 5], false],
    ['with a control character in its id', ['a\u001B[31m', undefined, undefined, 5], false],
    ['with a line break in its id', ['a\nb', undefined, undefined, 5], false],
    ['with an endless id', ['x'.repeat(201), undefined, undefined, 5], false],
    ['with a time that is none', ['r', undefined, undefined, -1], false],
    ['with too few parts', ['r', undefined, undefined], false],
  ])('is taken only if it can be one: %s', (_, wire, isOne) => {
    expect(isWireRequest(wire)).toBe(isOne);
  });
});
