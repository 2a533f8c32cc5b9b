import { FoundationError } from '../errors.ts';
import { closest } from '../options.ts';
import type { SettingValues } from './node-config.ts';
import { profiles } from './profiles.ts';
import {
  environmentName,
  expectedOf,
  fromText,
  isAllowed,
  shownValue,
  type Setting,
} from './setting.ts';
import { settings } from './settings.ts';

/** Where values come from; a later source wins. */
export interface Source {
  /** In words, for instance `foundation.config.ts`. */
  readonly origin: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** The value of a setting, and who has set it. */
export interface Effective {
  readonly setting: Setting;
  readonly value: unknown;
  readonly origin: string;
}

/** All settings that have a value, by path. */
export type Configuration = ReadonlyMap<string, Effective>;

/** One thing that is wrong. */
interface Problem {
  readonly message: string;
  readonly option: string;
  readonly value: unknown;
}

const byPath: ReadonlyMap<string, Setting> = new Map(settings.map((each) => [each.path, each]));
/** What the environment may set; where two set the same, the later wins. */
const variables = settings.flatMap((setting) =>
  [...(setting.aliases ?? []), environmentName(setting)].map((name) => ({ name, setting })),
);
const groups: ReadonlySet<string> = new Set(
  settings.flatMap(({ path }) => (path.includes('.') ? [path.slice(0, path.indexOf('.'))] : [])),
);

/**
 * The settings that sources mean together, on top of their profile's defaults.
 *
 * @param sources - the last one wins; the environment is one of them
 * @param others - names beside the settings that a source may have
 * @throws FoundationError `INVALID_OPTION` that names everything that is wrong, with the likely spelling.
 */
export function configure(
  sources: readonly Source[],
  others: readonly string[] = [],
): Configuration {
  const problems: Problem[] = [];
  const given = sources.map((source) => flatten(source, others, problems));
  const found: Map<string, Effective> = new Map(given.flatMap((each) => [...each]));
  refuse(problems);
  const { profile = 'development' } = settingValues(found);
  const defaults = Object.entries(profiles[profile].settings).map(
    ([path, value]): [string, Effective] => [
      path,
      { setting: settingAt(path), value, origin: `profile ${profile}` },
    ],
  );
  return new Map([...defaults, ...found]);
}

/** What the environment sets: a variable a setting. An empty one is none; one of ours that is no setting is refused. */
export function environmentSource(
  environment: Readonly<Record<string, string | undefined>>,
): readonly Source[] {
  const known = variables.flatMap(({ name, setting }): readonly Source[] => {
    const text = environment[name];
    if (text === undefined || text === '') return [];
    return [{ origin: name, values: nested(setting.path, fromText(setting, text)) }];
  });
  const names = new Set(variables.map(({ name }) => name));
  const unknown = Object.entries(environment).filter(
    ([name, text = '']) =>
      name.startsWith(ourPrefix) && !names.has(name) && text !== '' && !isServiceLink(name, text),
  );
  return unknown.length === 0
    ? known
    : [...known, { origin: 'environment', values: Object.fromEntries(unknown) }];
}

const ourPrefix = 'FOUNDATION_';

/** Kubernetes tells every pod of a service called `foundation…` by variables of this form, which nobody has set. */
function isServiceLink(name: string, text: string): boolean {
  return (
    /_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)$/.test(name) ||
    (name.endsWith('_PORT') && /^(tcp|udp|sctp):\/\//.test(text))
  );
}

function nested(path: string, value: unknown): Record<string, unknown> {
  const [first = '', ...rest] = path.split('.');
  return { [first]: rest.length === 0 ? value : nested(rest.join('.'), value) };
}

/** The settings of one source, by path; what is none is a problem. */
function flatten(
  { origin, values }: Source,
  others: readonly string[],
  problems: Problem[],
): ReadonlyMap<string, Effective> {
  const found = new Map<string, Effective>();
  const take = (path: string, value: unknown): void => {
    if (value === undefined) return;
    const setting = byPath.get(path);
    if (setting === undefined) problems.push(unknownOption(origin, path, others));
    else if (!isAllowed(setting, value)) problems.push(wrong({ origin, setting, value }));
    else found.set(path, { setting, value, origin });
  };
  for (const [key, value] of Object.entries(values)) {
    if (others.includes(key)) continue;
    if (!groups.has(key)) take(key, value);
    else if (!isRecord(value)) take(`${key}.kind`, value);
    else for (const [inner, each] of Object.entries(value)) take(`${key}.${inner}`, each);
  }
  return found;
}

function unknownOption(origin: string, path: string, others: readonly string[]): Problem {
  const [group = '', inner] = path.split('.');
  const isVariable = path.startsWith(ourPrefix);
  const known = isVariable
    ? variables.flatMap(({ name }) => (name.startsWith(ourPrefix) ? [bare(name)] : []))
    : inner === undefined
      ? [...others, ...groups, ...[...byPath.keys()].filter((each) => !each.includes('.'))]
      : [...byPath.keys()].filter((each) => each.startsWith(`${group}.`));
  const meant = closest(isVariable ? bare(path) : path, known);
  const whole = `${isVariable ? ourPrefix : ''}${meant}`;
  const question = meant === undefined ? '' : `, did you mean \`${whole}\`?`;
  return {
    message: `${origin}: unknown option \`${path}\`${question}`,
    option: path,
    value: undefined,
  };
}

/** What tells variables apart: their common beginning makes none like another. */
function bare(name: string): string {
  return name.slice(ourPrefix.length);
}

function wrong({ origin, setting, value }: Effective): Problem {
  // Only groups that come in kinds have such a setting.
  const path = setting.path.replace(/\.kind$/, '');
  const found = shownValue(setting, value);
  const message = `${origin}: expected \`${path}\` to be ${expectedOf(setting)}, got: ${found}`;
  return { message, option: path, value: found };
}

function refuse(problems: readonly Problem[]): void {
  const [first] = problems;
  if (first === undefined) return;
  const { option, value } = first;
  throw new FoundationError('INVALID_OPTION', problems.map(({ message }) => message).join('; '), {
    hint: 'Correct what is named; nothing has changed. `fnd config` shows what is in effect, and from where.',
    details: { option, value, problems: problems.map((each) => each.message) },
  });
}

function settingAt(path: string): Setting {
  const setting = byPath.get(path);
  if (setting === undefined) throw new Error(`no setting is called ${path}`);
  return setting;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Uint8Array)
  );
}

/** The values of all settings, nested as in the options. Their types were checked against the table of settings. */
export function settingValues(configuration: Configuration): SettingValues {
  const values: Record<string, unknown> = {
    cluster: {},
    store: {},
    listen: {},
    nats: {},
    certificates: {},
  };
  for (const [path, { value }] of configuration) {
    const [first = '', inner] = path.split('.');
    if (inner === undefined) values[first] = value;
    else values[first] = { ...Object(values[first]), [inner]: value };
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
  return values as unknown as SettingValues;
}
