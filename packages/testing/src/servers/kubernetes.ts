import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { debianProgram } from './debian.ts';
import { EndpointTable, type ServiceEndpoints, type SliceChange } from './endpoint-table.ts';
import { apiDocument } from './kubernetes-api.ts';

/** What goes wrong with a request. */
export type KubernetesTrouble = 'hang' | 500 | 503 | 403;

/**
 * A server that speaks the part of the Kubernetes API that is about EndpointSlices: discovery of the API, list and
 * watch by bearer token over TLS, bookmarks, versions that expire. Debian's `kubectl` takes it for one.
 */
export interface KubernetesServer extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  /** Below it, `var/run/secrets` has the files of a service account, as in a pod. */
  readonly root: string;
  /** Path of a kubeconfig file. */
  readonly kubeconfig: string;
  /** Verbs of requests so far, `list` and `watch`. */
  readonly requests: readonly string[];
  /** Streams that are open. */
  readonly watches: number;
  /** Requests that get no answer and have not been given up. */
  readonly hanging: number;
  /** Sets the endpoints of a service in the namespace `default`. */
  put(service: string, endpoints: ServiceEndpoints): void;
  /** From now on all requests of these verbs go wrong, and streams break; undefined heals. */
  trouble(trouble: KubernetesTrouble | undefined, verbs?: readonly ('list' | 'watch')[]): void;
  /** Breaks all streams in the middle. */
  dropWatches(): void;
  /** Ends all streams and forgets what was before now: who comes back from there is told 410. */
  expire(): void;
  /** Tells all streams up to which version they know everything. */
  bookmark(): void;
  /** Takes another token from now on; the old one is refused. The mounted file is changed, too, if so wanted. */
  rotateToken(mount: boolean): void;
}

interface Stream {
  readonly reply: ServerResponse;
  readonly apiVersion: string;
  readonly service: string | undefined;
}

const openssl = { package: 'openssl', path: 'usr/bin/openssl', how: 'install' } as const;
const account = 'var/run/secrets/kubernetes.io/serviceaccount';

/** Starts such a server on a free port of loopback. */
export async function startKubernetes(): Promise<KubernetesServer> {
  const root = mkdtempSync(join(tmpdir(), 'foundation-kubernetes-'));
  try {
    const { key, cert } = selfSigned(await debianProgram(openssl), root);
    const server = new ApiServer(root, cert, createServer({ key, cert }));
    await server.listen();
    return server;
  } catch (error) {
    rmSync(root, { recursive: true });
    throw error;
  }
}

class ApiServer implements KubernetesServer {
  readonly host = '127.0.0.1';
  readonly root: string;
  readonly kubeconfig: string;
  readonly requests: string[] = [];
  port = 0;
  readonly #server: Server;
  readonly #ca: string;
  readonly #table = new EndpointTable();
  readonly #streams = new Set<Stream>();
  readonly #hanging = new Set<ServerResponse>();
  #token = 'token-1';
  #trouble: { readonly kind: KubernetesTrouble; readonly verbs: readonly string[] } | undefined;

  constructor(root: string, ca: string, server: Server) {
    this.root = root;
    this.kubeconfig = join(root, 'kubeconfig');
    this.#ca = ca;
    this.#server = server;
    server.on('request', (request: IncomingMessage, reply: ServerResponse) => {
      this.#serve(request, reply);
    });
  }

  get watches(): number {
    return this.#streams.size;
  }

  get hanging(): number {
    return this.#hanging.size;
  }

