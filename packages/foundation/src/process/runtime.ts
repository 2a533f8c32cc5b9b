import type { Clock } from '../clock.ts';
import { FoundationError } from '../errors.ts';
import type { Events } from '../events.ts';
import type { Exchange, Station } from '../messaging/exchange.ts';
import { invalidOption } from '../options.ts';
import { systemRandom, type Random } from '../random.ts';
import { isOpenTelemetrySetUp } from '../telemetry/call-spans.ts';
import type { CounterBoard } from '../thread/counter-board.ts';
import type { Codec, CodecLimits } from '../wire/codec.ts';
import { behaviourOf, type Behaviour } from './behaviour.ts';
import { clientOf } from './client.ts';
import { Deadlines } from './deadlines.ts';
import { isName, nameRule } from './definition-check.ts';
import type { AnyDefinition, Definition, Host } from './definition.ts';
import { Durability, type Snapshots } from './durability.ts';
import type { Exit } from './exit.ts';
import { checkGroup, GroupCore, groupsMax, tooManyGroups } from './group.ts';
import { firstSerial, Pid } from './pid.ts';
import { overloadedLoop } from './process-errors.ts';
import { Process, type SpawnOptions } from './process.ts';
import { RatedProcess } from './rated-process.ts';
import type { Client, Group } from './ref-types.ts';
import { RefCore, type RefHow } from './ref.ts';
import { linkedToNobody } from './relations.ts';
import { FairScheduler, systemTurns, type Scheduler } from './scheduler.ts';
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
  /** Makes a process a member of a group, or no member any more. */
  join(process: Process, group: string): void;
  leave(process: Process, group: string): void;
  /** Members that are of a definition, in the same order on every node. */
  members(group: string, process: string): readonly Pid[];
  /** Runs after members have come or gone, perhaps of other definitions. */
  onGroupChange(group: string, listener: () => void): Disposable;
}

/** Makes the scheduler of a runtime. */
export type SchedulerFactory = (clock: Clock) => Scheduler;

export interface RuntimeOptions {
  readonly name: string;
  readonly incarnation: number;
  /** 0 is the main thread. */
  readonly thread?: number;
  readonly clock: Clock;
  /** @defaultValue the operating system's */
  readonly random?: Random;
  /** @defaultValue processes in turn */
  readonly scheduler?: SchedulerFactory | undefined;
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
  readonly abandon?: (pid: Pid) => Promise<'abandoned' | 'terminated'>;
  /** Where the counters of a worker thread are shared. */
  readonly board?: CounterBoard;
}

/** Counters of things that should be rare. */
export interface RuntimeCounters {
  overflow: number;
  unknownMessages: number;
  /** Refused by the schema of the call. */
  invalidMessages: number;
  /** Replies refused by the schema of the call. */
  invalidReplies: number;
  /** Calls refused because the event loop was late. */
  shed: number;
  restarts: number;
  crashes: number;
  /** Promises that nobody waited for, and of no process. */
  floatingRejections: number;
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
  readonly random: Random;
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
  /**
   * Whether every handler runs in an asynchronous context of its process, so that whatever it leaves
   * behind can be told from what others do. Costs a fifth of a call: not in production.
   */
  readonly framesAll: boolean;
  readonly spawner: Spawner;
  readonly abandon: (pid: Pid) => Promise<'abandoned' | 'terminated'>;
  readonly board: CounterBoard | undefined;
  readonly counters: RuntimeCounters = {
    overflow: 0,
    unknownMessages: 0,
    invalidMessages: 0,
    invalidReplies: 0,
    shed: 0,
    restarts: 0,
    crashes: 0,
    floatingRejections: 0,
    lateReplies: 0,
    malformed: 0,
  };
  /** Whether calls from outside are refused at the moment: the event loop is late. */
  isShedding = false;
  /** Whether its processes have ended with the node. */
  isStopped = false;
  /** Messages handled by processes that have ended. */
  handledByEnded = 0;
  #isTraced = false;
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
    this.framesAll = options.copiesMessages;
    this.#snapshots = options.snapshots;
    this.spawner = options.spawner ?? this.#spawnHere;
    this.abandon = options.abandon ?? this.#killHere;
    this.board = options.board;
    this.#nextNumber = firstSerial(this.thread);
    this.random = options.random ?? systemRandom;
    this.scheduler = (options.scheduler ?? inTurn)(options.clock);
    this.#isTraced = isOpenTelemetrySetUp();
    this.deadlines = new Deadlines(options.clock, 'foreground', this.#lookForTracing);
    this.watches = new Deadlines(options.clock, 'background');
    this.codec = options.codec(this);
    this.stateCodec = options.codec(this, { itemsMax: stateItemsMax });
    this.exchange = options.exchange(this);
  }

  /**
   * Whether OpenTelemetry is set up. Asking it costs as much as the rest of a call's overhead, so it is
   * asked at the start, and then while calls are open.
   */
  get isTraced(): boolean {
    return this.#isTraced;
  }

