import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { base64, Keyspace, parseVoters, parseWritten } from './etcd-messages.ts';

const keyspace = new Keyspace('app/');
const header = { revision: '12' };

describe('a message of etcd', () => {
  it('means what it says, with nothing for what is left out', () => {
    const kvs = [{ key: base64('app/a'), mod_revision: '7', value: base64('1') }];
    expect(keyspace.parseRange({ header, kvs, count: '1' })).toEqual({
      revision: 12,
      entries: [{ key: 'a', version: 7, value: new TextEncoder().encode('1') }],
    });
    expect(keyspace.parseRange({ header })).toEqual({ revision: 12, entries: [] });
    const empty = [{ key: base64('app/'), mod_revision: '7' }];
    expect(keyspace.parseRange({ header, kvs: empty })?.entries).toEqual([
      { key: '', version: 7, value: new Uint8Array() },
    ]);
    expect(parseWritten({ header, succeeded: true })).toEqual({ isDone: true, revision: 12 });
    expect(parseWritten({ header })).toEqual({ isDone: false, revision: 12 });
    expect(parseVoters({ members: [{}, { isLearner: true }, {}] })).toBe(2);
  });

  it.each([
    [
      { created: true, header },
      { kind: 'created', id: 3, revision: 12 },
    ],
    [
      { canceled: true, compact_revision: '9' },
      { kind: 'compacted', id: 3 },
    ],
    [
      { canceled: true, cancel_reason: 'no' },
      { kind: 'refused', words: 'no' },
    ],
    [{ header }, { kind: 'changed', id: 3, changes: [], isWhole: true }],
    [{ fragment: true }, { kind: 'changed', id: 3, changes: [], isWhole: false }],
  ])('of a watch: %j', (result, meaning) => {
    expect(keyspace.parseWatch({ result: { watch_id: '3', ...result } })).toEqual(meaning);
  });

  it('of a watch tells of changes in their order, and of the end of the whole stream', () => {
    const events = [
      { kv: { key: base64('app/a'), mod_revision: '5', value: base64('x') } },
      { type: 'DELETE', kv: { key: base64('app/b'), mod_revision: '6' } },
    ];
    expect(keyspace.parseWatch({ result: { watch_id: '1', events } })).toMatchObject({
      changes: [
        { key: 'a', revision: 5, value: new TextEncoder().encode('x') },
        { key: 'b', revision: 6, value: undefined },
      ],
    });
    const error = { grpc_code: 14, message: 'etcdserver: no leader' };
    expect(keyspace.parseWatch({ error })).toEqual({ kind: 'refused', words: error.message });
  });

  it('of any shape is understood or is not, and never breaks anything', () => {
    const number = fc.oneof(fc.constant('12'), fc.jsonValue());
    const kv = fc.record(
      { key: number, mod_revision: number, value: number },
      { requiredKeys: [] },
    );
    const body = fc.oneof(
      fc.jsonValue(),
      fc.record({
        header: fc.oneof(fc.constant(header), fc.jsonValue()),
        kvs: fc.array(fc.oneof(kv, fc.jsonValue())),
      }),
      fc.record({ result: fc.record({ watch_id: number, events: fc.array(fc.record({ kv })) }) }),
    );
    const law = fc.property(body, (value) => {
      const found = keyspace.parseRange(value)?.entries ?? [];
      const told = keyspace.parseWatch(value);
      const changes = told?.kind === 'changed' ? told.changes : [];
      const numbers = [
        ...found.map(({ version }) => version),
        ...changes.map(({ revision }) => revision),
      ];
      expect(numbers.filter((each) => !Number.isSafeInteger(each))).toEqual([]);
      parseWritten(value);
      parseVoters(value);
    });
    fc.assert(law);
  });

  it('asks for all keys under a prefix and no others', () => {
    const { key, range_end: end } = keyspace.range('a\u00ff');
    const [from, to] = [key, end].map((each) => Buffer.from(each, 'base64'));
    for (const [name, isIn] of [
      ['a\u00ff', true],
      ['a\u00ff\u{10ffff}', true],
      ['a\u0100', false],
      ['a', false],
    ] as const) {
      const bytes = Buffer.from(`app/${name}`);
      expect(
        Buffer.compare(bytes, from ?? bytes) >= 0 && Buffer.compare(bytes, to ?? bytes) < 0,
        name,
      ).toBe(isIn);
    }
  });
});
