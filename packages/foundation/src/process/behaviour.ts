import type { StandardSchemaV1 } from '@standard-schema/spec';

import { FoundationError } from '../errors.ts';
import { shown, withDefaults } from '../options.ts';
import { checkDefinition, invalidDefinition } from './definition-check.ts';
import type { AnyDefinition, Overflow, Placement } from './definition.ts';
import type { ExitReason } from './exit.ts';
import { isSchema } from './message-check.ts';
import type { Process } from './process.ts';

// The handlers' types were checked where they were written; from here on they are plain functions.
export type AnyHandler = (ctx: unknown, ...args: readonly unknown[]) => unknown;
export interface AnySpec extends Placement {
  readonly init: (init: unknown) => unknown;
  readonly continue?: AnyHandler;
  readonly calls?: Record<string, AnyHandler>;
  readonly casts?: Record<string, AnyHandler>;
  readonly timers?: Record<string, AnyHandler>;
  readonly info?: Record<string, AnyHandler>;
  readonly terminate?: (ctx: unknown, reason: ExitReason) => unknown;
  readonly coordinate?: AnyHandler;
  readonly snapshot?: (state: unknown) => unknown;
  readonly restore?: (stored: unknown) => unknown;
  /** In place of `init`, for processes of the runtime itself. */
  readonly start?: (process: Process) => unknown;
  /** Takes calls and casts that have no handler; `ctx.message` tells which. */
  readonly otherwise?: AnyHandler;
  /** A process of the node itself: never refused because the node is overloaded. */
  readonly isSystem?: boolean;
}

/** Defines a process of the runtime itself: its start gets the process. */
export function compileInternal(name: string, spec: Omit<AnySpec, 'init'>): Behaviour {
  return compile(name, { ...spec, init: () => ({}) });
}

/** Defines a process that takes any message, under whatever name: for test kits and the like. */
export function compileAny(name: string, spec: Omit<AnySpec, 'init'>): Behaviour {
  return { ...compileInternal(name, spec), isForeign: true };
}

/** Stands for a definition that this node does not have: a ref to such a process came from elsewhere. */
export function anyBehaviour(name: string): Behaviour {
  return { ...compileInternal('foreign', {}), name, isForeign: true };
}

/** A handler, ready to be called. */
export interface Entry {
  readonly run: AnyHandler;
  readonly schema: StandardSchemaV1 | undefined;
  readonly reply: StandardSchemaV1 | undefined;
  /** Whether it returns promises, where that is known: then its deadline follows it across awaits. */
  isAsync: boolean | undefined;
  /** Whether it is known to be synchronous and checks nothing: most are, and are run without detours. */
  isPlain: boolean;
}

/** The limits of a process, resolved. */
export type Limits = Required<Pick<Placement, keyof typeof limitDefaults>>;

/** What holds for every process unless its definition says otherwise. */
export const limitDefaults = {
  mailboxMax: 10_000,
  deferredMax: 1_000,
  initTimeoutMs: 120_000,
  stuckMs: 60_000,
  idleMs: Infinity,
  maxBusyMs: Infinity,
} as const;

/** Limits of one process, on top of those of its definition. */
export interface OwnLimits {
  readonly mailboxMax?: number | undefined;
  /** Calls and casts from outside that it takes in a second, and at once. */
  readonly messagesPerSecond?: number | undefined;
  readonly threadMemoryMb?: number | undefined;
}

/** A definition as the runtime uses it. */
export interface Behaviour extends AnyDefinition {
  readonly spec: AnySpec;
  readonly calls: ReadonlyMap<string, Entry>;
  readonly casts: ReadonlyMap<string, Entry>;
  readonly timers: ReadonlyMap<string, Entry>;
  readonly info: ReadonlyMap<string, Entry>;
  readonly continue: Entry | undefined;
  readonly otherwise: Entry | undefined;
  readonly limits: Limits;
  /** One of the limits, where each message looks for it. */
  readonly mailboxMax: number;
  readonly overflow: Overflow;
  readonly callNames: readonly string[];
  readonly castNames: readonly string[];
  /** What one process has of its own, where that differs from the others of its definition. */
  readonly own?: OwnLimits;
  /** Only the name is known here; its messages are taken as they come. */
  readonly isForeign?: boolean;
}

