import { FoundationError, isFoundationError } from '../errors.ts';
import {
  Inspector,
  type InspectOptions,
  type ProcessInspector,
} from '../introspection/inspector.ts';
import {
  treesOf,
  type ProcessInfo,
  type ProcessTree,
  type RuntimeListing,
} from '../introspection/process-info.ts';
import type { Lease } from '../lease/lease.ts';
import type { Station } from '../messaging/exchange.ts';
import { systemOf, type SystemRef } from '../node-system.ts';
import { checkChoice, checkNumber, invalidOption, refuseUnknown } from '../options.ts';
import type { ChildInfo, ChildSpec } from '../process/child.ts';
import { targetOf } from '../process/client.ts';
import type { AnyDefinition, Definition } from '../process/definition.ts';
import { noProcess, stopReasons, type ExitReason } from '../process/exit.ts';
import { checkListing, checkMetadata } from '../process/listing-check.ts';
import type { Pid } from '../process/pid.ts';
import { nodeStopped } from '../process/process-errors.ts';
import type { Process } from '../process/process.ts';
import type { AnyRef, Client } from '../process/ref-types.ts';
import { restarts, type Restart } from '../process/restart-state.ts';
import type { Listing, Runtime } from '../process/runtime.ts';
import type { Kept } from '../process/supervision.ts';
import { checkChild } from '../process/supervisor-check.ts';
import { keeper, type RestartOptions } from '../process/supervisor.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import { Endings, type Ending, type Target } from './ending.ts';
import type { Singletons } from './singletons.ts';

/** How a process is started. */
export interface StartOptions {
  /** Unique in the cluster; a ref made from it follows the process. */
  readonly name?: string;
  /** `local`: here. `singleton`: once in the cluster, on some node, and elsewhere when that node goes. @defaultValue 'local' */
  readonly strategy?: 'local' | 'singleton';
  /**
   * Of a singleton. `available`: at least one while a node lives that can run it, perhaps two during a split.
   * `strong`: at most one, by a lease in the store; none while the store cannot be reached. @defaultValue 'available'
   */
  readonly consistency?: 'available' | 'strong';
  /** Where a singleton lives first, if that node can run it. @defaultValue chosen by its name */
  readonly preferNode?: string;
  /** When it is started again. @defaultValue 'temporary', of a singleton 'permanent' */
  readonly restart?: Restart;
  /** What it can do, for `node.registry.withCapability`. */
  readonly capabilities?: readonly string[];
  /** Facts about it for others, JSON-safe and small. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

type StartArgs<I> = undefined extends I
  ? [options?: StartOptions & { readonly init?: I }]
  : [options: StartOptions & { readonly init: I }];

/** Milliseconds to wait for a node to list its processes. */
const listTimeoutMs = 5_000;

/** Who refuses an option. */
const starting = 'processes.start';
const known = [
  'init',
  'name',
  'strategy',
  'consistency',
  'preferNode',
  'restart',
  'capabilities',
  'metadata',
];

/** How a process is kept alive. */
export interface Keeping {
  readonly rules?: RestartOptions | undefined;
  /** @defaultValue 'local' */
  readonly keeps?: Kept;
  /** Runs when it has ended for good. */
  readonly onEnded?: (reason: ExitReason) => void;
  /** Told whenever it has come to another status. */
  readonly onChange?: (child: ChildInfo) => void;
}

/** What the node knows beyond its main thread. */
export interface NodeSide {
  /** @throws FoundationError `NODE_STOPPED` */
  checkRunning(): void;
  /** The life of a member of the cluster. @throws FoundationError `NODE_UNREACHABLE` */
  station(node: string): Station;
  /** The supervisor of a process in another thread. */
  parentOf(pid: Pid): Pid | undefined;
}

const usualEnding: Ending = { reason: 'normal', timeoutMs: 5_000 };

/** @throws FoundationError `INVALID_OPTION` */
function endingOf(options: StopOptions): Ending {
  refuseUnknown('processes.stop', options, ['reason', 'timeoutMs']);
  const { reason = usualEnding.reason, timeoutMs = usualEnding.timeoutMs } = options;
  checkNumber('processes.stop', { timeoutMs }, { above: 0 });
  checkChoice('processes.stop', { reason }, stopReasons);
  return { reason, timeoutMs };
}

/** How a process is stopped. */
export interface StopOptions {
  /** @defaultValue 'normal' */
  readonly reason?: 'normal' | 'shutdown' | 'killed';
  /** Milliseconds to wait for its end. @defaultValue 5000 */
  readonly timeoutMs?: number;
}

/** Starts processes: here, in a thread, or once in the cluster; stops them, and looks into them. */
export class ProcessManager {
  readonly #runtime: Runtime;
  readonly #singletons: Singletons;
  readonly #node: NodeSide;
  readonly #endings: Endings;

