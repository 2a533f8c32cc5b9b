import type { Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { Exchange, Station } from '../messaging/exchange.ts';
import type { Codec, CodecLimits } from '../wire/codec.ts';
import { Deadlines } from './deadlines.ts';
import {
  behaviourOf,
  type AnyDefinition,
  type Behaviour,
  type Definition,
  type Host,
} from './definition.ts';
import { Durability, type Snapshots } from './durability.ts';
import type { Exit } from './exit.ts';
import { firstSerial, Pid } from './pid.ts';
import { Process, type SpawnOptions } from './process.ts';
import type { Client } from './ref-types.ts';
import { clientOf, RefCore, type RefHow } from './ref.ts';
import { Scheduler, systemTurns, type Turns } from './scheduler.ts';
import type { Signal } from './signal.ts';
import type { Spawner } from './supervisor.ts';

/** What a process is known by beyond its address. */
export interface Listing {
  readonly name?: string | undefined;
  readonly capabilities?: readonly string[] | undefined;
  readonly metadata?: Readonly<Record<string, unknown>> | undefined;
}

/** Where names lead. The node's registry, or in a thread its replica. */
export interface Directory {
  lookup(name: string): Pid | undefined;
  /** @throws FoundationError `NAME_TAKEN` */
  reserve(process: Process): void;
  publish(process: Process, listing: Listing): void;
  release(process: Process): void;
}

export interface RuntimeOptions {
  readonly name: string;
  readonly incarnation: number;
  /** 0 is the main thread. */
  readonly thread?: number;
  readonly clock: Clock;
  readonly turns?: Turns;
  readonly events: Events;
  /** Encodes and decodes local messages too, so that what works here works remotely. */
  readonly copiesMessages: boolean;
  readonly directory: Directory;
  /** Makes the codec, whose refs belong to this runtime. */
  readonly codec: (runtime: Runtime, limits?: Partial<CodecLimits>) => Codec;
  readonly exchange: (runtime: Runtime) => Exchange;
  readonly snapshots?: Snapshots;
  /** Starts a child where its definition wants to run. @defaultValue here */
  readonly spawner?: Spawner;
  /** Ends a process that does not listen, with its thread if it has one. @defaultValue kills it here */
  readonly abandon?: (pid: Pid) => Promise<void>;
}

/** Counters of things that should be rare. */
export interface RuntimeCounters {
  overflow: number;
  unknownMessages: number;
  /** Refused by the schema of the call. */
  invalidMessages: number;
  lateReplies: number;
  malformed: number;
}

/** Elements and entries of the state of a durable process, at most. */
export const stateItemsMax = 10_000_000;

/** The processes of one thread: table, scheduler, deadlines. */
export class Runtime implements Host {
  readonly name: string;
  /** The present life of the node. Grows when the others have declared the last one over. */
  incarnation: number;
  readonly thread: number;
  readonly clock: Clock;
  readonly events: Events;
  readonly scheduler: Scheduler;
  readonly deadlines: Deadlines;
  /** Deadlines that do not keep the program alive. */
  readonly watches: Deadlines;
  readonly directory: Directory;
  readonly codec: Codec;
  /** For states, which may be larger than messages. */
  readonly stateCodec: Codec;
  readonly exchange: Exchange;
  readonly copiesMessages: boolean;
  readonly spawner: Spawner;
  readonly abandon: (pid: Pid) => Promise<void>;
  readonly counters: RuntimeCounters = {
    overflow: 0,
    unknownMessages: 0,
    invalidMessages: 0,
    lateReplies: 0,
    malformed: 0,
  };
  readonly #firstIncarnation: number;
  readonly #snapshots: Snapshots | undefined;
  readonly #processes = new Map<number, Process>();
  readonly #definitions = new Map<string, Behaviour>();
  #nextNumber: number;

  constructor(options: RuntimeOptions) {
    this.name = options.name;
    this.incarnation = options.incarnation;
    this.#firstIncarnation = options.incarnation;
    this.thread = options.thread ?? 0;
    this.clock = options.clock;
    this.events = options.events;
    this.directory = options.directory;
    this.copiesMessages = options.copiesMessages;
    this.#snapshots = options.snapshots;
    this.spawner = options.spawner ?? this.#spawnHere;
    this.abandon = options.abandon ?? this.#killHere;
    this.#nextNumber = firstSerial(this.thread);
    this.scheduler = new Scheduler(options.clock, options.turns ?? systemTurns, (error) =>
      this.events.emit('problem', { what: 'handling a message', error }),
    );
    this.deadlines = new Deadlines(options.clock);
    this.watches = new Deadlines(options.clock, 'background');
    this.codec = options.codec(this);
    this.stateCodec = options.codec(this, { itemsMax: stateItemsMax });
    this.exchange = options.exchange(this);
  }

  /** A number that is unique in this life of the node; tells its thread. */
  nextNumber(): number {
    return this.#nextNumber++;
  }

  define(definition: AnyDefinition): Behaviour {
    const behaviour = behaviourOf(definition);
    this.#definitions.set(behaviour.name, behaviour);
    return behaviour;
  }

  definition(name: string): Behaviour | undefined {
    return this.#definitions.get(name);
  }

  // ── processes ──────────────────────────────────────────────────────────────

  /** Starts a process here. Resolves when its `init` is done. */
  async spawn(behaviour: Behaviour, options: SpawnOptions & Listing = {}): Promise<Process> {
    const pid = new Pid(this.name, this.incarnation, this.nextNumber());
    const process = new Process(this, behaviour, pid, options.name);
    if (behaviour.spec.durable === true) process.durability = this.#durability(process);
    if (options.name !== undefined) this.directory.reserve(process);
    this.#processes.set(pid.serial, process);
    if (options.linkTo !== undefined) {
      process.parent = options.linkTo;
      process.relations.receive({ kind: 'link', from: options.linkTo });
    }
    await process.start(options.init);
    // Its first message, waiting since before `init`, may have ended it already.
    const isListed = options.name !== undefined || options.capabilities !== undefined;
    if (isListed && process.isAlive) this.directory.publish(process, options);
    this.events.emit('spawn', { pid, who: process.describe() });
    return process;
  }

  readonly #spawnHere: Spawner = async (behaviour, options, linkTo) => {
    const process = await this.spawn(behaviour, { ...options, linkTo });
    return process.pid;
  };

  readonly #killHere = (pid: Pid): Promise<void> => {
    this.find(pid)?.kill({ reason: 'stuck' });
    return Promise.resolve();
  };

  #durability(process: Process): Durability {
    if (process.name === undefined || this.#snapshots === undefined) {
      throw new FoundationError(
        'INVALID_OPTION',
        `the durable process ${process.describe()} has no ${process.name === undefined ? 'name' : 'store'}`,
        { hint: 'Start it with a `name` on a node that has a store.' },
      );
    }
    return new Durability(process, this.#snapshots);
  }

  /** The living process at an address, if it is of this runtime. */
  find(pid: Pid): Process | undefined {
    return this.isMine(pid) ? this.#processes.get(pid.serial) : undefined;
  }

  findSerial(serial: number): Process | undefined {
    return this.#processes.get(serial);
  }

  isMine(pid: Pid): boolean {
    return this.isOwnLife(pid) && pid.thread === this.thread;
  }

  /** Whether it is this node, in a life since this program started: its processes outlast a rejoin. */
  isOwnLife({ node, incarnation }: Station): boolean {
    return node === this.name && incarnation >= this.#firstIncarnation;
  }

  /** A pid as other nodes know it: they accept nothing of a life that they have declared over. */
  knownPid(pid: Pid): Pid {
    const isRenewed = pid.incarnation !== this.incarnation && this.isOwnLife(pid);
    return isRenewed ? new Pid(pid.node, this.incarnation, pid.serial) : pid;
  }

  /** Has a durable process begin again if its record has another writer by now. */
  verify(process: Process | undefined): void {
    process?.durability?.verify().catch((error: unknown) => {
      this.events.emit('problem', { what: `the stored state of ${process.describe()}`, error });
    });
  }

  processes(): IterableIterator<Process> {
    return this.#processes.values();
  }

  /** Called by a process that has ended. */
  forget(process: Process, exit: Exit, wasStarting: boolean): void {
    this.#processes.delete(process.pid.serial);
    this.directory.release(process);
    this.exchange.forget(process);
    if (wasStarting) return;
    this.events.emit('exit', { pid: process.pid, who: process.describe(), reason: exit.reason });
  }

  // ── refs ───────────────────────────────────────────────────────────────────

  ref<I, A>(definition: Definition<I, A>, name: string): Client<A> {
    return clientOf(new RefCore(this, behaviourOf(definition), { name })) as unknown as Client<A>;
  }

  refTo(behaviour: Behaviour, how: RefHow): unknown {
    return clientOf(new RefCore(this, behaviour, how));
  }

  // ── signals ────────────────────────────────────────────────────────────────

  /** Sends a signal to a process anywhere. */
  signal(target: Pid, signal: Signal): void {
    if (!this.isMine(target)) {
      if (!this.exchange.signal(target, signal)) this.bounce(target, signal, 'node_down');
      return;
    }
    const process = this.find(target);
    if (process === undefined) this.bounce(target, signal, 'no_process');
    else process.relations.receive(signal);
  }

  /** Sends a signal that makes a lasting relation, which ends with the other's runtime. */
  relate(process: Process, target: Pid, signal: Signal): void {
    this.noteRelation(process, target);
    this.signal(target, signal);
  }

  noteRelation(process: Process, other: Pid): void {
    if (!this.isMine(other)) this.exchange.noteRelation(process);
  }

  /** Answers a signal to nobody: a monitor and a link must hear of it. */
  bounce(target: Pid, signal: Signal, reason: 'no_process' | 'node_down'): void {
    const exit = { reason };
    if (signal.kind === 'monitor') {
      this.signal(signal.watcher, { kind: 'down', id: signal.id, from: target, exit });
    } else if (signal.kind === 'link') {
      this.signal(signal.from, { kind: 'exit', from: target, exit });
    }
  }
}
