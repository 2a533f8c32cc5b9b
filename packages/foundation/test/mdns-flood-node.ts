// A stranger on a host of a lab who wants to do harm by multicast DNS: `address`.
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';

import { runTestProgram } from '@foundation/testing/program';
import * as dns from 'dns-packet';

import { mdnsCodec, serviceName } from '../src/cluster/discoveries/mdns-packet.ts';
import { seededRandom } from '../src/random.ts';

const [address = ''] = process.argv.slice(2);
const [port, group] = [5353, '224.0.0.251'];
const random = seededRandom('a stranger');
const codec = mdnsCodec(dns);
/** What others have said, to be said again. */
const overheard: Buffer[] = [];

const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (packet: Buffer) => {
  const isAnswer = codec.read(packet)?.kind === 'answer';
  if (isAnswer && overheard.length < 100) overheard.push(packet);
});
socket.bind(port);
await once(socket, 'listening');
socket.addMembership(group, address);
socket.setMulticastInterface(address);

const name = Buffer.concat(
  serviceName.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
);
/** Claims as many records as a header can, and has the labels that nodes look for. */
const claiming = Buffer.concat([
  Buffer.from('00008400ffffffffffffffff', 'hex'),
  name,
  Buffer.alloc(5),
]);
/** Questions whose names point to each other. */
const pointing = Buffer.concat([
  Buffer.from('000000000020000000000000', 'hex'),
  name,
  Buffer.from([0, 0, 12, 0, 1]),
  ...Array.from({ length: 200 }, (_, index) => Buffer.from([0xc0, 12 + (index % 50), 0, 12, 0, 1])),
]);

const forged = (host: string, ttlSeconds: number): Uint8Array =>
  codec.announcement({
    instance: random.int(2 ** 31).toString(36),
    address: { host, port: 1 + random.int(65_000) },
    atSeconds: Math.floor(Date.now() / 1_000),
    ttlSeconds,
    tag: random.int(2 ** 31).toString(36),
  });

const tricks: readonly (() => Uint8Array)[] = [
  () => claiming,
  () => pointing,
  () => Buffer.from(Array.from({ length: 200 }, () => random.int(256))),
  () => forged(`10.77.0.${random.int(256)}`, 120), // somebody on this network
  () => forged('8.8.8.8', 120),
  () => forged('127.0.0.1', 120),
  () => forged(`10.77.0.${random.int(256)}`, 0),
  () => codec.question(),
  () => Buffer.alloc(1_472, name),
  () => overheard[random.int(overheard.length)] ?? claiming,
  () => tampered(overheard[random.int(overheard.length)] ?? pointing),
];

function tampered(packet: Buffer): Buffer {
  const copy = Buffer.from(packet);
  for (let times = 0; times < 3; times++) copy[random.int(copy.length)] = random.int(256);
  return copy;
}

let isFlooding = false;
let sent = 0;

async function flood(): Promise<void> {
  isFlooding = true;
  while (isFlooding) {
    for (let each = 0; each < 20; each++) {
      socket.send(tricks[sent++ % tricks.length]?.() ?? claiming, port, group);
    }
    await pause(5);
  }
}

const commands = {
  /** Sends some thousands of packets a second until it is told to stop. */
  flood: () => void flood(),
  sent: () => sent,
  stop: () => {
    isFlooding = false;
    return { sent, overheard: overheard.length };
  },
};
export type MdnsFlood = typeof commands;
runTestProgram(address, commands);