/** Name of the hidden call behind `coordinate`. */
export const coordinationMessage = 'mabeam.coordination.request';

/** The behaviour behind a definition. */
export function behaviourOf(definition: AnyDefinition): Behaviour {
  const isObject = typeof definition === 'object' && definition !== null;
  if (!isObject || !('spec' in definition)) {
    const { name }: { name?: unknown } = isObject ? definition : {};
    const what = typeof name === 'string' ? name : shown(definition);
    throw invalidDefinition(what, 'is not made by defineProcess');
  }
  return definition as Behaviour;
}

export function compile(name: string, spec: AnySpec): Behaviour {
  checkDefinition(name, spec);
  const calls = table(spec.calls);
  if (spec.coordinate !== undefined) calls.set(coordinationMessage, entry(spec.coordinate));
  const limits = limitsOf(spec);
  return Object.freeze({
    name,
    spec,
    calls,
    casts: table(spec.casts),
    timers: table(spec.timers),
    info: table(spec.info),
    continue: spec.continue && entry(spec.continue),
    otherwise: spec.otherwise && entry(spec.otherwise),
    limits,
    mailboxMax: limits.mailboxMax,
    overflow: spec.overflow ?? 'reject',
    callNames: Object.keys(spec.calls ?? {}),
    castNames: Object.keys(spec.casts ?? {}),
  });
}

function table(handlers: Record<string, AnyHandler> | undefined): Map<string, Entry> {
  return new Map(Object.entries(handlers ?? {}).map(([key, run]) => [key, entry(run)]));
}

function entry(run: AnyHandler): Entry {
  const isAsync = Object.prototype.toString.call(run) === '[object AsyncFunction]' || undefined;
  const { input, reply } = (run as Checked)[schemasOf] ?? {};
  return { run, schema: input, reply, isAsync, isPlain: false };
}

/** The same definition for a process with limits of its own. */
export function withOwnLimits(behaviour: Behaviour, own: OwnLimits): Behaviour {
  const { mailboxMax = behaviour.mailboxMax, threadMemoryMb } = own;
  const { spec, limits } = behaviour;
  return Object.freeze({
    ...behaviour,
    spec: threadMemoryMb === undefined ? spec : { ...spec, threadMemoryMb },
    limits: { ...limits, mailboxMax },
    mailboxMax,
    own,
  });
}

function limitsOf(spec: AnySpec): Limits {
  return withDefaults<Limits>(limitDefaults, spec);
}

const schemasOf = Symbol('schemas');
interface GivenSchemas {
  readonly input?: StandardSchemaV1 | undefined;
  readonly reply?: StandardSchemaV1 | undefined;
}
type Checked = AnyHandler & { [schemasOf]?: GivenSchemas };

/** The handler with schemas for its one argument and for its reply. */
export function withSchemas(schemas: GivenSchemas, handler: AnyHandler): AnyHandler {
  if (typeof handler !== 'function') throw notChecked('handler', handler, 'a function');
  for (const [which, schema] of Object.entries(schemas)) {
    if (schema !== undefined && !isSchema(schema))
      throw notChecked(which, schema, 'a Standard Schema');
  }
  const checked: Checked = (ctx, ...args) => handler(ctx, ...args);
  checked[schemasOf] = schemas;
  return checked;
}

function notChecked(what: string, value: unknown, expected: string): FoundationError {
  return new FoundationError(
    'INVALID_DEFINITION',
    `\`call\` or \`cast\`: expected the ${what} to be ${expected}, got: ${shown(value)}`,
    { hint: 'The order is `call(input, handler, reply)`; `undefined` for no input schema.' },
  );
}
