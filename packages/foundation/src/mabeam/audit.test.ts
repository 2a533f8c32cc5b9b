import { generateKeyPairSync } from 'node:crypto';

import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';

import { bid, World } from '../../test/coordination-world.ts';
import { type AuditLog, auditLog, inspectAudit, recordOf } from './audit.ts';
import { canonical } from './canonical.ts';
import type { Outcome } from './outcome.ts';
import { type SealedBidResult, vickreyAuction } from './protocols/sealed-bid-auction.ts';
import { replay } from './replay.ts';
import { verify } from './verify.ts';

let outcome: Outcome<SealedBidResult>;
let log: AuditLog;

beforeAll(async () => {
  const world = new World()
    .agent('a', bid(9n))
    .agent('b', bid(7n))
    .agent('c', () => 'garbage');
  const options = { deadlineMs: 100, seed: 'seed' };
  const sale = { lot: 'cpu', reserve: 1n };
  outcome = await world.coordination.start(vickreyAuction, sale, world.ids, options).outcome;
  log = auditLog(outcome.record);
});

const withLines = (entries: AuditLog['entries']): AuditLog => ({ ...log, entries });

describe('an audit log', () => {
  it('has a line for the setup, each entry and the end, chained by their hashes', () => {
    expect(log.entries.map(({ kind }) => kind)).toEqual([
      'setup',
      ...outcome.record.entries.map(({ kind }) => kind),
      'end',
    ]);
    expect(log.entries.map(({ prev }) => prev).slice(1)).toEqual(
      log.entries.map(({ hash }) => hash).slice(0, -1),
    );
    expect(log.head).toBe(log.entries.at(-1)?.hash);
    expect(inspectAudit(log)).toEqual({ ok: true });
    expect(auditLog(outcome.record)).toEqual(log);
  });

  it('gives back the record, also after a way through JSON', () => {
    expect(recordOf(log)).toEqual(outcome.record);
    const carried = JSON.parse(canonical(log)) as AuditLog;
    expect(inspectAudit(carried)).toEqual({ ok: true });
    const { result } = replay(vickreyAuction, recordOf(carried));
    expect(result).toEqual(outcome.result);
    expect(canonical(auditLog(recordOf(carried)))).toBe(canonical(log));
  });

  it('shows the line after one that was changed and hashed again', () => {
    const again = auditLog({
      ...outcome.record,
      setup: { ...outcome.record.setup, seed: 'another' },
    });
    const entries = log.entries.map((entry, seq) =>
      seq === 0 ? (again.entries[0] ?? entry) : entry,
    );
    expect(inspectAudit(withLines(entries))).toMatchObject({ ok: false, seq: 1 });
  });

  it('shows in which line one character was changed', () => {
    const lines = log.entries.map((entry) => canonical(entry));
    const places = lines.flatMap((line, seq) =>
      Array.from({ length: line.length }, (_, at) => [seq, at] as const),
    );
    let tried = 0;
    for (const [seq, at] of places) {
      const line = lines[seq] ?? '';
      const flipped = String.fromCharCode(line.charCodeAt(at) ^ 1);
      const text = `${line.slice(0, at)}${flipped}${line.slice(at + 1)}`;
      const changed = readable(text);
      // What is no JSON any more, or the same value in other words, is no other line.
      if (changed === undefined || canonical(changed) === line) continue;
      const entries = log.entries.with(seq, changed as AuditLog['entries'][number]);
      const finding = inspectAudit(withLines(entries));
      expect(finding, text).toMatchObject({ ok: false, seq });
      tried++;
    }
    expect(tried).toBeGreaterThan(1_000);
  });

  it('shows where a line was removed, moved, doubled or added', () => {
    const last = log.entries.length - 1;
    fc.assert(
      fc.property(fc.nat(last), fc.nat(last), (one, other) => {
        const removed = inspectAudit(withLines(log.entries.toSpliced(one, 1)));
        expect(removed).toMatchObject({ ok: false, seq: Math.min(one, last - 1) });
        const entry = log.entries[one];
        if (entry === undefined) return;
        const doubled = inspectAudit(withLines(log.entries.toSpliced(one, 0, entry)));
        expect(doubled).toMatchObject({ ok: false, seq: one + 1 });
        if (one === other) return;
        const moved = inspectAudit(
          withLines(log.entries.toSpliced(one, 1).toSpliced(other, 0, entry)),
        );
        expect(moved).toMatchObject({ ok: false, seq: Math.min(one, other) });
      }),
    );
    expect(inspectAudit(withLines([]))).toMatchObject({ ok: false, seq: 0 });
  });

  it('with another head is no log, and gives no record', () => {
    const forged = { ...log, head: '0'.repeat(64) };
    expect(inspectAudit(forged)).toMatchObject({ ok: false, seq: log.entries.length - 1 });
    expect(() => recordOf(forged)).toThrow(
      expect.objectContaining({ code: 'MALFORMED', message: expect.stringContaining('the head') }),
    );
  });

  it('that was made anew tells who knows the head, or trusts a signature', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    const mallory = generateKeyPairSync('ed25519').privateKey;
    const signed = auditLog(outcome.record, privateKey);
    const key = signed.signed?.publicKey ?? '';
    expect(inspectAudit(signed, key)).toEqual({ ok: true });

    const other = { ...outcome.record, entries: outcome.record.entries.slice(1) };
    const anew = auditLog(other);
    expect(inspectAudit(anew)).toEqual({ ok: true });
    expect(anew.head).not.toBe(log.head);
    expect(inspectAudit(anew, key)).toMatchObject({ detail: 'it is not signed' });
    expect(inspectAudit(auditLog(other, mallory), key)).toMatchObject({
      detail: 'somebody else has signed it',
    });
    const pasted = { ...anew, ...(signed.signed === undefined ? {} : { signed: signed.signed }) };
    expect(inspectAudit(pasted, key)).toMatchObject({
      ok: false,
      detail: 'the signature is not of this head',
    });
  });
});

