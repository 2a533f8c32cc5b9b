import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';

/** A frame on the wire: length of the rest (u32), kind (u8), call id (u32), body. */
const headerBytes = 9;
const batchBytes = 65_536;

export interface Frame {
  readonly kind: number;
  readonly id: number;
  /** Valid only during the call of the handler. */
  readonly body: Buffer;
}

const psk = createHash('sha256').update('bench').digest();
const tls13 = {
  ciphers: 'TLS_AES_128_GCM_SHA256',
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
} as const;

/** Length-prefixed frames on a TLS 1.3 socket with a pre-shared key; all of one turn leave in one write. */
export class FrameSocket {
  readonly #socket: TLSSocket;
  readonly #onFrame: (frame: Frame) => void;
  #batch = Buffer.allocUnsafe(batchBytes);
  #used = 0;
  #rest: Buffer | undefined;

  constructor(socket: TLSSocket, onFrame: (frame: Frame) => void) {
    this.#socket = socket;
    this.#onFrame = onFrame;
    socket.setNoDelay(true);
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('error', () => socket.destroy());
  }

  send(kind: number, id: number, body: Uint8Array): void {
    const size = headerBytes + body.length;
    if (this.#used + size > this.#batch.length) this.#flush();
    if (size > this.#batch.length) this.#batch = Buffer.allocUnsafe(size);
    if (this.#used === 0) process.nextTick(() => this.#flush());
    const batch = this.#batch;
    let at = batch.writeUInt32LE(size - 4, this.#used);
    at = batch.writeUInt8(kind, at);
    at = batch.writeUInt32LE(id, at);
    batch.set(body, at);
    this.#used += size;
  }

  close(): void {
    this.#socket.destroy();
  }

  #flush(): void {
    if (this.#used === 0) return;
    this.#socket.write(this.#batch.subarray(0, this.#used));
    // What was given to write() may still be read by it: carry on behind it, or in a new batch.
    const room = this.#batch.subarray(this.#used);
    this.#batch = room.length >= batchBytes / 4 ? room : Buffer.allocUnsafe(batchBytes);
    this.#used = 0;
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest === undefined ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (bytes.length - at >= 4) {
      const end = at + 4 + bytes.readUInt32LE(at);
      if (end > bytes.length) break;
      this.#onFrame({
        kind: bytes.readUInt8(at + 4),
        id: bytes.readUInt32LE(at + 5),
        body: bytes.subarray(at + headerBytes, end),
      });
      at = end;
    }
    this.#rest = at === bytes.length ? undefined : bytes.subarray(at);
  }
}

/** Listens on a free port of the loopback; the handler of each socket is made by `accept`. */
export async function listenFrames(
  accept: (send: FrameSocket['send']) => (frame: Frame) => void,
): Promise<Server> {
  const server = createServer({ ...tls13, pskCallback: () => psk }, (socket) => {
    const frames: FrameSocket = new FrameSocket(
      socket,
      accept((kind, id, body) => frames.send(kind, id, body)),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

/** Connects to a port of the loopback. */
export async function connectFrames(
  port: number,
  onFrame: (frame: Frame) => void,
): Promise<FrameSocket> {
  const socket = connect({
    ...tls13,
    host: '127.0.0.1',
    port,
    pskCallback: () => ({ psk, identity: 'bench' }),
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
  return new FrameSocket(socket, onFrame);
}
