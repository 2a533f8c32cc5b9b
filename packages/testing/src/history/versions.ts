import { byKey } from './operation.ts';
import { valuesByVersion, type StoreOperation, type StoreRequest } from './store-history.ts';

/** What is wrong with a history of versions. */
export interface VersionProblem {
  readonly what:
    | 'two writes have one version'
    | 'versions run against time'
    | 'an update was lost'
    | 'a living value was created over'
    | 'a value was read that nobody wrote'
    | 'a value is not that of its version'
    | 'a value was read before it was written'
    | 'an old value was read'
    | 'an acknowledged write is missing';
  readonly key: string;
  /** The operation that shows it, and the one that it contradicts. */
  readonly at: StoreOperation;
  readonly against: StoreOperation | undefined;
}

/** A write that took effect. `endedAt` is Infinity where nobody was told when. */
interface Write {
  readonly version: number;
  /** Undefined where it writes over whatever is there. */
  readonly over: number | undefined;
  readonly value: string;
  readonly calledAt: number;
  readonly endedAt: number;
  readonly operation: StoreOperation;
}

/**
 * What is wrong with a history whose values have versions. Versions say in which order writes took effect, so
 * that, unlike by a search, every history is decided, however long and however many clients there were; it
 * finds what users suffer from: lost updates, lost writes, and reads of what is over. Values must be unique for
 * each key. A history without problems may still not be linearizable: see {@link checkLinearizable}.
 */
export function checkVersions(history: readonly StoreOperation[]): readonly VersionProblem[] {
  return [...byKey(history)].flatMap(([key, operations]) =>
    new KeyHistory(key, operations).problems(),
  );
}

class KeyHistory {
  readonly #key: string;
  readonly #operations: readonly StoreOperation[];
  /** In the order of their versions. */
  readonly #writes: readonly Write[];
  readonly #byVersion: ReadonlyMap<number, Write>;
  /** The deletes that may have taken effect, by the version that they named. */
  readonly #deletes: ReadonlyMap<number, readonly StoreOperation[]>;
  readonly #problems: VersionProblem[] = [];

  constructor(key: string, operations: readonly StoreOperation[]) {
    this.#key = key;
    this.#operations = operations;
    this.#writes = writesOf(operations);
    this.#byVersion = new Map(this.#writes.map((write) => [write.version, write]));
    this.#deletes = Map.groupBy(
      operations.filter(({ request, reply }) => request.kind === 'delete' && mayHave(reply)),
      ({ request }) => (request.kind === 'delete' ? request.version : 0),
    );
  }

  problems(): readonly VersionProblem[] {
    this.#checkOrder();
    this.#checkUpdates();
    this.#checkReads();
    return this.#problems;
  }

  #checkOrder(): void {
    let latest: Write | undefined;
    for (const [index, write] of this.#writes.entries()) {
      const before = this.#writes[index - 1];
      if (before?.version === write.version) {
        this.#tell('two writes have one version', write, before);
      }
      if (latest !== undefined && write.endedAt < latest.calledAt) {
        this.#tell('versions run against time', write, latest);
      }
      if (latest === undefined || write.calledAt > latest.calledAt) latest = write;
    }
  }

  /** Between what a write names and the write there can be nothing. */
  #checkUpdates(): void {
    for (const [index, write] of this.#writes.entries()) {
      const before = this.#writes[index - 1];
      if (before === undefined || before.version === write.version) continue;
      if (write.over === undefined) continue;
      if (write.over === 0) {
        if (!this.#deletes.has(before.version)) {
          this.#tell('a living value was created over', write, before);
        }
      } else if (before.version > write.over) {
        this.#tell('an update was lost', write, before);
      } else if (this.#isDeleted(before.version)) {
        const [deleting] = this.#deletes.get(before.version) ?? [];
        this.#tell('an update was lost', write, deleting);
      }
    }
  }

  /** Whether somebody was told that a delete of a version has taken effect. */
  #isDeleted(version: number): boolean {
    return (this.#deletes.get(version) ?? []).some(({ reply }) => reply !== 'unknown');
  }

  #checkReads(): void {
    const reads = this.#operations
      .filter(({ request, reply }) => request.kind === 'get' && reply !== 'unknown')
      .toSorted((a, b) => a.calledAt - b.calledAt);
    const seen = new Floor([...this.#writes.map(writtenFrom), ...reads.flatMap(readFrom)]);
    for (const read of reads) {
      if (read.reply === 'unknown') continue;
      const { output, at } = read.reply;
      const floor = seen.before(read.calledAt);
      if (typeof output !== 'object') {
        if (floor !== undefined && !this.#mayBeGone(floor.version, at)) {
          this.#tell('an acknowledged write is missing', read, floor);
        }
        continue;
      }
      this.#checkValue(read, output, at);
      if (floor !== undefined && output.version < floor.version) {
        this.#tell('an old value was read', read, floor);
      }
      const deleting = this.#deletes.get(output.version)?.find(({ reply }) => {
        return reply !== 'unknown' && reply.at < read.calledAt;
      });
      if (deleting !== undefined) this.#tell('an old value was read', read, deleting);
    }
  }

  #checkValue(
    read: StoreOperation,
    { version, value }: { readonly version: number; readonly value: string },
    at: number,
  ): void {
    const write = this.#byVersion.get(version);
    if (write === undefined) this.#tell('a value was read that nobody wrote', read, undefined);
    else if (write.value !== value) this.#tell('a value is not that of its version', read, write);
    else if (at < write.calledAt) this.#tell('a value was read before it was written', read, write);
  }

  /** Whether a version, or one that followed it, may have been deleted by then. */
  #mayBeGone(version: number, at: number): boolean {
    return [...this.#deletes].some(
      ([named, deletes]) => named >= version && deletes.some(({ calledAt }) => calledAt <= at),
    );
  }

  #tell(what: VersionProblem['what'], at: Shown, against: Shown | undefined): void {
    const shown = against && operationOf(against);
    this.#problems.push({ what, key: this.#key, at: operationOf(at), against: shown });
  }
}

