import * as http from 'node:http';
import * as https from 'node:https';

import type { Clock } from '../../clock.ts';
import { messageOf } from '../../errors.ts';
import { LineReader } from './etcd-lines.ts';
import { fieldsOf } from './etcd-messages.ts';
import type { EtcdTls } from './etcd-options.ts';

/** One request to the HTTP gateway. Without a `body` it is a GET. */
export interface EtcdRequest {
  readonly path: string;
  readonly body?: string | undefined;
  /** Empty: none. */
  readonly token?: string | undefined;
  readonly timeoutMs: number;
}

/** What came of a request. */
export type EtcdAnswer =
  | { readonly kind: 'reply'; readonly body: unknown }
  | EtcdRefusal
  | EtcdSilence;

/** Etcd has refused it, in its own words. */
export interface EtcdRefusal {
  readonly kind: 'refusal';
  readonly status: number;
  readonly words: string;
}

/** No answer. */
export interface EtcdSilence {
  readonly kind: 'silence';
  /** Whether some of the request may have arrived. */
  readonly isSent: boolean;
  readonly reason: string;
}

/** What a stream tells. */
interface EtcdStreamHandlers {
  readonly onMessage: (message: unknown) => void;
  /** It has ended, and nobody asked it to. Told once. */
  readonly onEnd: (answer: EtcdRefusal | EtcdSilence) => void;
}

/** A request on its way. */
interface Sending {
  readonly request: http.ClientRequest;
  readonly isSent: () => boolean;
}

/** Requests at once; more wait for their turn. Etcd itself gets no faster from more. */
const socketsMax = 64;
/** A page of text is enough of what is no etcd. */
const wordsMax = 200;
/** Bytes of one reply or message. All keys of a big prefix come in one. */
const replyBytesMax = 256 * 1024 * 1024;

/** One server of etcd, over HTTP with connections that are kept. */
export class EtcdServer {
  readonly url: string;
  readonly #request: typeof http.request;
  readonly #agent: http.Agent;
  /** A stream has a connection of its own. */
  readonly #streams: http.Agent;
  readonly #clock: Clock;

  constructor(url: URL, { tls, clock }: { readonly tls: EtcdTls; readonly clock: Clock }) {
    this.url = url.origin;
    this.#clock = clock;
    if (url.protocol === 'https:') {
      this.#request = https.request;
      this.#agent = new https.Agent({ ...tls, keepAlive: true, maxSockets: socketsMax });
      this.#streams = new https.Agent(tls);
    } else {
      this.#request = http.request;
      this.#agent = new http.Agent({ keepAlive: true, maxSockets: socketsMax });
      this.#streams = new http.Agent();
    }
  }

  /** Never rejects. */
  ask(request: EtcdRequest): Promise<EtcdAnswer> {
    return new Promise((resolve) => {
      const sending = this.#send(request, this.#agent);
      const { timeoutMs } = request;
      const timer = this.#clock.after(timeoutMs, () => {
        sending.request.destroy(noAnswer(timeoutMs));
      });
      const settle = (answer: EtcdAnswer): void => {
        timer.cancel();
        resolve(answer);
      };
      const onError = (error: Error): void => settle(silence(sending, error));
      sending.request.on('error', onError).on('response', (response) => {
        collect(response).then((text) => settle(answerOf(response.statusCode, text)), onError);
      });
    });
  }

  /**
   * Asks for a stream of messages, one a line. It does not keep the program alive.
   *
   * @param request - `timeoutMs` counts until the first byte.
   */
  stream(request: EtcdRequest, { onMessage, onEnd }: EtcdStreamHandlers): Disposable {
    let isOver = false;
    const { timeoutMs } = request;
    const sending = this.#send(request, this.#streams);
    const close = (): void => {
      isOver = true;
      timer.cancel();
      sending.request.destroy();
    };
    const end = (answer: EtcdRefusal | EtcdSilence): void => {
      if (isOver) return;
      close();
      onEnd(answer);
    };
    const onError = (error: Error): void => end(silence(sending, error));
    const timer = this.#clock.after(timeoutMs, () => onError(noAnswer(timeoutMs)), 'background');
    const lines = new LineReader(replyBytesMax, (line) => {
      if (!isOver) onMessage(parsed(line));
    });
    const onData = (chunk: Buffer): void => {
      timer.cancel();
      if (!lines.push(chunk)) onError(tooLong());
    };
    const onResponse = (response: http.IncomingMessage): void => {
      response.on('error', onError);
      if (response.statusCode === 200) {
        response.on('data', onData).on('end', () => onError(new Error('the stream has ended')));
      } else collect(response).then((text) => end(refusalOf(response.statusCode, text)), onError);
    };
    sending.request
      .on('error', onError)
      .on('socket', (socket) => socket.unref())
      .on('response', onResponse);
    return { [Symbol.dispose]: close };
  }

  /** Drops the connections. What is asked later makes new ones. */
  close(): void {
    this.#agent.destroy();
    this.#streams.destroy();
  }

  #send({ path, body, token }: EtcdRequest, agent: http.Agent): Sending {
    let isSent = false;
    const request = this.#request(`${this.url}${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        // A server that knows of no leader says so at once, instead of waiting for one.
        'grpc-metadata-hasleader': 'true',
        ...(body !== undefined && { 'content-length': Buffer.byteLength(body) }),
        ...(token && { authorization: token }),
      },
    });
    request.once('socket', (socket) => {
      if (!socket.connecting) isSent = true;
      else {
        const connected = this.#request === https.request ? 'secureConnect' : 'connect';
        socket.once(connected, () => (isSent = true));
      }
    });
    request.end(body);
    return { request, isSent: () => isSent };
  }
}

async function collect(response: http.IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > replyBytesMax) throw tooLong();
  }
  return Buffer.concat(chunks).toString();
}

function answerOf(status: number | undefined, text: string): EtcdAnswer {
  return status === 200 ? { kind: 'reply', body: parsed(text) } : refusalOf(status, text);
}

function refusalOf(status = 0, text: string): EtcdRefusal {
  const { message } = fieldsOf(parsed(text));
  const words = typeof message === 'string' ? message : text.trim();
  return { kind: 'refusal', status, words: words.slice(0, wordsMax) };
}

function silence({ isSent }: Sending, error: NodeJS.ErrnoException): EtcdSilence {
  const { code = '' } = error;
  const message = messageOf(error);
  // Of some errors only the code says anything.
  const reason = message.includes(code) ? message : `${code}: ${message}`;
  return { kind: 'silence', isSent: isSent(), reason };
}

function noAnswer(timeoutMs: number): Error {
  return new Error(`no answer within ${Math.round(timeoutMs)} ms`);
}

function tooLong(): Error {
  return new Error(`an answer of more than ${replyBytesMax} bytes`);
}

/** What a text means as JSON; undefined if nothing. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
