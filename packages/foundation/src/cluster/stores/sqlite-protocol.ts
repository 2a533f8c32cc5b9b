import type { Advertisement } from '../discovery.ts';
import type { Versioned } from '../store.ts';

/** What the database thread is asked and what it answers. */
export interface SqliteProtocol {
  /** Opens the file, or finds it open. */
  readonly open: { readonly request: null; readonly reply: null };

  readonly get: { readonly request: string; readonly reply: Versioned | undefined };
  readonly compareAndSet: { readonly request: KeyWrite; readonly reply: number | undefined };
  readonly delete: { readonly request: KeyAtVersion; readonly reply: boolean };
  readonly list: { readonly request: string; readonly reply: readonly string[] };
  /** What is under each prefix, unless nothing has changed since `state`. */
  readonly survey: {
    readonly request: { readonly prefixes: readonly string[]; readonly state: string };
    readonly reply: Overview | undefined;
  };

  /** Holds a name for a process and hands out its incarnation, at least `atLeast`. */
  readonly reserve: {
    readonly request: {
      readonly row: NodeRow;
      readonly atLeast: number;
      readonly limit: Freshness;
    };
    readonly reply: Holding;
  };
  /** Writes a node's row anew, and sweeps the rows of dead nodes away. */
  readonly hold: {
    readonly request: { readonly row: NodeRow; readonly limit: Freshness };
    readonly reply: Holding;
  };
  /** Live nodes that have an address, by name. */
  readonly look: { readonly request: Freshness; readonly reply: readonly Advertisement[] };
  readonly withdraw: {
    readonly request: { readonly node: string; readonly incarnation: number };
    readonly reply: null;
  };
}

export type SqliteOperation = keyof SqliteProtocol;

export type SqliteRequest<Op extends SqliteOperation = SqliteOperation> = {
  readonly [P in Op]: { readonly op: P; readonly body: SqliteProtocol[P]['request'] };
}[Op];

export type SqliteHandlers = {
  readonly [Op in SqliteOperation]: (
    body: SqliteProtocol[Op]['request'],
  ) => SqliteProtocol[Op]['reply'];
};

/**
 * The answer to a batch. `busy`: another process holds the write lock, so nothing was written; the
 * reads of the batch are answered in their order, unless even reading was not possible.
 */
export type BatchAnswer =
  | { readonly kind: 'done'; readonly replies: readonly unknown[] }
  | { readonly kind: 'busy'; readonly reads: readonly unknown[] | undefined }
  | { readonly kind: 'failed'; readonly message: string };

/** Versions of the keys under some prefixes. */
export interface Overview {
  /** Names what the file holds now: another one after each write, of this process or another. */
  readonly state: string;
  /** For each prefix the keys that are there, each with its version. */
  readonly found: readonly (readonly (readonly [key: string, version: number])[])[];
}

/** What the thread is told when it starts. */
export interface SqliteSettings {
  readonly path: string;
  readonly synchronous: 'NORMAL' | 'FULL';
  readonly busyMs: number;
}

export interface KeyAtVersion {
  readonly key: string;
  readonly version: number;
}

export interface KeyWrite extends KeyAtVersion {
  readonly value: Uint8Array;
}

/** One node in the rendezvous. */
export interface NodeRow extends Advertisement {
  /** Process id that the operating system gave. */
  readonly osPid: number;
  /** Names one run of the machine; a row of another one is stale. Empty where unknown. */
  readonly bootId: string;
  /** Milliseconds of the machine's monotonic clock. */
  readonly heartbeat: number;
}

/** When a row counts as live: of this boot, and beaten within `staleMs` before `now`. */
export interface Freshness {
  readonly bootId: string;
  readonly now: number;
  readonly staleMs: number;
}

/** Whether a name is ours, or the process that holds it. */
export type Holding =
  | { readonly outcome: 'held'; readonly incarnation: number }
  | { readonly outcome: 'taken'; readonly osPid: number };

const readOperations: ReadonlySet<SqliteOperation> = new Set([
  'open',
  'get',
  'list',
  'survey',
  'look',
]);

/** Whether a request changes nothing, and so needs no write lock. */
export function isRead(request: SqliteRequest): boolean {
  return readOperations.has(request.op);
}
