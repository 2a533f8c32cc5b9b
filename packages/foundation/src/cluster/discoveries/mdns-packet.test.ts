import * as dns from 'dns-packet';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { mdnsCodec, serviceName, type SignedAnnouncement } from './mdns-packet.ts';
import { isTagOf, tagKey, tagOf, type Announced } from './mdns-tag.ts';

const codec = mdnsCodec(dns);
const key = tagKey(new Uint8Array(32).fill(7), 'test');
const said: SignedAnnouncement = {
  instance: 'abc123',
  address: { host: '10.0.0.1', port: 7946 },
  atSeconds: 1_700_000_000,
  ttlSeconds: 30,
  tag: 'tag',
};
const packet = Buffer.from(codec.announcement(said));

describe('an announcement', () => {
  it('is read as it was made', () => {
    const announced = fc.record({
      instance: fc.stringMatching(/^[a-z0-9]{1,63}$/),
      address: fc.record({
        host: fc.oneof(fc.ipV4(), fc.constantFrom('fd00::1', 'fd12:3456::9')),
        port: fc.integer({ min: 1, max: 65_535 }),
      }),
      atSeconds: fc.nat(2 ** 40),
      ttlSeconds: fc.nat(120),
      tag: fc.base64String({ maxLength: 100 }),
    });
    fc.assert(
      fc.property(announced, (each) => {
        const message = codec.read(codec.announcement(each));
        expect(message).toEqual({ kind: 'answer', announcements: [each] });
      }),
    );
  });

  it('tells an address and a random name, no name of a node nor of a cluster', () => {
    const { answers = [] } = dns.decode(packet);
    expect(answers.map(({ name, type }) => `${type} ${name}`)).toEqual([
      `PTR ${serviceName}`,
      `SRV abc123.${serviceName}`,
      `TXT abc123.${serviceName}`,
      'A abc123.local',
    ]);
  });

  it.each(['A', 'TXT', 'SRV'])('without its record %s is none', (type) => {
    const { answers = [] } = dns.decode(packet);
    const changed = answers.map((each) =>
      each.type === type ? { ...each, name: `other.${each.name}` } : each,
    );
    expect(codec.read(dns.encode({ type: 'response', answers: changed }))).toEqual({
      kind: 'answer',
      announcements: [],
    });
  });

  it.each([[['v=2', 't=1', 'tag=x']], [['v=1', 't=soon', 'tag=x']], [['v=1', 't=1']], [['t=1']]])(
    'that says %j is none',
    (data) => {
      const { answers = [] } = dns.decode(packet);
      const changed = answers.map((each) => (each.type === 'TXT' ? { ...each, data } : each));
      expect(codec.read(dns.encode({ type: 'response', answers: changed }))).toMatchObject({
        announcements: [],
      });
    },
  );
});

describe('a packet', () => {
  it('with a question for nodes is one, with another is none', () => {
    expect(codec.read(codec.question())).toEqual({ kind: 'question' });
    const question = (name: string): Uint8Array =>
      dns.encode({ type: 'query', questions: [{ name, type: 'PTR' }] });
    expect(codec.read(question(`abc123.${serviceName}`))).toEqual({ kind: 'question' });
    expect(codec.read(question('_http._tcp.local'))).toBeUndefined();
  });

  it('that claims more records than it may, or is larger, is not decoded', () => {
    let decoded = 0;
    const counting = mdnsCodec({ ...dns, decode: (bytes) => (decoded++, dns.decode(bytes)) });
    const claiming = Buffer.from(packet);
    claiming.writeUInt16BE(33, 6);
    expect(counting.read(claiming)).toBeUndefined();
    expect(
      counting.read(Buffer.concat([packet, Buffer.alloc(1_501 - packet.length)])),
    ).toBeUndefined();
    expect(counting.read(packet.subarray(0, 11))).toBeUndefined();
    expect(decoded).toBe(0);
    expect(counting.read(packet)).toBeDefined();
    expect(decoded).toBe(1);
  });

  it('of any bytes is read without an error', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(codec.read(bytes)).toBeUndefined();
      }),
    );
  });

  it('that was tampered with is read without an error, and never proves anything', () => {
    const announced = { ...said, tag: tagOf(key, said) };
    const good = codec.announcement(announced);
    const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 8 }), (changes) => {
        const bytes = Uint8Array.from(good);
        for (const { at, to } of changes) bytes[at] = to;
        const message = codec.read(bytes);
        const proven = message?.kind === 'answer' ? message.announcements : [];
        for (const { ttlSeconds, ...rest } of proven.filter((each) =>
          isTagOf(key, each, each.tag),
        )) {
          // The time to live is not bound, see there.
          expect({ ...rest, ttlSeconds: 30 }).toEqual(announced);
          expect(ttlSeconds).toBeGreaterThan(0);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a tag', () => {
  const tag = tagOf(key, said);
  const others: readonly (readonly [string, Partial<Announced>])[] = [
    ['another life', { instance: 'abc124' }],
    ['another host', { address: { host: '10.0.0.2', port: 7946 } }],
    ['another port', { address: { host: '10.0.0.1', port: 7947 } }],
    ['another time', { atSeconds: said.atSeconds + 1 }],
    ['a goodbye', { ttlSeconds: 0 }],
  ];

  it('proves what was said', () => {
    expect(isTagOf(key, said, tag)).toBe(true);
    expect(isTagOf(key, { ...said, ttlSeconds: 7 }, tag)).toBe(true);
  });

  it.each(others)('does not prove %s', (_, other) => {
    expect(isTagOf(key, { ...said, ...other }, tag)).toBe(false);
  });

  it.each([
    ['another secret', tagKey(new Uint8Array(32).fill(8), 'test')],
    ['another cluster', tagKey(new Uint8Array(32).fill(7), 'test2')],
  ])('does not prove it with %s', (_, other) => {
    expect(isTagOf(other, said, tag)).toBe(false);
  });

  it.each(['', 'x', `${tag}x`, tag.slice(1)])('is not %j', (wrong) => {
    expect(isTagOf(key, said, wrong)).toBe(false);
  });
});
