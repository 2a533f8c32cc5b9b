import { withDefaults } from '../options.ts';
import type { Refused } from './answer.ts';
import { compileInternal, type Behaviour } from './behaviour.ts';
import type { ChildInfo, ChildOptions, ChildSpec, Wait } from './child.ts';
import type { AnyDefinition, Definition, Notice, SelfSufficient } from './definition.ts';
import {
  DynamicSupervision,
  type DynamicLimits,
  type DynamicStart,
} from './dynamic-supervision.ts';
import type { Pid } from './pid.ts';
import type { ProcessContext } from './process-context.ts';
import type { Process } from './process.ts';
import type { Client } from './ref-types.ts';
import {
  backoffDefaults,
  backoffOf,
  type Backoff,
  type Intensity,
  type OnExceeded,
  type Strategy,
} from './restart-state.ts';
import type { Listing } from './runtime.ts';
import { Supervision, type Kept, type SupervisionLimits } from './supervision.ts';
import {
  checkChild,
  checkDynamic,
  checkGiven,
  checkNames,
  checkSupervisor,
} from './supervisor-check.ts';

type ChildArgs<I> = undefined extends I
  ? [options?: ChildOptions & { readonly init?: I }]
  : [options: ChildOptions & { readonly init: I }];

/** Describes a child: which process, with which `init`, and how it is kept. */
export function child<I, A>(process: Definition<I, A>, ...options: ChildArgs<I>): ChildSpec {
  const [given = {}] = options;
  return { definition: process, options: given };
}

/** When children are started again, and what happens when they fail too often. */
export interface RestartOptions extends Partial<Intensity> {
  /** How long a child waits that fails again and again; `off`: it does not. */
  readonly backoff?: Partial<Backoff> | 'off';
  /**
   * When a child fails too often: `stop` ends the supervisor with all children, and `restartsMax` counts
   * for all of them together. `quarantine` goes on without that child, and counts for each.
   * @defaultValue 'stop'
   */
  readonly onExceeded?: OnExceeded;
}

/** Which children a supervisor has, and when it gives up. */
export interface SupervisorOptions extends RestartOptions {
  /** @defaultValue 'one-for-one' */
  readonly strategy?: Strategy;
  /** Started in this order, stopped in reverse. */
  readonly children: readonly (ChildSpec | SelfSufficient)[];
}

/** A supervisor whose children come and go, all of one definition. */
export interface DynamicSupervisorOptions<I, A>
  extends RestartOptions, Pick<ChildOptions, 'restart' | 'shutdownMs'> {
  readonly strategy: 'dynamic';
  readonly child: Definition<I, A>;
  /** Most children at a time. @defaultValue Infinity */
  readonly childrenMax?: number;
}

/** What a supervisor does unless told otherwise. */
export const supervisorDefaults: Intensity & {
  readonly strategy: Strategy;
  readonly backoff: Backoff;
  readonly onExceeded: OnExceeded;
  readonly childrenMax: number;
} = {
  restartsMax: 3,
  restartWindowMs: 5_000,
  strategy: 'one-for-one',
  backoff: backoffDefaults,
  onExceeded: 'stop',
  childrenMax: Infinity,
};

/** What can be asked of a supervisor. */
export interface SupervisorApi {
  readonly calls: {
    readonly children: () => readonly ChildInfo[];
    /** Starts a child again that runs, was stopped, or is in quarantine. */
    readonly restart: (id: string) => true | Refused<'NO_CHILD', undefined>;
    /** Stops a child until `restart`. Tells whether it ran. */
    readonly stop: (id: string) => boolean | Refused<'NO_CHILD', undefined>;
  };
}

type DynamicArgs<I> = undefined extends I
  ? [options?: Listing & { readonly init?: I }]
  : [options: Listing & { readonly init: I }];

/** What can be asked of a dynamic supervisor. */
export interface DynamicSupervisorApi<I, A> {
  readonly calls: {
    /** Starts a child; several start side by side. */
    readonly start: (
      ...options: DynamicArgs<I>
    ) =>
      | Client<A>
      | Refused<'TOO_MANY_CHILDREN', { childrenMax: number }>
      | Refused<'CHILD_EXISTS', { id: string }>;
    readonly children: () => readonly ChildInfo[];
    readonly count: () => number;
    readonly restart: (id: string) => true | Refused<'NO_CHILD', undefined>;
    /** Stops a child and forgets it. */
    readonly stop: (id: string) => true | Refused<'NO_CHILD', undefined>;
  };
}

/**
 * Defines a process that keeps others alive. More than `restartsMax` restarts within
 * `restartWindowMs` end it with its children, in reverse start order, or put the one that fails in quarantine.
 *
 * @throws FoundationError `INVALID_OPTION` naming the option that is wrong.
 */