  constructor(runtime: Runtime, singletons: Singletons, node: NodeSide) {
    this.#endings = new Endings(runtime, (pid) => node.parentOf(pid));
    this.#runtime = runtime;
    this.#singletons = singletons;
    this.#node = node;
  }

  /**
   * Starts a process and resolves when its `init` is done.
   *
   * @throws FoundationError `REFUSED` (by `init`), `START_FAILED`, `NAME_TAKEN`, `INVALID_OPTION`,
   * `INVALID_DEFINITION`, or `NODE_STOPPED`
   */
  async start<I, A>(process: Definition<I, A>, ...given: StartArgs<I>): Promise<Client<A>> {
    const [options = {}]: [(StartOptions & { readonly init?: unknown })?] = given;
    check(options);
    const behaviour = this.#runtime.define(process);
    const { name, strategy, restart = 'temporary' } = options;
    if (strategy === 'singleton') {
      await this.startSingleton(process, options);
    } else {
      // What is not for it a spawner does not look at.
      const started =
        restart === 'temporary'
          ? this.#runtime.spawner(behaviour, options, undefined)
          : this.startHere({ definition: process, options: childOptions(options) });
      const pid = await started;
      if (name === undefined) return this.#runtime.refTo(behaviour, { pid }) as Client<A>;
    }
    return this.#runtime.refTo(behaviour, { name }) as Client<A>;
  }

  /** Starts a process on this node, with a supervisor of its own unless it is temporary. */
  async startHere(spec: ChildSpec, keeping: Keeping = {}): Promise<Pid> {
    const { definition, options } = spec;
    checkChild(spec);
    const behaviour = this.#runtime.define(definition);
    if ((options.restart ?? 'temporary') === 'temporary') {
      return this.#runtime.spawner(behaviour, options, undefined);
    }
    try {
      return this.#endings.keep(await this.#keep(spec, keeping));
    } catch (error) {
      // The user did not ask for the supervisor: what matters is why the process itself did not start.
      throw isFoundationError(error) && isFoundationError(error.cause) ? error.cause : error;
    }
  }

