import { runIn } from '../context/scope.ts';
import { FoundationError } from '../errors.ts';
import type { Call } from './envelope.ts';
import type { Process } from './process.ts';
import { invalidReply } from './ref.ts';

/** Where durable processes keep their state: one record for each definition and name. */
export interface Snapshots {
  /** The newest record; undefined when there is none. */
  load(key: string): Promise<Snapshot | undefined>;
  /** Writes if the record is still at `version` (0: none). Undefined when another holder wrote. */
  save(key: string, version: number, state: Uint8Array): Promise<number | undefined>;
}

export interface Snapshot {
  readonly version: number;
  readonly state: Uint8Array;
}

interface Held {
  readonly call: Call;
  readonly value: unknown;
}

/**
 * Stores the state of one process before the replies that rest on it leave. Replies that come while
 * a write is on its way wait for the next one together (group commit), so that one write serves many.
 *
 * Each write names the version it replaces: a holder whose name was taken over meanwhile, perhaps
 * after a pause, cannot write any more. It crashes, and begins again with what the other has stored.
 */
export class Durability {
  readonly #process: Process;
  readonly #snapshots: Snapshots;
  #version = 0;
  #stored: Uint8Array | undefined = undefined;
  /** Replies that wait for the next write, and those that wait for the one on its way. */
  #held: Held[] = [];
  #written: readonly Held[] = [];
  #saving: Promise<void> | undefined = undefined;
  #failure: { readonly error: unknown } | undefined = undefined;
  #isDirty = false;
  #closedBy: FoundationError | undefined = undefined;

  constructor(process: Process, snapshots: Snapshots) {
    this.#process = process;
    this.#snapshots = snapshots;
  }

  /** The state to start with: the stored one, otherwise that of `init`. Takes the record over. */
  async load(init: unknown): Promise<unknown> {
    const { spec } = this.#process.behaviour;
    const found = await this.#snapshots.load(this.#key);
    if (found === undefined) return spec.init(init);
    const stored = this.#process.runtime.stateCodec.decode(found.state);
    const state = await (spec.restore === undefined ? stored : spec.restore(stored));
    const version = await this.#snapshots.save(this.#key, found.version, found.state);
    if (version === undefined) throw takenOver(this.#name);
    this.#version = version;
    this.#stored = found.state;
    return state;
  }

  /** Replies when the state of now is stored. */
  answer(call: Call, value: unknown): void {
    if (this.#closedBy !== undefined) return call.fail(this.#closedBy);
    try {
      this.#held.push({ call, value: this.#seal(value) });
    } catch (error) {
      call.fail(invalidReply(call.name, error));
    }
    return this.touch();
  }

  /** What later messages change must not show in a reply that is held back. */
  #seal(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    const { codec } = this.#process.runtime;
    return codec.decode(codec.encode(value));
  }

  /** The state may have changed. */
  touch(): void {
    this.#isDirty = true;
    this.save();
  }

  /** Stores what has changed. Called at the end of each handler, and when somebody is replied to meanwhile. */
  save(): void {
    if (this.#saving !== undefined || !this.#maySave) return;
    // Whoever sets it off: the snapshot is made for all.
    const scope = { owner: this.#process, message: undefined, request: undefined };
    this.#saving = runIn(scope, () => this.#saveAll());
  }

  /** Never in the middle of a handler, whose changes may be half done. */
  get #maySave(): boolean {
    return this.#isDirty && this.#closedBy === undefined && !this.#process.isAtWork;
  }

  /** Settles when the state of now is stored and everything is answered. */
  async flush(): Promise<void> {
    // A process that never handled a message leaves no record.
    if (this.#stored !== undefined) this.touch();
    await this.#saving;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Stores nothing any more: the state may be half changed. Who waits is told. */
  close(error: FoundationError): void {
    this.#closedBy ??= error;
    for (const { call } of [...this.#written, ...this.#held]) call.fail(error);
    this.#written = [];
    this.#held = [];
  }

  get #name(): string {
    return this.#process.name ?? '';
  }

  /** A state belongs to a name and a definition: another kind of process could not read it. */
  get #key(): string {
    return `${this.#process.behaviour.name}/${this.#name}`;
  }

  /**
   * Looks whether another holder has written, as one may have while this process or its node stood
   * still. Then this one begins again, with what the other has stored.
   */
  async verify(): Promise<void> {
    if (this.#stored === undefined || this.#saving !== undefined) return;
    const version = this.#version;
    const found = await this.#snapshots.load(this.#key);
    const isOurs = found?.version === version || version !== this.#version;
    if (!isOurs && this.#closedBy === undefined) this.#process.crash(takenOver(this.#name));
  }

  async #saveAll(): Promise<void> {
    try {
      while (this.#maySave) await this.#saveOnce();
    } catch (error) {
      this.#failure = { error };
      this.#process.crash(error);
    } finally {
      this.#saving = undefined;
    }
  }

  async #saveOnce(): Promise<void> {
    this.#written = this.#held;
    this.#held = [];
    this.#isDirty = false;
    if (await this.#write()) {
      for (const { call, value } of this.#written) call.answer(value);
      this.#written = [];
    } else {
      // Whoever keeps the name is the registry's business: it ends the other. This one, should it stay,
      // begins again with what the other has stored.
      this.#process.crash(takenOver(this.#name));
    }
  }

  async #write(): Promise<boolean> {
    const { behaviour, state, runtime } = this.#process;
    const bytes = Buffer.from(runtime.stateCodec.encode(behaviour.spec.snapshot?.(state) ?? state));
    if (this.#stored !== undefined && bytes.equals(this.#stored)) return true;
    const version = await this.#snapshots.save(this.#key, this.#version, bytes);
    if (version === undefined) return false;
    this.#version = version;
    this.#stored = bytes;
    return true;
  }
}

function takenOver(name: string): FoundationError {
  return new FoundationError(
    'STORE_CONFLICT',
    `the state of "${name}" belongs to another holder now`,
    {
      hint: 'Another copy ran meanwhile, perhaps in a split. Call it by name to reach the one that goes on.',
      details: { name },
    },
  );
}
