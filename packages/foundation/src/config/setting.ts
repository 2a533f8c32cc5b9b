import { inWords, isNumber, shown, type NumberRule } from '../options.ts';

/** What values a setting takes. */
export type SettingType =
  | { readonly kind: 'text'; readonly pattern?: RegExp; readonly expected?: string }
  | { readonly kind: 'choice'; readonly of: readonly string[] }
  | { readonly kind: 'number'; readonly rule: NumberRule }
  /** Texts; in the environment with commas between them. */
  | { readonly kind: 'list' };

/** One thing that can be set, in a file, by the environment or by the program. */
export interface Setting {
  /** Where it is in the options, for instance `listen.port`. */
  readonly path: string;
  readonly type: SettingType;
  /** One sentence for people. */
  readonly means: string;
  /** What holds when nobody sets it. */
  readonly otherwise?: string;
  /** Other names in the environment, beside {@link environmentName}. */
  readonly aliases?: readonly string[];
  /** Never shown. */
  readonly isSecret?: true;
}

/** `listen.port` is `FOUNDATION_LISTEN_PORT`; what kind of a thing something is has no word of its own. */
export function environmentName({ path }: Setting): string {
  const words = path.replace(/\.kind$/, '').replaceAll(/[A-Z]/g, (letter) => `_${letter}`);
  return `FOUNDATION_${words.replaceAll('.', '_').toUpperCase()}`;
}

/** What a setting must be, in words. */
export function expectedOf({ type }: Setting): string {
  switch (type.kind) {
    case 'text':
      return type.expected ?? 'a text that is not empty';
    case 'choice': {
      const words = type.of.map((each) => `'${each}'`);
      const last = words.pop() ?? '';
      return [words.join(', '), last].filter(Boolean).join(' or ');
    }
    case 'number':
      return inWords(type.rule);
    case 'list':
      return 'a list of texts';
  }
}

/** Whether a value is one that the setting takes. */
export function isAllowed({ type }: Setting, value: unknown): boolean {
  switch (type.kind) {
    case 'text':
      return typeof value === 'string' && (type.pattern ?? /./s).test(value);
    case 'choice':
      return type.of.some((each) => each === value);
    case 'number':
      return isNumber(value, type.rule);
    case 'list':
      return Array.isArray(value) && value.every((each) => typeof each === 'string');
  }
}

/** Neither hexadecimal nor an exponent: what looks like a slip is none of ours to guess. */
const decimal = /^(?:-?\d+(?:\.\d+)?|Infinity)$/;

/** What the text of an environment variable means; a text that means nothing stays one, and is refused. */
export function fromText({ type }: Setting, text: string): unknown {
  switch (type.kind) {
    case 'text':
    case 'choice':
      return text;
    case 'number':
      return decimal.test(text) ? Number(text) : text;
    case 'list':
      return text
        .split(',')
        .map((each) => each.trim())
        .filter((each) => each !== '');
  }
}

const hidden = '[redacted]';

/** A setting's value as people may see it: no secret, no password in an address, no private key. */
export function redacted({ isSecret }: Setting, value: unknown): unknown {
  if (isSecret === true) return hidden;
  if (typeof value === 'string') return redactedText(value);
  return Array.isArray(value) ? value.map(redactedItem) : value;
}

function redactedItem(item: unknown): unknown {
  return typeof item === 'string' ? redactedText(item) : item;
}

function redactedText(text: string): string {
  if (text.includes('PRIVATE KEY-----')) return hidden;
  return text.replaceAll(/:\/\/[^/@\s]*@/g, `://${hidden}@`);
}

/** The same as text. */
export function shownValue(setting: Setting, value: unknown): string {
  const allowed = redacted(setting, value);
  return allowed === hidden ? hidden : shown(allowed);
}