  async #keep(spec: ChildSpec, { rules, keeps = 'local', ...told }: Keeping): Promise<Process> {
    const { onChange, onEnded } = told;
    const process = await this.#runtime.spawn(keeper(spec, { rules, keeps, onChange }));
    process.onEnded(() => onEnded?.(this.#endings.reasonOf(process)));
    return process;
  }

  /** Makes a supervisor of a process that is started when that is told to, and stays when the process has ended. */
  async keepHere(spec: ChildSpec, keeping: Omit<Keeping, 'keeps'>): Promise<Process> {
    this.#node.checkRunning();
    checkChild(spec);
    const process = await this.#keep(spec, { ...keeping, keeps: 'lasting' });
    this.#endings.keep(process);
    return process;
  }

  /** Ends the process of now at once, whatever it does; whoever keeps it decides what comes next. */
  kill(pid: Pid): void {
    this.#endings.kill(pid);
  }

  /**
   * Ends a process for good and resolves when it has ended; `terminate` runs unless the reason is
   * `killed`. A supervisor that `start` made for it alone ends with it; any other one starts it again
   * if it is permanent.
   *
   * @throws FoundationError `NO_PROCESS`, `NODE_DOWN`, or `CALL_TIMEOUT` when it does not end
   */
  async stop(target: AnyRef | Pid, options?: StopOptions): Promise<void> {
    const { reason, timeoutMs } = options === undefined ? usualEnding : endingOf(options);
    if (this.#runtime.isStopped) throw nodeStopped(this.#runtime.name, 'Its processes have ended.');
    const { pid, name } = targetOf('processes.stop', target);
    if (this.#endings.isOurs({ pid, name })) await this.end({ pid, name }, { reason, timeoutMs });
    else if (pid === undefined) throw noProcess(`"${name}"`);
    else await systemOf(this.#runtime, pid, timeoutMs).stopProcess(pid, reason);
  }

  /** Ends a process of this node, for another node or for one of its own. */
  end(target: Target, ending: Ending): Promise<void> {
    return this.#endings.end(target, ending);
  }

  /** All processes of a node, those in threads among them. @defaultValue this node */
  async list(node?: string): Promise<readonly ProcessInfo[]> {
    return (await this.#listings(node)).flatMap(({ processes }) => processes);
  }

  /** The same as trees: supervisors with their children, also those that do not run at the moment. */
  async tree(node?: string): Promise<readonly ProcessTree[]> {
    return treesOf(await this.#listings(node));
  }

  async #listings(node: string = this.#runtime.name): Promise<readonly RuntimeListing[]> {
    if (typeof node !== 'string') throw invalidOption('processes.list', { node }, 'a name');
    return this.#system(node).listings();
  }

  #system(node: string): SystemRef {
    const { name, incarnation } = this.#runtime;
    const station = node === name ? { node, incarnation } : this.#node.station(node);
    return systemOf(this.#runtime, station, listTimeoutMs);
  }

  /** Looks into a process, wherever it lives: state, statistics, messages. */
  inspect(target: AnyRef | Pid, options?: InspectOptions): ProcessInspector {
    return new Inspector(this.#runtime, target, options);
  }

  /** A ref to a named process. */
  named<I, A>(process: Definition<I, A>, name: string): Client<A> {
    return this.#runtime.ref(process, name);
  }

  /** Starts a singleton here, as its record says, a strong one under its lease. */
  async startRecord(
    record: SingletonRecord,
    onEnded: (reason: ExitReason) => void,
    lease?: Lease,
  ): Promise<void> {
    const { name, process } = record;
    const definition = this.#runtime.definition(process);
    if (definition === undefined) {
      throw new FoundationError('UNKNOWN_DEFINITION', `this node has no definition "${process}"`, {
        hint: 'List it in `processes` of `startNode`.',
      });
    }
    await this.startHere(
      {
        definition,
        // It may be changed: each life begins with what holds then.
        options: {
          restart: 'permanent',
          name,
          ...(lease && { lease }),
          get init() {
            return record.init;
          },
          get capabilities() {
            return record.listing.capabilities;
          },
          get metadata() {
            return record.listing.metadata;
          },
        },
      },
      { onEnded, keeps: 'singleton' },
    );
  }

  /** Makes sure that a singleton runs somewhere. */
  async startSingleton(
    { name: process }: AnyDefinition,
    options: StartOptions & Pick<SingletonRecord, 'about'> & { readonly init?: unknown },
  ): Promise<void> {
    const { name, init, capabilities, metadata, preferNode, consistency, about } = options;
    if (name === undefined)
      throw invalidOption(starting, { name }, 'given, since the strategy is `singleton`');
    this.#node.checkRunning();
    const listing: Listing = { capabilities, metadata };
    checkListing(starting, { name, ...listing });
    // Whoever may inherit it needs its `init`.
    checkMetadata(this.#runtime.codec, listing);
    this.#runtime.codec.encode([init], ['init']);
    const told = about === undefined ? {} : { about };
    const record: SingletonRecord = { name, process, init, listing, ...told };
    await this.#singletons.start(
      consistency === 'strong' ? { ...record, consistency } : record,
      preferNode,
    );
  }
}

function childOptions({
  strategy: _strategy,
  consistency: _consistency,
  preferNode: _node,
  restart,
  ...rest
}: StartOptions & { readonly init?: unknown }): ChildSpec['options'] {
  return { ...rest, restart: restart ?? 'temporary' };
}

function check(options: StartOptions): void {
  refuseUnknown(starting, options, known);
  checkListing(starting, options);
  const { strategy, consistency, restart, preferNode } = options;
  if (consistency !== undefined) {
    checkChoice(starting, { consistency }, ['available', 'strong']);
    if (strategy !== 'singleton') {
      throw invalidOption(starting, { consistency }, 'left out: only a singleton has one');
    }
  }
  if (strategy !== undefined) checkChoice(starting, { strategy }, ['local', 'singleton']);
  if (strategy === 'singleton' && restart !== undefined) {
    throw invalidOption(starting, { restart }, 'left out: a singleton is permanent');
  }
  if (strategy !== 'singleton' && preferNode !== undefined) {
    throw invalidOption(
      starting,
      { preferNode },
      'left out: only a singleton has a choice of nodes',
    );
  }
  if (restart !== undefined) checkChoice(starting, { restart }, restarts);
}
