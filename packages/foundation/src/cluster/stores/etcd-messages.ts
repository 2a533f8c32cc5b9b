import type { Versioned } from '../store.ts';

/*
 * Messages of etcd's gateway: protobuf in JSON. Bytes are base64, 64-bit numbers are texts, and what is zero, false
 * or empty is left out. Nothing that arrives is believed: what a parser does not understand is `undefined`.
 */

/** What a range request found. */
export interface Found {
  /** Of the whole store when it was read. */
  readonly revision: number;
  readonly entries: readonly Entry[];
}

export interface Entry extends Versioned {
  readonly key: string;
}

/** One change of a key. `value` is undefined when it was deleted. */
export interface Change {
  readonly key: string;
  readonly revision: number;
  readonly value: Uint8Array | undefined;
}

/** What a watch stream says of one of its watches, which have numbers. */
export type WatchMessage =
  | { readonly kind: 'created'; readonly id: number; readonly revision: number }
  | {
      readonly kind: 'changed';
      readonly id: number;
      readonly changes: readonly Change[];
      /** Whether the next message may be of a later revision only. */
      readonly isWhole: boolean;
    }
  /** What it was to go on from has been compacted away. */
  | { readonly kind: 'compacted'; readonly id: number }
  /** It ends, or the whole stream does. */
  | { readonly kind: 'refused'; readonly words: string };

/** The keys of one store, apart from all others of that etcd. */
export class Keyspace {
  readonly #namespace: string;

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  key(key: string): string {
    return base64(this.#namespace + key);
  }

  /** All keys that begin with a prefix: up to what comes after the last of them. */
  range(prefix: string): { readonly key: string; readonly range_end: string } {
    const end = Buffer.from(this.#namespace + prefix);
    // Text in UTF-8 has no byte 0xff.
    end[end.length - 1] = (end.at(-1) ?? 0) + 1;
    return { key: this.key(prefix), range_end: end.toString('base64') };
  }

  parseRange(body: unknown): Found | undefined {
    const { header, kvs } = fieldsOf(body);
    const revision = wholeNumber(fieldsOf(header)['revision']);
    const entries = listOf(kvs, (kv) => this.#entryOf(kv));
    return revision === undefined || entries === undefined ? undefined : { revision, entries };
  }

  parseWatch(message: unknown): WatchMessage | undefined {
    const { result, error } = fieldsOf(message);
    if (error !== undefined) return { kind: 'refused', words: String(fieldsOf(error)['message']) };
    const { header, events, ...told } = fieldsOf(result);
    const id = wholeNumber(told['watch_id'] ?? 0);
    if (id === undefined) return undefined;
    if (told['canceled'] === true) {
      if (wholeNumber(told['compact_revision']) !== undefined) return { kind: 'compacted', id };
      return { kind: 'refused', words: String(told['cancel_reason']) };
    }
    if (told['created'] === true) {
      const revision = wholeNumber(fieldsOf(header)['revision']);
      return revision === undefined ? undefined : { kind: 'created', id, revision };
    }
    const changes = listOf(events, (event) => this.#changeOf(event));
    return changes && { kind: 'changed', id, changes, isWhole: told['fragment'] !== true };
  }

  #entryOf(kv: unknown): Entry | undefined {
    const { key, value, mod_revision: revision } = fieldsOf(kv);
    const version = wholeNumber(revision);
    const bytes = bytesOf(value);
    if (typeof key !== 'string' || version === undefined || bytes === undefined) return undefined;
    const name = Buffer.from(key, 'base64').toString();
    return { key: name.slice(this.#namespace.length), version, value: bytes };
  }

  #changeOf(event: unknown): Change | undefined {
    const { type, kv } = fieldsOf(event);
    const entry = this.#entryOf(kv);
    if (entry === undefined) return undefined;
    const { key, version: revision } = entry;
    return { key, revision, value: type === 'DELETE' ? undefined : entry.value };
  }
}

/** What a conditional write came to. */
export interface Written {
  readonly isDone: boolean;
  readonly revision: number;
}

export function parseWritten(body: unknown): Written | undefined {
  const { header, succeeded } = fieldsOf(body);
  const revision = wholeNumber(fieldsOf(header)['revision']);
  return revision === undefined ? undefined : { isDone: succeeded === true, revision };
}

/** How many servers vote. */
export function parseVoters(body: unknown): number | undefined {
  const members = listOf(fieldsOf(body)['members'], fieldsOf);
  const voters = members?.filter((member) => member['isLearner'] !== true).length;
  return voters === 0 ? undefined : voters;
}

export function parseToken(body: unknown): string | undefined {
  const { token } = fieldsOf(body);
  return typeof token === 'string' ? token : undefined;
}

/** The version that all servers have at least. */
export function parseVersion(body: unknown): string | undefined {
  const { etcdcluster, etcdserver } = fieldsOf(body);
  const versions = [etcdcluster, etcdserver].filter((each) => typeof each === 'string');
  // The cluster has none until the first leader has decided it.
  return versions.find((each) => /^\d+\.\d+\./.test(each));
}

/** Which etcd has answered; not all messages say. */
export function clusterOf(body: unknown): string | undefined {
  const { cluster_id: id } = fieldsOf(fieldsOf(body)['header']);
  return typeof id === 'string' ? id : undefined;
}

export function base64(bytes: string | Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function bytesOf(value: unknown): Uint8Array | undefined {
  if (value !== undefined && typeof value !== 'string') return undefined;
  // Bytes of their own: small buffers are parts of a pool.
  return new Uint8Array(Buffer.from(value ?? '', 'base64'));
}

function wholeNumber(value: unknown): number | undefined {
  const number = typeof value === 'string' ? Number(value) : value;
  return Number.isSafeInteger(number) ? Number(number) : undefined;
}

function listOf<T>(value: unknown, parse: (item: unknown) => T | undefined): T[] | undefined {
  if (value === undefined) return [];
  if (!Array.isArray(value)) return undefined;
  const items = value.map(parse).filter((item) => item !== undefined);
  return items.length === value.length ? items : undefined;
}

/** The fields of an object; none of anything else. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? { ...value } : {};
}
