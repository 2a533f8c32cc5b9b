import { rumoursMax, type Life, type Rumour, type SwimMessage } from './swim-message.ts';

/** Kind bytes. Part of the wire format: never reused. */
const messageKinds = { ping: 1, ack: 2, ask: 3, nack: 4, news: 5 } as const;
const rumourKinds = { suspect: 1, alive: 2, dead: 3 } as const;

/** A message as bytes: kind, stalled, refutations, what the kind has, rumours. Numbers are big-endian. */
export function encodeSwim(message: SwimMessage): Buffer {
  const writer = new Writer();
  writer.byte(messageKinds[message.kind]);
  writer.byte(message.isStalled ? 1 : 0);
  writer.uint32(message.refutations);
  if (message.kind !== 'news') writer.uint32(message.serial);
  if ('about' in message) writer.life(message.about);
  if (message.kind === 'ack') writer.uint32(message.aboutRefutations);
  writer.byte(message.rumours.length);
  for (const rumour of message.rumours) {
    writer.byte(rumourKinds[rumour.kind]);
    writer.life(rumour.about);
    writer.uint32(rumour.refutations);
    if (rumour.kind !== 'alive') writer.name(rumour.by);
  }
  return writer.bytes();
}

/** The message in bytes from outside, or undefined when they are none. */
export function decodeSwim(bytes: Uint8Array): SwimMessage | undefined {
  const reader = new Reader(bytes);
  const message = readMessage(reader);
  return reader.isDone ? message : undefined;
}

function readMessage(reader: Reader): SwimMessage | undefined {
  const kind = reader.byte();
  const isStalled = reader.byte() === 1;
  const refutations = reader.uint32();
  switch (kind) {
    case messageKinds.news:
      return { kind: 'news', refutations, isStalled, rumours: readRumours(reader) };
    case messageKinds.nack: {
      const serial = reader.uint32();
      return { kind: 'nack', serial, refutations, isStalled, rumours: readRumours(reader) };
    }
    case messageKinds.ping:
    case messageKinds.ask: {
      const [serial, about] = [reader.uint32(), reader.life()];
      const name = kind === messageKinds.ping ? 'ping' : 'ask';
      return { kind: name, serial, about, refutations, isStalled, rumours: readRumours(reader) };
    }
    case messageKinds.ack: {
      const [serial, about, aboutRefutations] = [reader.uint32(), reader.life(), reader.uint32()];
      const rumours = readRumours(reader);
      return { kind: 'ack', serial, about, aboutRefutations, refutations, isStalled, rumours };
    }
    default:
      return undefined;
  }
}

function readRumours(reader: Reader): readonly Rumour[] {
  const count = reader.byte();
  if (count > rumoursMax) reader.fail();
  const rumours: Rumour[] = [];
  for (let index = 0; index < count && !reader.hasFailed; index++) {
    const kind = reader.byte();
    const [about, refutations] = [reader.life(), reader.uint32()];
    if (kind === rumourKinds.alive) rumours.push({ kind: 'alive', about, refutations });
    else if (kind === rumourKinds.suspect)
      rumours.push({ kind: 'suspect', about, refutations, by: reader.name() });
    else if (kind === rumourKinds.dead)
      rumours.push({ kind: 'dead', about, refutations, by: reader.name() });
    else reader.fail();
  }
  return rumours;
}

const nameBytesMax = 63;
const namePattern = /^[\w.-]+$/;
const roomBytes = 1_400;

class Writer {
  readonly #bytes = Buffer.allocUnsafe(roomBytes);
  #at = 0;

  byte(value: number): void {
    this.#at = this.#bytes.writeUInt8(value, this.#at);
  }

  uint32(value: number): void {
    this.#at = this.#bytes.writeUInt32BE(value, this.#at);
  }

  name(name: string): void {
    this.byte(name.length);
    this.#at += this.#bytes.write(name, this.#at, 'latin1');
  }

  life({ node, incarnation }: Life): void {
    this.name(node);
    this.#at = this.#bytes.writeDoubleBE(incarnation, this.#at);
  }

  bytes(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }
}

/** Reads zeros once it has failed, so that callers need to look only at the end. */
class Reader {
  readonly #bytes: DataView;
  #at = 0;
  #hasFailed = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get hasFailed(): boolean {
    return this.#hasFailed;
  }

  /** Whether all was read, and nothing beyond the end. */
  get isDone(): boolean {
    return !this.#hasFailed && this.#at === this.#bytes.byteLength;
  }

  fail(): void {
    this.#hasFailed = true;
  }

  byte(): number {
    return this.#has(1) ? this.#bytes.getUint8(this.#at++) : 0;
  }

  uint32(): number {
    if (!this.#has(4)) return 0;
    this.#at += 4;
    return this.#bytes.getUint32(this.#at - 4);
  }

  name(): string {
    const length = this.byte();
    if (length > nameBytesMax) this.fail();
    if (!this.#has(length)) return '';
    let name = '';
    for (let end = this.#at + length; this.#at < end; this.#at++) {
      name += String.fromCharCode(this.#bytes.getUint8(this.#at));
    }
    if (!namePattern.test(name)) this.fail();
    return name;
  }

  life(): Life {
    const node = this.name();
    if (!this.#has(8)) return { node, incarnation: 0 };
    this.#at += 8;
    const incarnation = this.#bytes.getFloat64(this.#at - 8);
    if (!Number.isSafeInteger(incarnation) || incarnation < 0) this.fail();
    return { node, incarnation };
  }

  #has(count: number): boolean {
    if (this.#at + count > this.#bytes.byteLength) this.fail();
    return !this.#hasFailed;
  }
}
