// Installs the packages as they would be published, after `npm run build`, and runs them without their
// sources' condition: `node scripts/check-packages.ts`.
import { execFileSync } from 'node:child_process';
import {
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

interface Manifest {
  readonly name: string;
  /** Doors of the package, as they are imported. */
  readonly specifiers: readonly string[];
  readonly foreign: readonly string[];
}

/** A process in a thread of a node in a cluster: every file that is found by its address is needed. */
const thinker = `
  import { defineProcess } from '@foundation/core';
  export const thinker = defineProcess('thinker', {
    isolation: 'thread', module: import.meta.url, init: () => ({}), calls: { think: () => 42 },
  });`;

function smoke(specifiers: readonly string[]): string {
  return `
  import { startNode } from '@foundation/core';
  import { HighsSolver } from '@foundation/core/highs';
  import { thinker } from './thinker.js';

  for (const specifier of ${JSON.stringify(specifiers)}) {
    if (!import.meta.resolve(specifier).includes('/dist/')) throw new Error(specifier);
    // The test kit can only be loaded by its runner.
    if (!specifier.startsWith('@foundation/testing')) await import(specifier);
  }
  await using node = await startNode({ clusterName: 'smoke', directory: import.meta.dirname });
  const ref = await node.processes.start(thinker);
  if (await ref.think() !== 42) throw new Error('the thread does not think');
  const solver = new HighsSolver();
  const job = { model: { columns: [{ worth: 1, most: 1 }], rows: [] } };
  const { signal } = new AbortController();
  const { detail, values } = await solver.solve(job, { budgetMs: 30_000, signal });
  if (values?.[0] !== 1) throw new Error('the solver does not solve: ' + detail);
  await solver.close();
  `;
}

/** Unpacks what `npm pack` makes of a package, beside links to what it declares. */
function install(packageRoot: string, modules: string): Manifest {
  const manifest = readManifest(packageRoot);
  const packed = execFileSync('npm', ['pack', '--silent', '--pack-destination', modules], {
    cwd: packageRoot,
    encoding: 'utf8',
  });
  const archive = join(modules, packed.trim());
  const home = join(modules, manifest.name);
  mkdirSync(home, { recursive: true });
  execFileSync('tar', ['xf', archive, '-C', home, '--strip-components=1']);
  for (const name of manifest.foreign) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    rmSync(join(modules, name), { force: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  return manifest;
}

function readManifest(packageRoot: string): Manifest {
  const content: unknown = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'));
  const { name, exports, dependencies, peerDependencies } = Object(content);
  const needed = Object.keys({ ...Object(dependencies), ...Object(peerDependencies) });
  return {
    name: String(name),
    specifiers: Object.keys(Object(exports)).map((door) => join(String(name), door)),
    foreign: needed.filter((other) => !other.startsWith('@foundation/')),
  };
}

function checkPackages(project: string): void {
  const modules = join(project, 'node_modules');
  mkdirSync(modules, { recursive: true });
  const manifests = globSync('packages/*', { cwd: root }).map((path) =>
    install(join(root, path), modules),
  );
  const specifiers = manifests.flatMap((each) => each.specifiers);
  const strays = globSync('node_modules/@foundation/**/{*.test.*,*.tsbuildinfo}', { cwd: project });
  if (strays.length > 0) throw new Error(`published, but should not be: ${strays.join(', ')}`);

  writeFileSync(join(project, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(project, 'thinker.js'), thinker);
  writeFileSync(join(project, 'smoke.js'), smoke(specifiers));
  execFileSync(process.execPath, ['smoke.js'], { cwd: project, stdio: 'inherit', timeout: 60_000 });
  const fnd = join(modules, '@foundation/cli/dist/main.js');
  execFileSync(process.execPath, [fnd, '--version'], { cwd: project, timeout: 60_000 });
  console.log(`${manifests.length} packages run as they would be published`);
}

const project = mkdtempSync(join(tmpdir(), 'foundation-packages-'));
try {
  checkPackages(project);
} finally {
  rmSync(project, { recursive: true });
}
