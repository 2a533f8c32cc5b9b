import { isOneOf, isRecord, shown, unknownField } from './parse.ts';

/** What an agent may use. What cannot be enforced where it runs is measured, and counts against its health. */
export interface AgentLimits {
  /**
   * Megabytes. In a thread of its own: of the heap, enforced, the thread ends alone. Elsewhere: of its state as messages
   * are encoded, looked at with each check of its health.
   */
  readonly memoryMb?: number;
  /** Messages that may wait, enforced. @defaultValue that of its process */
  readonly mailboxMax?: number;
  /** Calls and casts that it takes in a second, enforced: the others fail with `OVERLOADED`, casts return false. */
  readonly messagesPerSecond?: number;
  /** Share of a core, from 0 to 1, since the last check of its health. Looked at with each check. */
  readonly cpuShare?: number;
}

/** What is done with an agent that is not well. */
const remedies = ['report', 'restart'] as const;

/** How it is found out whether an agent is well. */
export interface AgentHealthRules {
  /** Milliseconds between two checks; Infinity: none. @defaultValue 10000 */
  readonly everyMs?: number;
  /** Milliseconds in which it, or its thread, must answer. @defaultValue 2000 */
  readonly timeoutMs?: number;
  /** Checks in a row that must find something before it counts as unhealthy. @defaultValue 2 */
  readonly checksMax?: number;
  /** A call of its process, without arguments: it must answer, with anything but `false` or a refusal. */
  readonly call?: string;
  /**
   * `restart`: an unhealthy agent is ended, and its restart policy decides what comes next. @defaultValue 'report'
   */
  readonly onUnhealthy?: (typeof remedies)[number];
}

/** How agents are watched unless told otherwise. */
export const agentHealthDefaults: Required<Omit<AgentHealthRules, 'call'>> = {
  everyMs: 10_000,
  timeoutMs: 2_000,
  checksMax: 2,
  onUnhealthy: 'report',
};

type Rules = Readonly<
  Record<string, { readonly is: (value: unknown) => boolean; readonly what: string }>
>;

const limitRules: Rules = {
  memoryMb: { is: isPositive, what: 'a number above 0' },
  mailboxMax: { is: isCount, what: 'a whole number from 1' },
  messagesPerSecond: { is: isPositive, what: 'a number above 0' },
  cpuShare: { is: (value) => isPositive(value) && value <= 1, what: 'a share above 0, up to 1' },
};

const healthRules: Rules = {
  everyMs: {
    is: (value) => isPositive(value) || value === Infinity,
    what: 'milliseconds above 0, or Infinity',
  },
  timeoutMs: { is: isPositive, what: 'milliseconds above 0' },
  checksMax: { is: isCount, what: 'a whole number from 1' },
  call: { is: (value) => typeof value === 'string' && value !== '', what: 'the name of a call' },
  onUnhealthy: { is: (value) => isOneOf(remedies, value), what: remedies.join(' or ') },
};

/** A problem for each limit that makes no sense. */
export function problemsOfLimits(limits: unknown): string[] {
  return problemsBy(limitRules, 'limits', limits);
}

/** A problem for each rule of health that makes no sense. */
export function problemsOfHealth(health: unknown): string[] {
  return problemsBy(healthRules, 'health', health);
}

function problemsBy(rules: Rules, name: string, given: unknown): string[] {
  if (!isRecord(given)) return [`expected \`${name}\` to be an object, got ${shown(given)}`];
  const extra = unknownField(given, Object.keys(rules));
  const broken = Object.entries(rules).filter(
    ([field, { is }]) => given[field] !== undefined && !is(given[field]),
  );
  return [
    ...(extra === undefined ? [] : [`unknown field ${shown(`${name}.${extra}`)}`]),
    ...broken.map(
      ([field, { what }]) =>
        `expected \`${name}.${field}\` to be ${what}, got ${shown(given[field])}`,
    ),
  ];
}

function isPositive(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0;
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 1;
}
