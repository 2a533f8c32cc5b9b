import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { FoundationError, messageOf } from '../errors.ts';
import type { Source } from './configuration.ts';

const names = ['foundation.config.ts', 'foundation.config.js', 'foundation.config.mjs'];

/** A file of settings that was read. */
export interface ConfigFile {
  readonly path: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Where the file of settings is: the nearest at or above a directory. */
export function findConfigFile(cwd: string): string | undefined {
  for (let directory = resolve(cwd); ; directory = dirname(directory)) {
    const path = names.map((name) => join(directory, name)).find((each) => existsSync(each));
    if (path !== undefined) return path;
    if (dirname(directory) === directory) return undefined;
  }
}

/**
 * Reads a file of settings: a module whose default export is an object.
 *
 * @throws FoundationError `INVALID_OPTION` when it cannot be read, or exports something else.
 */
export async function readConfigFile(path: string): Promise<ConfigFile> {
  const values = await importDefault(path);
  if (typeof values === 'object' && values !== null && !Array.isArray(values)) {
    return { path, values: { ...values } };
  }
  throw unreadable(path, 'it has no default export that is an object', undefined);
}

async function importDefault(path: string): Promise<unknown> {
  try {
    const module: unknown = await import(pathToFileURL(path).href);
    return typeof module === 'object' && module !== null && 'default' in module
      ? module.default
      : undefined;
  } catch (cause) {
    throw unreadable(path, messageOf(cause), cause);
  }
}

function unreadable(path: string, why: string, cause: unknown): FoundationError {
  return new FoundationError('INVALID_OPTION', `the settings in ${path} cannot be used: ${why}`, {
    hint: 'Write `export default defineConfig({ … })`.',
    details: { path },
    cause,
  });
}

/** What a file sets for a cluster: what is for all, and on top of it what `clusters` has under its name. */
export function fileSources(
  { path, values }: ConfigFile,
  clusterName: string | undefined,
): readonly Source[] {
  const { clusters, ...common } = values;
  const all: Source = { origin: path, values: common };
  if (clusters === undefined) return [all];
  const known = clusterNames({ path, values });
  const name = clusterName ?? common['clusterName'];
  if (name === undefined && known.length > 0) {
    throw new FoundationError('INVALID_OPTION', `${path} has several clusters: which one?`, {
      hint: `Say \`clusterName\` (\`fnd … --cluster\`): ${known.join(', ')}; or \`startNodes\` for a node in each.`,
      details: { path, clusters: known },
    });
  }
  const own = Object.entries(Object(clusters)).find(([each]) => each === name)?.[1];
  if (typeof own === 'object' && own !== null) {
    const origin = `${path}: clusters.${String(name)}`;
    return [all, { origin, values: { ...own, clusterName: name } }];
  }
  throw new FoundationError('INVALID_OPTION', `${path} has no cluster "${String(name)}"`, {
    hint: `Known are: ${known.join(', ')}.`,
    details: { path, clusterName: name, clusters: known },
  });
}

/** Names of the clusters that a file has settings for. */
export function clusterNames({ path, values }: ConfigFile): readonly string[] {
  const { clusters = {} } = values;
  if (typeof clusters === 'object' && clusters !== null && !Array.isArray(clusters)) {
    return Object.keys(clusters);
  }
  throw unreadable(path, '`clusters` is no object with settings by name', undefined);
}
