import type * as DnsPacket from 'dns-packet';

import { isPort } from '../address.ts';
import type { Announced } from './mdns-tag.ts';

/** What every node answers to. */
export const serviceName = '_foundation._tcp.local';
/** How it stands in a packet: what does not hold this is not for us, and is never decoded. */
const serviceLabels = Buffer.from('\u000B_foundation\u0004_tcp\u0005local');
/** An announcement has about 300 bytes and 4 records. */
const packetBytesMax = 1_500;
const recordsMax = 32;
const headerBytes = 12;
const instancePattern = /^[a-z0-9]{1,63}$/;

/** An announcement, and what is to prove it. */
export interface SignedAnnouncement extends Announced {
  readonly tag: string;
}

/** What a packet is about. */
export type MdnsMessage =
  | { readonly kind: 'question' }
  | { readonly kind: 'answer'; readonly announcements: readonly SignedAnnouncement[] };

/** Makes and reads packets of multicast DNS (RFC 6762) and DNS-SD (RFC 6763). */
export interface MdnsCodec {
  question(): Uint8Array;
  announcement(announced: SignedAnnouncement): Uint8Array;
  /** Undefined for what is not for us, too large or malformed. Never throws. */
  read(packet: Uint8Array): MdnsMessage | undefined;
}

/** What of `dns-packet` is needed. */
export interface PacketLibrary {
  readonly AUTHORITATIVE_ANSWER: number;
  encode(packet: DnsPacket.Packet): Uint8Array;
  decode(packet: Buffer): DnsPacket.Packet;
}

export function mdnsCodec(dns: PacketLibrary): MdnsCodec {
  return {
    question: () => dns.encode({ type: 'query', questions: [{ name: serviceName, type: 'PTR' }] }),
    announcement: (announced) =>
      dns.encode({
        type: 'response',
        flags: dns.AUTHORITATIVE_ANSWER,
        answers: recordsOf(announced),
      }),
    read(packet) {
      const bytes = Buffer.from(packet.buffer, packet.byteOffset, packet.length);
      if (!isWorthDecoding(bytes)) return undefined;
      try {
        return messageOf(dns.decode(bytes));
      } catch {
        return undefined;
      }
    },
  };
}

/**
 * The decoder believes the header: 40 bytes that claim 4 times 65,535 records cost it 24 ms. So what it
 * claims is looked at before.
 */
function isWorthDecoding(packet: Buffer): boolean {
  if (packet.length < headerBytes || packet.length > packetBytesMax) return false;
  const counts = [4, 6, 8, 10].map((offset) => packet.readUInt16BE(offset));
  const count = counts.reduce((sum, each) => sum + each, 0);
  return count <= recordsMax && packet.includes(serviceLabels);
}

function recordsOf(announced: SignedAnnouncement): DnsPacket.Answer[] {
  const { instance, address, ttlSeconds: ttl, atSeconds, tag } = announced;
  const name = `${instance}.${serviceName}`;
  const target = `${instance}.local`;
  const own = { ttl, class: 'IN', flush: true } as const;
  const type = address.host.includes(':') ? 'AAAA' : 'A';
  return [
    { type: 'PTR', name: serviceName, ttl, class: 'IN', data: name },
    { type: 'SRV', name, ...own, data: { port: address.port, target } },
    { type: 'TXT', name, ...own, data: ['v=1', `t=${atSeconds}`, `tag=${tag}`] },
    { type, name: target, ...own, data: address.host },
  ];
}

function messageOf(packet: DnsPacket.Packet): MdnsMessage | undefined {
  if (packet.type === 'query') {
    const isOurs = packet.questions?.some(({ name }) => name.endsWith(serviceName)) === true;
    return isOurs ? { kind: 'question' } : undefined;
  }
  const records = [...(packet.answers ?? []), ...(packet.additionals ?? [])];
  const announcements = records
    .filter((record) => record.type === 'SRV')
    .map((record) => announcementOf(record, records))
    .filter((each) => each !== undefined);
  return { kind: 'answer', announcements };
}

function announcementOf(
  { name, ttl, data }: DnsPacket.SrvAnswer,
  records: readonly DnsPacket.Answer[],
): SignedAnnouncement | undefined {
  const instance = name.slice(0, -serviceName.length - 1);
  if (name !== `${instance}.${serviceName}` || !instancePattern.test(instance)) return undefined;
  const host = hostOf(data.target, records);
  const facts = factsOf(name, records);
  const atSeconds = Number(facts.get('t'));
  const tag = facts.get('tag');
  const isFit = facts.get('v') === '1' && Number.isSafeInteger(atSeconds) && isPort(data.port);
  if (!isFit || host === undefined || tag === undefined) return undefined;
  return { instance, address: { host, port: data.port }, atSeconds, ttlSeconds: ttl ?? 0, tag };
}

function hostOf(target: string, records: readonly DnsPacket.Answer[]): string | undefined {
  for (const record of records) {
    const isAddress = record.type === 'A' || record.type === 'AAAA';
    if (isAddress && record.name === target) return record.data;
  }
  return undefined;
}

/** `key=value` of a TXT record; of two with the same key the first counts (RFC 6763, 6.4). */
function factsOf(name: string, records: readonly DnsPacket.Answer[]): ReadonlyMap<string, string> {
  const texts = records
    .filter((each) => each.type === 'TXT')
    .filter((each) => each.name === name)
    .flatMap(({ data }) => (Array.isArray(data) ? data.map(String) : []));
  const pairs = texts.map((text): [string, string] => {
    const [key = '', ...rest] = text.split('=');
    return [key, rest.join('=')];
  });
  return new Map(pairs.toReversed());
}
