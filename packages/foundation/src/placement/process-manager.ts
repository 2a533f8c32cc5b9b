import { FoundationError, isFoundationError } from '../errors.ts';
import { refuseUnknown } from '../options.ts';
import type { AnyDefinition, Definition } from '../process/definition.ts';
import type { ExitReason } from '../process/exit.ts';
import { checkListing, checkMetadata, invalidOption } from '../process/listing-check.ts';
import type { Pid } from '../process/pid.ts';
import type { Client } from '../process/ref-types.ts';
import type { Intensity, Restart } from '../process/restart-state.ts';
import type { Listing, Runtime } from '../process/runtime.ts';
import { checkChild } from '../process/supervisor-check.ts';
import { keeper, type ChildSpec, type Kept, type KeptChild } from '../process/supervisor.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';
import type { Singletons } from './singletons.ts';

/** How a process is started. */
export interface StartOptions {
  /** Unique in the cluster; a ref made from it follows the process. */
  readonly name?: string;
  /** `local`: here. `singleton`: once in the cluster, on some node, and elsewhere when that node goes. @defaultValue 'local' */
  readonly strategy?: 'local' | 'singleton';
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

const known = ['init', 'name', 'strategy', 'preferNode', 'restart', 'capabilities', 'metadata'];

/** How a process is kept alive. */
export interface Keeping {
  readonly intensity?: Intensity;
  /** @defaultValue 'local' */
  readonly keeps?: Kept;
  /** Runs when it has ended for good. */
  readonly onEnded?: (reason: ExitReason) => void;
}

/** Starts processes: here, in a thread, or once in the cluster. */
export class ProcessManager {
  readonly #runtime: Runtime;
  readonly #singletons: Singletons;
  readonly #checkRunning: () => void;

  /** @param checkRunning - Throws `NODE_STOPPED` when the node has stopped. */
  constructor(runtime: Runtime, singletons: Singletons, checkRunning: () => void) {
    this.#runtime = runtime;
    this.#singletons = singletons;
    this.#checkRunning = checkRunning;
  }

  /**
   * Starts a process and resolves when its `init` is done.
   *
   * @throws FoundationError `REFUSED` (by `init`), `START_FAILED`, `NAME_TAKEN`, `INVALID_OPTION`,
   * `INVALID_DEFINITION`, or `NODE_STOPPED`
   */
  async start<I, A>(process: Definition<I, A>, ...given: StartArgs<I>): Promise<Client<A>> {
    const options: StartOptions & { readonly init?: unknown } = given[0] ?? {};
    check(options);
    const behaviour = this.#runtime.define(process);
    if (options.strategy === 'singleton') {
      await this.startSingleton(process, options);
    } else {
      const pid = await this.startHere({ definition: process, options: childOptions(options) });
      if (options.name === undefined) return this.#runtime.refTo(behaviour, { pid }) as Client<A>;
    }
    return this.#runtime.refTo(behaviour, { name: options.name }) as Client<A>;
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
      const process = await this.#runtime.spawn(
        keeper(spec, { intensity: keeping.intensity, keeps: keeping.keeps ?? 'local' }),
      );
      process.onEnded(() => keeping.onEnded?.(process.exit?.reason ?? 'normal'));
      return (process.state as KeptChild).firstPid();
    } catch (error) {
      // The user did not ask for the supervisor: what matters is why the process itself did not start.
      throw isFoundationError(error) && isFoundationError(error.cause) ? error.cause : error;
    }
  }

  /** A ref to a named process. */
  named<I, A>(process: Definition<I, A>, name: string): Client<A> {
    return this.#runtime.ref(process, name);
  }

  /** Starts a singleton here, as its record says. */
  async startRecord(
    { name, process, init, listing }: SingletonRecord,
    onEnded: (reason: ExitReason) => void,
  ): Promise<void> {
    const definition = this.#runtime.definition(process);
    if (definition === undefined) {
      throw new FoundationError('UNKNOWN_DEFINITION', `this node has no definition "${process}"`, {
        hint: 'List it in `processes` of `startNode`.',
      });
    }
    await this.startHere(
      { definition, options: { restart: 'permanent', ...listing, init, name } },
      { onEnded, keeps: 'singleton' },
    );
  }

  /** Makes sure that a singleton runs somewhere. */
  async startSingleton(
    { name: process }: AnyDefinition,
    options: StartOptions & { readonly init?: unknown },
  ): Promise<void> {
    const { name, init, capabilities, metadata, preferNode } = options;
    if (name === undefined)
      throw invalidOption('name', name, 'given, since the strategy is `singleton`');
    this.#checkRunning();
    const listing: Listing = { capabilities, metadata };
    checkListing({ name, ...listing });
    // Whoever may inherit it needs its `init`.
    checkMetadata(this.#runtime.codec, listing);
    this.#runtime.codec.encode([init], ['init']);
    await this.#singletons.start({ name, process, init, listing }, preferNode);
  }
}

function childOptions({
  strategy: _strategy,
  preferNode: _node,
  restart,
  ...rest
}: StartOptions & { readonly init?: unknown }): ChildSpec['options'] {
  return { ...rest, restart: restart ?? 'temporary' };
}

function check(options: StartOptions): void {
  refuseUnknown('processes.start', options, known);
  checkListing(options);
  const { strategy, restart, preferNode } = options;
  if (strategy !== undefined && strategy !== 'local' && strategy !== 'singleton') {
    throw invalidOption('strategy', strategy, "'local' or 'singleton'");
  }
  if (strategy === 'singleton' && restart !== undefined) {
    throw invalidOption('restart', restart, 'left out: a singleton is permanent');
  }
  if (strategy !== 'singleton' && preferNode !== undefined) {
    throw invalidOption(
      'preferNode',
      preferNode,
      'left out: only a singleton has a choice of nodes',
    );
  }
  if (restart !== undefined && !['permanent', 'transient', 'temporary'].includes(restart)) {
    throw invalidOption('restart', restart, "'permanent', 'transient' or 'temporary'");
  }
}
