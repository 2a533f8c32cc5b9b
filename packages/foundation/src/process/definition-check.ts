import { FoundationError } from '../errors.ts';
import { closest, inWords, isNumber, shown, type NumberRule } from '../options.ts';
import type { AnySpec } from './behaviour.ts';
import type { Reserved } from './definition.ts';

const namePattern = /^[\p{L}\p{N}_$][\p{L}\p{N}_$.:@/ -]{0,199}$/u;
const reserved: ReadonlySet<string> = new Set<Reserved>(['then', 'with', 'try', 'cast', 'pid']);
/** `restart` is what supervisors tell themselves. */
const notices: ReadonlySet<string> = new Set(['down', 'exit', 'idle', 'restart']);
const tables = ['calls', 'casts', 'timers', 'info'] as const;
const functions = [
  'init',
  'start',
  'continue',
  'otherwise',
  'terminate',
  'coordinate',
  'snapshot',
  'restore',
] as const;
const count: NumberRule = { min: 1, integer: true, endless: true };
const time: NumberRule = { above: 0, endless: true };
const numbers = {
  mailboxMax: count,
  deferredMax: count,
  initTimeoutMs: time,
  stuckMs: time,
  idleMs: time,
  maxBusyMs: time,
  threadMemoryMb: { min: 4 },
} as const satisfies Record<string, NumberRule>;
/** What only a worker thread can keep. */
const ofThreads = ['thread', 'maxBusyMs', 'threadMemoryMb'] as const;
const settings = ['durable', 'isolation', 'thread', 'module', 'overflow', 'trapExits', 'isSystem'];
const fields: readonly string[] = [...tables, ...functions, ...settings, ...Object.keys(numbers)];
const choices: Readonly<Record<string, readonly unknown[]>> = {
  isolation: ['inline', 'thread'],
  overflow: ['reject', 'drop-newest', 'drop-oldest'],
  durable: [true, false],
  trapExits: [true, false],
};
const texts = ['module', 'thread'] as const;

/** @throws FoundationError `INVALID_DEFINITION` naming the field that is wrong. */
export function checkDefinition(name: string, spec: AnySpec): void {
  if (!isName(name)) throw invalidDefinition(shown(name), `has no valid name: give ${nameRule}`);
  if (!isRecord(spec)) throw invalidDefinition(name, `is ${shown(spec)}, and no object`);
  checkFields(name, spec);
  if (typeof spec.init !== 'function') throw invalidDefinition(name, 'has no `init` function');
  checkHandlers(name, spec);
  checkNumbers(name, spec);
  checkDurable(name, spec);
  checkThread(name, spec);
}

function checkNumbers(name: string, spec: AnySpec): void {
  for (const [field, rule] of Object.entries(numbers)) {
    const value: unknown = spec[field as keyof typeof numbers];
    if (value === undefined || isNumber(value, rule)) continue;
    throw invalidDefinition(
      name,
      `has \`${field}\` ${shown(value)}, which is not ${inWords(rule)}`,
    );
  }
}

function checkDurable(name: string, spec: AnySpec): void {
  if (spec.durable === true) return;
  for (const field of ['snapshot', 'restore'] as const) {
    if (spec[field] === undefined) continue;
    throw invalidDefinition(name, `has \`${field}\`, but not \`durable: true\``);
  }
}

function checkThread(name: string, spec: AnySpec): void {
  if (spec.isolation === 'thread') {
    if (spec.module !== undefined) return;
    throw invalidDefinition(name, 'is isolated in a thread but has no `module: import.meta.url`');
  }
  for (const field of ofThreads) {
    if (spec[field] === undefined || spec[field] === Infinity) continue;
    throw invalidDefinition(name, `has \`${field}\`, but not \`isolation: 'thread'\``);
  }
}

function checkFields(name: string, spec: AnySpec): void {
  for (const field of Object.keys(spec)) {
    if (fields.includes(field)) continue;
    const meant = closest(field, fields);
    const question = meant === undefined ? '' : `, did you mean \`${meant}\`?`;
    throw invalidDefinition(name, `has an unknown field \`${field}\`${question}`);
  }
  for (const [field, allowed] of Object.entries(choices)) {
    const value: unknown = spec[field as keyof AnySpec];
    if (value === undefined || allowed.some((each) => each === value)) continue;
    const words = `none of ${allowed.map(String).join(', ')}`;
    throw invalidDefinition(name, `has \`${field}\` ${shown(value)}, which is ${words}`);
  }
  for (const field of texts) {
    const value: unknown = spec[field];
    if (value === undefined || typeof value === 'string') continue;
    throw invalidDefinition(name, `has \`${field}\` ${shown(value)}, which is no text`);
  }
}

function checkHandlers(name: string, spec: AnySpec): void {
  for (const field of tables) {
    const table: unknown = spec[field];
    if (table !== undefined && !isRecord(table)) {
      throw invalidDefinition(
        name,
        `has \`${field}\` ${shown(table)}, which is no table of functions`,
      );
    }
    for (const [word, handler] of Object.entries(spec[field] ?? {})) {
      if (typeof handler !== 'function') {
        throw invalidDefinition(name, `has no function at \`${field}.${word}\``);
      }
      if (field === 'info' && !notices.has(word)) {
        throw invalidDefinition(name, `has \`info.${word}\`, and there is no such notice`);
      }
      if (field === 'calls' && reserved.has(word)) {
        throw invalidDefinition(name, `has a call with the reserved name "${word}"`);
      }
    }
  }
  for (const field of functions) {
    const handler: unknown = spec[field];
    if (handler !== undefined && typeof handler !== 'function') {
      throw invalidDefinition(name, `has no function at \`${field}\``);
    }
  }
}

/** What {@link isName} asks for. */
export const nameRule =
  'a name of 1 to 200 letters, digits and `_$.:@/ -`, the first of them a letter, a digit, `_` or `$`';

function isRecord(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether a text can name a process. */
export function isName(name: unknown): name is string {
  return typeof name === 'string' && namePattern.test(name);
}

export function invalidDefinition(name: string, what: string): FoundationError {
  return new FoundationError('INVALID_DEFINITION', `the process definition "${name}" ${what}`, {
    hint: 'What `defineProcess` takes stands in docs/reference/processes.md.',
    details: { definition: name },
  });
}
