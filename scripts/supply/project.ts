import { globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

type Names = Readonly<Record<string, string>>;

/** As much of a `package.json` as is looked at. */
export interface Manifest {
  /** Folder, from the root of the project: `packages/foundation`. */
  readonly folder: string;
  readonly name: string;
  readonly isPublished: boolean;
  readonly files: readonly string[];
  readonly scripts: Names;
  readonly dependencies: Names;
  readonly devDependencies: Names;
  /** Names of those that a user may leave out. */
  readonly optionalPeers: readonly string[];
}

/** As much of a package in `package-lock.json` as is looked at. */
export interface Locked {
  readonly version: string;
  readonly license: string | undefined;
  readonly integrity: string | undefined;
  readonly resolved: string | undefined;
  readonly isLink: boolean;
  readonly hasInstallScript: boolean;
  /** Names of what it needs, also where it can do without. */
  readonly needs: readonly string[];
}

/** What the project says of itself and of what it is made with. */
export interface Project {
  readonly manifests: readonly Manifest[];
  /** By folder, as in `package-lock.json`. */
  readonly lock: ReadonlyMap<string, Locked>;
  /** Which packages may run a script when they are installed, and which may not. */
  readonly allowScripts: Readonly<Record<string, unknown>>;
}

export function readProject(root: string): Project {
  const folders = globSync(
    ['packages/*/package.json', 'examples/*/package.json', 'bench/package.json'],
    {
      cwd: root,
    },
  ).map(dirname);
  const { allowScripts } = Object(parse(join(root, 'package.json')));
  return {
    manifests: ['.', ...folders].map((folder) => readManifest(root, folder)),
    lock: lockOf(parse(join(root, 'package-lock.json'))),
    allowScripts: Object(allowScripts),
  };
}

function parse(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function readManifest(root: string, folder: string): Manifest {
  const content = Object(parse(join(root, folder, 'package.json')));
  const { name, files, scripts, dependencies, devDependencies, peerDependenciesMeta } = content;
  return {
    folder,
    name: String(name),
    isPublished: content['private'] !== true,
    files: files ?? [],
    scripts: Object(scripts),
    dependencies: Object(dependencies),
    devDependencies: Object(devDependencies),
    optionalPeers: Object.keys(Object(peerDependenciesMeta)),
  };
}

function lockOf(content: unknown): ReadonlyMap<string, Locked> {
  const packages: Readonly<Record<string, unknown>> = Object(Object(content).packages);
  return new Map(Object.entries(packages).map(([folder, each]) => [folder, locked(Object(each))]));
}

function locked(each: Readonly<Record<string, unknown>>): Locked {
  const text = (key: string): string | undefined => {
    const value = each[key];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    version: text('version') ?? '',
    license: text('license'),
    integrity: text('integrity'),
    resolved: text('resolved'),
    isLink: each['link'] === true,
    hasInstallScript: each['hasInstallScript'] === true,
    needs: Object.keys({
      ...Object(each['dependencies']),
      ...Object(each['optionalDependencies']),
    }),
  };
}

/** Where a package finds what it needs, as Node looks for it. */
function resolve(lock: Project['lock'], from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.replace(/(?:^|\/)[^/]*$/, '')) {
    const path = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (lock.has(path)) return path;
    if (folder === '') return undefined;
  }
}

/** Folders of all packages that are needed by something, and by what it needs. */
export function neededBy(
  { lock }: Pick<Project, 'lock'>,
  from: string,
  names: readonly string[],
): ReadonlySet<string> {
  const found = new Set<string>();
  const visit = (folder: string, needs: readonly string[]): void => {
    for (const need of needs) {
      const path = resolve(lock, folder, need);
      const each = path === undefined ? undefined : lock.get(path);
      if (path === undefined || each === undefined || found.has(path) || each.isLink) continue;
      found.add(path);
      visit(path, each.needs);
    }
  };
  visit(from, names);
  return found;
}
