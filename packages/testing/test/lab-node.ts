// A program on a host of a lab: answers datagrams, and counts what comes back of its own.
import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';
import { networkInterfaces } from 'node:os';
import { setTimeout as pause } from 'node:timers/promises';

import { runTestProgram } from '@foundation/testing/program';

/** Pings to send, and the milliseconds between them and after the last one. */
export interface Pings {
  readonly count: number;
  readonly everyMs?: number;
  readonly waitMs?: number;
}

/** What came back of some pings: their numbers as they came, and how long each took. */
export interface Pongs {
  readonly order: readonly number[];
  readonly tookMs: readonly number[];
}

const port = 7_000;
const group = '224.0.0.77';
const [address = ''] = process.argv.slice(2);
let heard = 0;
let onPong: (serial: number) => void = () => {};

const socket = createSocket({ type: 'udp4', reuseAddr: true });
socket.on('message', (message: Buffer, from: RemoteInfo) => {
  const [kind, serial] = message.toString().split(' ');
  if (kind === 'pong') return onPong(Number(serial));
  heard++;
  socket.send(`pong ${serial}`, from.port, from.address);
});
socket.bind(port);
await once(socket, 'listening');
socket.addMembership(group, address);
socket.setMulticastInterface(address);

async function ping(to: string, { count, everyMs = 1, waitMs = 250 }: Pings): Promise<Pongs> {
  const sentAt: number[] = [];
  const order: number[] = [];
  const tookMs: number[] = [];
  onPong = (serial) => {
    order.push(serial);
    tookMs.push(performance.now() - (sentAt[serial] ?? 0));
  };
  for (let serial = 0; serial < count; serial++) {
    sentAt.push(performance.now());
    socket.send(`ping ${serial}`, port, to);
    await pause(everyMs);
  }
  await pause(waitMs);
  return { order, tookMs };
}

const commands = {
  ping,
  /** Pings received so far. */
  heard: () => heard,
  callAll: () => ping(group, { count: 1 }),
  interfaces: () => Object.keys(networkInterfaces()),
};
export type LabNode = typeof commands;
runTestProgram(process.pid, commands);