  async listen(): Promise<void> {
    this.#server.listen(0, this.host);
    await once(this.#server, 'listening');
    this.port = (this.#server.address() as AddressInfo).port;
    const directory = join(this.root, account);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, 'ca.crt'), this.#ca);
    writeFileSync(join(directory, 'namespace'), 'default\n');
    this.#mount();
  }

  put(service: string, endpoints: ServiceEndpoints): void {
    for (const change of this.#table.put(service, endpoints)) this.#tell(change);
  }

  trouble(
    kind: KubernetesTrouble | undefined,
    verbs: readonly ('list' | 'watch')[] = ['list', 'watch'],
  ): void {
    this.#trouble = kind === undefined ? undefined : { kind, verbs };
    if (kind !== undefined && kind !== 'hang' && verbs.includes('watch')) this.dropWatches();
  }

  dropWatches(): void {
    for (const { reply } of this.#streams) reply.destroy();
    this.#streams.clear();
  }

  expire(): void {
    this.#table.forget();
    for (const { reply } of this.#streams) reply.end();
    this.#streams.clear();
  }

  bookmark(): void {
    for (const stream of this.#streams) write(stream, 'BOOKMARK', this.#table.bookmark());
  }

  rotateToken(mount: boolean): void {
    this.#token = `${this.#token}x`;
    if (mount) this.#mount();
    this.dropWatches();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    this.#server.closeAllConnections();
    await closed;
    rmSync(this.root, { recursive: true, force: true });
  }

  #mount(): void {
    writeFileSync(join(this.root, account, 'token'), this.#token);
    writeFileSync(this.kubeconfig, JSON.stringify(this.#configuration()));
  }

  /** JSON is YAML. */
  #configuration(): object {
    const server = `https://${this.host}:${this.port}`;
    const authority = Buffer.from(this.#ca).toString('base64');
    return {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': authority } }],
      users: [{ name: 'test', user: { token: this.#token } }],
      contexts: [
        { name: 'test', context: { cluster: 'test', user: 'test', namespace: 'default' } },
      ],
      'current-context': 'test',
    };
  }

  #serve(request: IncomingMessage, reply: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'https://server');
    if (request.headers.authorization !== `Bearer ${this.#token}`) return refuse(reply, 401);
    const document = apiDocument(url.pathname);
    if (document !== undefined) return send(reply, document);
    const path = /^\/apis\/discovery\.k8s\.io\/(v1|v1beta1)\/namespaces\/default\/endpointslices$/;
    const [, version] = path.exec(url.pathname) ?? [];
    if (version === undefined || request.method !== 'GET') return refuse(reply, 404);
    const verb = url.searchParams.get('watch') === 'true' ? 'watch' : 'list';
    this.requests.push(verb);
    if (this.#trouble?.verbs.includes(verb) === true) {
      if (this.#trouble.kind === 'hang') return this.#hang(reply);
      return refuse(reply, this.#trouble.kind);
    }
    const selector = url.searchParams.get('labelSelector') ?? '';
    const [, service] = /^kubernetes\.io\/service-name=(.+)$/.exec(selector) ?? [];
    const apiVersion = `discovery.k8s.io/${version}`;
    if (verb === 'list') return send(reply, this.#table.list(apiVersion, service));
    this.#watch({ reply, apiVersion, service }, Number(url.searchParams.get('resourceVersion')));
  }

  #watch(stream: Stream, from: number): void {
    stream.reply.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const missed = this.#table.since(from);
    if (missed === undefined) {
      write(stream, 'ERROR', status(410));
      stream.reply.end();
      return;
    }
    this.#streams.add(stream);
    stream.reply.once('close', () => this.#streams.delete(stream));
    for (const change of missed) tell(stream, change);
  }

  #hang(reply: ServerResponse): void {
    this.#hanging.add(reply);
    reply.once('close', () => this.#hanging.delete(reply));
  }

  #tell(change: SliceChange): void {
    if (this.#trouble?.kind === 'hang') return;
    for (const stream of this.#streams) tell(stream, change);
  }
}

function tell(stream: Stream, { type, slice }: SliceChange): void {
  const { apiVersion, service } = stream;
  const isMeant =
    service === undefined || slice.metadata.labels['kubernetes.io/service-name'] === service;
  if (isMeant) write(stream, type, { ...slice, apiVersion });
}

function write({ reply }: Stream, type: string, object: object): void {
  reply.write(`${JSON.stringify({ type, object })}\n`);
}

function send(reply: ServerResponse, document: object): void {
  reply.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(document));
}

function refuse(reply: ServerResponse, code: number): void {
  reply.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(status(code)));
}

/** What the API calls its refusals. */
const reasons: ReadonlyMap<number, string> = new Map([
  [401, 'Unauthorized'],
  [403, 'Forbidden'],
  [404, 'NotFound'],
  [410, 'Expired'],
]);

function status(code: number): object {
  const reason = reasons.get(code) ?? 'InternalError';
  return { apiVersion: 'v1', kind: 'Status', status: 'Failure', reason, code, message: reason };
}

/** A certificate for loopback. */
function selfSigned(
  command: string,
  directory: string,
): { readonly key: string; readonly cert: string } {
  const [key, cert] = [join(directory, 'server.key'), join(directory, 'server.crt')];
  const how = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2';
  const whose = '-subj /CN=kubernetes -addext subjectAltName=IP:127.0.0.1';
  const args = [...`${how} ${whose}`.split(' '), '-keyout', key, '-out', cert];
  const { status: code, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (code !== 0) throw new Error(`openssl failed: ${error?.message ?? stderr}`);
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