function readable(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

describe('a verification', () => {
  it('finds nothing wrong with a true outcome, also after a way through JSON', () => {
    expect(verify(vickreyAuction, outcome)).toEqual([]);
    const carried = JSON.parse(canonical(outcome)) as typeof outcome;
    expect(verify(vickreyAuction, carried)).toEqual([]);
  });

  it('names each field that is not what the record leads to', () => {
    const { result, ...rest } = outcome;
    if (result === undefined) throw new Error('no result');
    const lies = [
      [{ ...outcome, result: { ...result, price: 8n } }, '`result`'],
      [{ ...outcome, status: 'no_deal' }, '`status`'],
      [{ ...outcome, reasons: { ...outcome.reasons, b: 'won' } }, '`reasons`'],
      [{ ...outcome, participation: { ...outcome.participation, ok: 3 } }, '`participation`'],
      [{ ...outcome, detail: 'by decree' }, '`detail`'],
      [rest, '`result`'],
    ] as const;
    for (const [lie, field] of lies) {
      expect(verify(vickreyAuction, lie)).toEqual([`${field} is not what the record leads to`]);
    }
  });

  it('asks the protocol what it promises, in its own form of spec and result', () => {
    const prices: unknown[] = [];
    const strict = {
      ...vickreyAuction,
      verify: (
        spec: unknown,
        { result, roster }: { result?: unknown; roster: readonly string[] },
      ) => {
        prices.push(Object(spec).reserve, Object(result).price, roster.length);
        return ['the price is too high'];
      },
    };
    const carried = JSON.parse(canonical(outcome)) as typeof outcome;
    expect(verify(strict, carried)).toEqual(['the price is too high']);
    expect(prices).toEqual([1n, 7n, 3]);
  });

  it('says so when the record is of another protocol, or of a session without an end', () => {
    expect(verify({ ...vickreyAuction, version: '9' }, outcome)[0]).toContain(
      'ran auction.vickrey',
    );
    const { record } = outcome;
    const cut = { ...record, entries: record.entries.slice(0, 4) };
    expect(verify(vickreyAuction, { ...outcome, record: cut })[0]).toContain('has no end');
  });
});

describe('canonical JSON', () => {
  it('is one text for one value, whatever the order of its fields', () => {
    expect(canonical({ b: [1, undefined, 'x'], a: { d: null, c: true } })).toBe(
      '{"a":{"c":true,"d":null},"b":[1,null,"x"]}',
    );
    expect(canonical({ a: undefined, b: 12n ** 20n })).toBe(`{"b":"${12n ** 20n}"}`);
    // Numbers and order of the examples of RFC 8785.
    expect(canonical([333333333.3333333, 1e30, 4.5, 2e-3, 1e-27, -0])).toBe(
      '[333333333.3333333,1e+30,4.5,0.002,1e-27,0]',
    );
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6'];
    const text = canonical(Object.fromEntries(names.map((name) => [name, 0])));
    const keys = [...text.matchAll(/"([^"]+)":0/g)].map(([, key = '']) => key);
    const sorted = ['\\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33'];
    expect(keys).toEqual(sorted);
  });

  it('says what JSON says', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = canonical(value);
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
        expect(canonical(JSON.parse(text))).toBe(text);
      }),
    );
  });

  it('writes a bigint as its decimals do, wherever it stands', () => {
    const { tree } = fc.letrec((tie) => ({
      tree: fc.oneof(
        { maxDepth: 4 },
        fc.bigInt(),
        fc.boolean(),
        fc.string(),
        fc.array(tie('tree')),
        fc.dictionary(fc.string(), tie('tree')),
      ),
    }));
    const withDecimals = (value: unknown): unknown => {
      if (typeof value === 'bigint') return `${value}`;
      if (Array.isArray(value)) return value.map(withDecimals);
      if (typeof value !== 'object' || value === null) return value;
      return Object.fromEntries(
        Object.entries(value).map(([name, field]) => [name, withDecimals(field)]),
      );
    };
    fc.assert(
      fc.property(tree, (value) => {
        expect(canonical(value)).toBe(canonical(withDecimals(value)));
      }),
    );
  });

  it('is the same where somebody has given bigints a JSON of their own', () => {
    const value = { amount: 10n, more: [3n] };
    const text = canonical(value);
    const asNumber = { configurable: true, value: () => 1 };
    // oxlint-disable-next-line no-extend-native -- an application may have done so
    Object.defineProperty(BigInt.prototype, 'toJSON', asNumber);
    try {
      expect(canonical(value)).toBe(text);
    } finally {
      Reflect.deleteProperty(BigInt.prototype, 'toJSON');
    }
  });

  it.each([
    Number.NaN,
    Number.POSITIVE_INFINITY,
    Symbol('x'),
    () => 1,
    { a: () => 1 },
    new Map([['a', 1]]),
    new Date(0),
    [new Set([1])],
  ])('does not pass over %s', (value) => {
    expect(() => canonical(value)).toThrow(TypeError);
  });
});