type Shown = StoreOperation | { readonly operation: StoreOperation };

/** From when on somebody knew of a version. */
interface Known {
  readonly version: number;
  readonly from: number;
  readonly operation: StoreOperation;
}

/** The highest version that anybody was told of by a moment. */
class Floor {
  readonly #steps: readonly Known[];
  #next = 0;
  #highest: Known | undefined;

  constructor(known: readonly Known[]) {
    this.#steps = known.toSorted((a, b) => a.from - b.from);
  }

  /** Moments must be given in their order. */
  before(moment: number): Known | undefined {
    for (;;) {
      const step = this.#steps[this.#next];
      if (step === undefined || step.from >= moment) return this.#highest;
      this.#next++;
      if (this.#highest === undefined || step.version > this.#highest.version) this.#highest = step;
    }
  }
}

function writtenFrom({ version, endedAt, operation }: Write): Known {
  return { version, from: endedAt, operation };
}

function readFrom(operation: StoreOperation): readonly Known[] {
  const { reply } = operation;
  if (reply === 'unknown' || typeof reply.output !== 'object') return [];
  return [{ version: reply.output.version, from: reply.at, operation }];
}

/** Writes that were acknowledged, and those of unknown outcome whose values were seen. */
function writesOf(operations: readonly StoreOperation[]): readonly Write[] {
  const versions = new Map(
    [...valuesByVersion(operations)].map(([version, value]) => [value, version]),
  );
  return operations
    .flatMap((operation): readonly Write[] => {
      const { request, reply, calledAt } = operation;
      if (!('value' in request)) return [];
      const { value } = request;
      const over = overOf(request, versions);
      const told = reply === 'unknown' ? versions.get(value) : reply.output;
      if (typeof told !== 'number') return [];
      const endedAt = reply === 'unknown' ? Infinity : reply.at;
      return [{ version: told, over, value, calledAt, endedAt, operation }];
    })
    .toSorted((a, b) => a.version - b.version);
}

/** The version that a write replaces. What an update has seen was perhaps told to nobody else. */
function overOf(
  request: Exclude<StoreRequest, { readonly kind: 'get' | 'delete' }>,
  versions: ReadonlyMap<string, number>,
): number | undefined {
  switch (request.kind) {
    case 'compareAndSet':
      return request.version;
    case 'update':
      return request.seen === undefined ? 0 : versions.get(request.seen);
    case 'set':
      return undefined;
  }
}

function mayHave(reply: StoreOperation['reply']): boolean {
  return reply === 'unknown' || reply.output === true;
}

function operationOf(each: Shown): StoreOperation {
  return 'operation' in each ? each.operation : each;
}