export function defineSupervisor(
  name: string,
  options: SupervisorOptions,
): Definition<void, SupervisorApi>;
/** Defines a process that keeps children alive that come and go. */
export function defineSupervisor<I, A>(
  name: string,
  options: DynamicSupervisorOptions<I, A>,
): Definition<void, DynamicSupervisorApi<I, A>>;
export function defineSupervisor<I, A>(
  name: string,
  options: SupervisorOptions | DynamicSupervisorOptions<I, A>,
): AnyDefinition {
  checkGiven(name, options);
  if (options.strategy === 'dynamic') {
    checkDynamic(name, options);
    return superviseDynamic(name, { ...supervisorDefaults, ...rulesOf(options) }, options);
  }
  checkSupervisor(name, options);
  const { strategy = supervisorDefaults.strategy, children } = options;
  const limits = { ...rulesOf(options), strategy, keeps: 'children' as const };
  return supervise(name, limits, children.map(toChild));
}

function rulesOf(
  options: RestartOptions,
): Intensity & Pick<DynamicLimits, 'backoff' | 'onExceeded'> {
  const { backoff, ...others } = options;
  const { restartsMax, restartWindowMs, onExceeded } = withDefaults(supervisorDefaults, others);
  const waits = backoff === 'off' ? backoff : backoffOf(backoff ?? {});
  return { restartsMax, restartWindowMs, backoff: waits, onExceeded };
}

function supervise(
  name: string,
  limits: SupervisionLimits,
  children: readonly ChildSpec[],
): Behaviour {
  for (const each of children) checkChild(each);
  checkNames(name, children);
  return compileInternal(name, {
    trapExits: true,
    start: (process: Process) => Supervision.start(process, limits, children),
    calls: {
      children: (ctx) => stateOf(ctx).children(),
      restart: (ctx, id) => stateOf(ctx).restart(String(id)),
      stop: (ctx, id) => stateOf(ctx).stop(String(id)),
    },
    info: {
      exit: (ctx, notice) => stateOf(ctx).onExit(notice as Notice),
      restart: (ctx, wait) => stateOf(ctx).onRestart(wait as Wait),
    },
    terminate: (ctx) => stateOf(ctx).stopAll(),
  });
}

function superviseDynamic<I, A>(
  name: string,
  rules: DynamicLimits,
  {
    child: definition,
    childrenMax = Infinity,
    restart,
    shutdownMs,
  }: DynamicSupervisorOptions<I, A>,
): Behaviour {
  const template: ChildSpec = {
    definition,
    options: {
      ...(restart === undefined ? {} : { restart }),
      ...(shutdownMs === undefined ? {} : { shutdownMs }),
    },
  };
  checkChild(template);
  const limits = { ...rules, childrenMax };
  return compileInternal(name, {
    trapExits: true,
    start: (process: Process) => new DynamicSupervision(process, template, limits),
    calls: {
      start: (ctx, options) =>
        (ctx as ProcessContext).later(() => dynamicOf(ctx).start(options as DynamicStart)),
      children: (ctx) => dynamicOf(ctx).children(),
      count: (ctx) => dynamicOf(ctx).count,
      restart: (ctx, id) => (ctx as ProcessContext).later(() => dynamicOf(ctx).restart(String(id))),
      stop: (ctx, id) => (ctx as ProcessContext).later(() => dynamicOf(ctx).stop(String(id))),
    },
    info: {
      exit: (ctx, notice) => dynamicOf(ctx).onExit(notice as Notice),
      restart: (ctx, wait) => dynamicOf(ctx).onRestart(wait as Wait),
    },
    terminate: (ctx) => dynamicOf(ctx).stopAll(),
  });
}

/** The children that a process keeps, if it is a supervisor. */
export function childrenOf({ state }: Process): readonly ChildInfo[] {
  const isSupervisor = state instanceof Supervision || state instanceof DynamicSupervision;
  return isSupervisor ? state.children() : [];
}

function toChild(given: ChildSpec | AnyDefinition): ChildSpec {
  return 'definition' in given ? given : { definition: given, options: {} };
}

function stateOf(ctx: unknown): Supervision {
  return (ctx as ProcessContext).state as Supervision;
}

function dynamicOf(ctx: unknown): DynamicSupervision {
  return (ctx as ProcessContext).state as DynamicSupervision;
}

/** Starts a child anywhere on this node and tells its address. */
export type Spawner = (
  behaviour: Behaviour,
  options: ChildSpec['options'] & { readonly restarts?: number },
  // oxlint-disable-next-line eslint/max-params -- the parent belongs to the start, not to the spec
  linkTo: Pid | undefined,
) => Promise<Pid>;

/** How a single process is kept. */
export interface KeeperOptions {
  readonly rules?: RestartOptions | undefined;
  readonly keeps: Kept;
  /** Told whenever the process has come to another status. */
  readonly onChange?: ((child: ChildInfo) => void) | undefined;
}

/** A supervisor of a single process, which ends when that process has ended for good, unless it is a lasting one. */
export function keeper(spec: ChildSpec, { rules = {}, keeps, onChange }: KeeperOptions): Behaviour {
  const limits: SupervisionLimits = { ...rulesOf(rules), strategy: 'one-for-one', keeps, onChange };
  return supervise(`keeper of ${spec.definition.name}`, limits, [spec]);
}