  readonly #lookForTracing = (): void => {
    this.#isTraced = isOpenTelemetrySetUp();
  };

  /** The same for the first call after a while. */
  mayBeTraced(): boolean {
    if (!this.deadlines.isTicking) this.#lookForTracing();
    return this.#isTraced;
  }

  /** Arguments of a local message, as the receiver gets them. @throws FoundationError `NOT_SERIALIZABLE` */
  copied(args: readonly unknown[]): readonly unknown[] {
    if (!this.copiesMessages || args.length === 0) return args;
    return this.codec.decode(this.codec.encode(args, argumentNames)) as readonly unknown[];
  }

  /** Counts a call that is refused because the event loop is late. */
  shed(who: string): FoundationError {
    this.counters.shed++;
    return overloadedLoop(who);
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

  /** Starts a process here. Is done at once where its `init` is. */
  spawn(behaviour: Behaviour, options: SpawnOptions & Listing = {}): Process | Promise<Process> {
    const pid = new Pid(this.name, this.incarnation, this.nextNumber());
    const kind = behaviour.own?.messagesPerSecond === undefined ? Process : RatedProcess;
    const process = new kind(this, behaviour, pid, options.name);
    if (behaviour.spec.durable === true) process.durability = this.#durability(process);
    process.lease = options.lease;
    if (options.name !== undefined) this.directory.reserve(process);
    if (options.restarts !== undefined) process.restarts = options.restarts;
    this.#processes.set(pid.serial, process);
    this.board?.enter(process);
    if (options.linkTo !== undefined) {
      process.parent = options.linkTo;
      process.relations.receive({ kind: 'link', from: options.linkTo });
      // Its supervisor may end before it has started.
      this.signal(options.linkTo, { kind: 'link', from: pid });
    }
    const started = process.start(options.init);
    if (started === undefined) return this.#started(process, options);
    return started.then(() => this.#started(process, options));
  }

  #started(process: Process, options: SpawnOptions & Listing): Process {
    // Its first message, waiting since before `init`, may have ended it already.
    const isListed = options.name !== undefined || options.capabilities !== undefined;
    if (isListed && process.isAlive) this.directory.publish(process, options);
    const { pid } = process;
    if (this.events.isHeard('spawn')) this.events.emit('spawn', { pid, who: process.describe() });
    return process;
  }

  readonly #spawnHere: Spawner = async (behaviour, options, linkTo) => {
    const process = await this.spawn(behaviour, { ...options, linkTo });
    return process.pid;
  };

  readonly #killHere = (pid: Pid): Promise<'abandoned'> => {
    this.find(pid)?.kill({ reason: 'stuck' });
    return Promise.resolve('abandoned');
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
    this.board?.leave(process);
    this.directory.release(process);
    this.exchange.forget(process);
    this.handledByEnded += process.handled;
    if (exit.reason === 'crash') this.counters.crashes++;
    if (wasStarting || !this.events.isHeard('exit')) return;
    this.events.emit('exit', { pid: process.pid, who: process.describe(), reason: exit.reason });
  }

  // ── refs ───────────────────────────────────────────────────────────────────

  ref<I, A>(definition: Definition<I, A>, name: string): Client<A> {
    if (!isName(name)) throw invalidOption('ref', { name }, nameRule);
    return clientOf(new RefCore(this, behaviourOf(definition), { name })) as unknown as Client<A>;
  }

  group<I, A>(definition: Definition<I, A>, group: string): Group<A> {
    return new GroupCore(this, behaviourOf(definition), group) as unknown as Group<A>;
  }

  join(process: Process, group: string): void {
    checkGroup(group);
    const { relations } = process;
    const groups = (relations.groups ??= new Set());
    if (!process.isAlive || groups.has(group)) return;
    if (groups.size >= groupsMax) throw tooManyGroups(group);
    groups.add(group);
    this.directory.join(process, group);
  }

  leave(process: Process, group: string): void {
    checkGroup(group);
    if (process.relations.groups?.delete(group) === true) this.directory.leave(process, group);
  }

  refTo(behaviour: Behaviour, how: RefHow): unknown {
    return clientOf(new RefCore(this, behaviour, how));
  }

  // ── signals ────────────────────────────────────────────────────────────────

  /** Sends a signal to a process anywhere. */
  signal(target: Pid, signal: Signal): void {
    if (!this.isMine(target)) {
      const isGone = this.isOwnLife(target) ? 'no_process' : 'node_down';
      if (!this.exchange.signal(target, signal)) this.bounce(target, signal, isGone);
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

  /** Runs when a process has ended, wherever it is. Returns what takes that back. */
  watch(target: Pid, onDown: (exit: Exit) => void): () => void {
    // The first one ends last.
    const [system] = this.#processes.values();
    return system?.relations.monitor(target, onDown) ?? ((): void => {});
  }

  noteRelation(process: Process, other: Pid): void {
    if (!this.isMine(other)) this.exchange.noteRelation(process);
  }

  /** Answers a signal to nobody: a monitor and a link must hear of it. */
  bounce(target: Pid, signal: Signal, reason: 'no_process' | 'node_down'): void {
    if (signal.kind === 'monitor') {
      this.signal(signal.watcher, { kind: 'down', id: signal.id, from: target, exit: { reason } });
    } else if (signal.kind === 'link') {
      const exit = reason === 'no_process' ? linkedToNobody(target.toString()) : { reason };
      this.signal(signal.from, { kind: 'exit', from: target, exit });
    }
  }
}

/** How the path of a value that cannot be sent begins. */
const argumentNames = Array.from({ length: 16 }, (_, index) => `args[${index}]`);

const inTurn: SchedulerFactory = (clock) => new FairScheduler(clock, systemTurns);
