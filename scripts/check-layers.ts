// Reports every import and every declared dependency that goes against the layers:
// `node scripts/check-layers.ts [root]`.
import { globSync, readFileSync } from 'node:fs';
import { join, posix, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What each package may depend on. Everything may use the test kit in its tests. */
const below: Readonly<Record<string, readonly string[]>> = {
  '@foundation/core': [],
  '@foundation/testing': ['@foundation/core'],
  '@foundation/agents': ['@foundation/core'],
  '@foundation/ml': ['@foundation/core', '@foundation/agents'],
  '@foundation/dspex': ['@foundation/core', '@foundation/agents', '@foundation/ml'],
  '@foundation/cli': [
    '@foundation/core',
    '@foundation/agents',
    '@foundation/ml',
    '@foundation/dspex',
  ],
};
const testKit = '@foundation/testing';

interface Manifest {
  readonly name: string;
  readonly dependencies: readonly string[];
  readonly devDependencies: readonly string[];
}

interface SourceFile {
  /** From the root, with `/`. */
  readonly path: string;
  readonly isTest: boolean;
  readonly specifiers: readonly string[];
}

/** All breaches in the repository at `root`, one sentence each. */
export function layerBreaches(root: string): readonly string[] {
  const shared = readManifest(join(root, 'package.json')).devDependencies;
  return globSync('packages/*/package.json', { cwd: root })
    .toSorted()
    .flatMap((path) => {
      const home = posix.dirname(slashed(path));
      const manifest = readManifest(join(root, path));
      const imports = sourceFiles(root, home).flatMap((file) =>
        undeclared(file, manifest, shared).concat(trespasses(file, home)),
      );
      return undeclarable(home, manifest).concat(imports);
    });
}

/** Declared, but not below. */
function undeclarable(home: string, { name, ...declared }: Manifest): readonly string[] {
  const allowed = below[name];
  if (allowed === undefined) return [`${home} is ${name}, which has no layer`];
  const isForeign = (other: string): boolean => other in below && !allowed.includes(other);
  return declared.dependencies
    .concat(declared.devDependencies.filter((other) => other !== testKit))
    .filter(isForeign)
    .map((other) => `${home} declares ${other}, which is not below it`);
}

/** Imported, but not declared: npm puts every package within reach of every other. */
function undeclared(
  file: SourceFile,
  manifest: Manifest,
  shared: readonly string[],
): readonly string[] {
  const { name, dependencies, devDependencies } = manifest;
  const forTests = file.isTest ? [name, ...devDependencies, ...shared] : [];
  const known = new Set([...dependencies, ...forTests]);
  return file.specifiers
    .filter((specifier) => !isRelative(specifier) && !specifier.startsWith('node:'))
    .map(packageOf)
    .filter((other) => !known.has(other))
    .map((other) => `${file.path} imports ${other}, which its package does not declare`);
}

/** Rules about files. */
function trespasses({ path, isTest, specifiers }: SourceFile, home: string): readonly string[] {
  const core = `${home}/src/`;
  const mabeam = `${core}mabeam/`;
  // The node is where the rooms come together: its contract and its composition.
  const isNode = path === `${core}node.ts` || path === `${core}node-api.ts`;
  const mayKnowMabeam = isTest || isNode || path.startsWith(mabeam);
  return specifiers.flatMap((specifier) => {
    const target = isRelative(specifier) ? posix.join(posix.dirname(path), specifier) : specifier;
    if (path.endsWith('-state.ts') && specifier.startsWith('node:')) {
      return [`${path} imports ${specifier}, but a *-state.ts file is pure`];
    }
    if (isRelative(specifier) && !target.startsWith(`${home}/`)) {
      return [`${path} imports ${specifier}, which is in another package`];
    }
    if (target.startsWith(mabeam) && !mayKnowMabeam) {
      return [`${path} imports ${specifier}, but the core does not know mabeam`];
    }
    return [];
  });
}

function sourceFiles(root: string, home: string): readonly SourceFile[] {
  return globSync(`${home}/{src,test}/**/*.ts`, { cwd: root })
    .map(slashed)
    .toSorted()
    .map((path) => ({
      path,
      isTest: path.endsWith('.test.ts') || path.startsWith(`${home}/test/`),
      specifiers: specifiersIn(readFileSync(join(root, path), 'utf8')),
    }));
}

/** The formatter makes sure of the form: a statement starts its line, quotes are single. */
function specifiersIn(source: string): readonly string[] {
  const statements = source.matchAll(/^(?:import|export)\s(?:[^;]*?\sfrom\s)?'([^']+)'/gm);
  const expressions = source.matchAll(/\bimport\('([^']+)'\)/g);
  return [...statements, ...expressions].map(([, specifier = '']) => specifier);
}

function isRelative(specifier: string): boolean {
  return specifier.startsWith('.');
}

function slashed(path: string): string {
  return path.replaceAll(sep, '/');
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

function readManifest(path: string): Manifest {
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const names = (field: string): readonly string[] => Object.keys(Object(Object(content)[field]));
  return {
    name: String(Object(content).name),
    dependencies: [...names('dependencies'), ...names('peerDependencies')],
    devDependencies: names('devDependencies'),
  };
}

if (import.meta.main) {
  const breaches = layerBreaches(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));
  for (const breach of breaches) console.error(breach);
  if (breaches.length > 0) process.exitCode = 1;
  else console.log('all layers are kept');
}
