import { neededBy, type Manifest, type Project } from './project.ts';

/** What was looked at, and what is not as it should be. */
export interface Findings {
  /** How many things were looked at. */
  readonly looked: number;
  readonly problems: readonly string[];
}

const core = '@foundation/core';
const runtimeDependenciesMax = 3;
/** What npm runs by itself when a package is installed. */
const installScripts = [
  'preinstall',
  'install',
  'postinstall',
  'prepare',
  'preprepare',
  'postprepare',
];
/** Interfaces that an application and everything in it must share: pinned, there would be two of them. */
const shared = new Set(['@opentelemetry/api', '@standard-schema/spec']);
const licences = new Set(['MIT', 'Apache-2.0', 'BSD-2-Clause', 'BSD-3-Clause', '0BSD', 'ISC']);
/** As free as those, and only in what a user adds: `tweetnacl` of NATS, `argparse` and `stream-buffers` of Kubernetes. */
const licencesOfPeers = new Set([...licences, 'Unlicense', 'PSF-2.0']);
const published = ['dist', 'src', '!**/*.test.ts', '!**/*.tsbuildinfo'];
const registry = 'https://registry.npmjs.org/';

function coreOf({ manifests }: Project): Manifest {
  const found = manifests.find(({ name }) => name === core);
  if (found === undefined) throw new Error(`there is no ${core}`);
  return found;
}

/** What is installed with core: few, and nothing of it runs when it is. */
export function runtimeDependencies(project: Project): Findings {
  const { folder, dependencies } = coreOf(project);
  const names = Object.keys(dependencies);
  const all = [...neededBy(project, folder, names)];
  const running = all.filter((path) => project.lock.get(path)?.hasInstallScript === true);
  const tooMany = all.length > runtimeDependenciesMax ? [`core installs ${all.join(', ')}`] : [];
  const ours = project.manifests
    .filter(({ isPublished }) => isPublished)
    .flatMap(({ name, scripts }) =>
      installScripts.filter((each) => each in scripts).map((each) => `${name} has ${each}`),
    );
  const problems = [...tooMany, ...ours, ...running.map((path) => `${path} has an install script`)];
  return { looked: all.length, problems };
}

/** One version of each package, wherever nothing must be shared with others. */
export function pins({ manifests }: Project): Findings {
  const asked = manifests.flatMap(({ folder, dependencies, devDependencies }) =>
    Object.entries({ ...dependencies, ...devDependencies }).map(([name, range]) => ({
      folder,
      name,
      range,
    })),
  );
  const problems = asked
    .filter(({ name, range }) => !shared.has(name) && !/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(range))
    .map(({ folder, name, range }) => `${folder} asks for ${name} ${range}`);
  return { looked: asked.length, problems };
}

/** Everything comes from the registry, and is what it was when it was locked. */
export function lockfile({ lock }: Project): Findings {
  const foreign = [...lock].filter(
    ([path, { isLink }]) => path.includes('node_modules/') && !isLink,
  );
  const problems = foreign.flatMap(([path, { integrity, resolved }]) => [
    ...(integrity?.startsWith('sha512-') === true ? [] : [`${path} has no sha512`]),
    ...(resolved?.startsWith(registry) === false ? [`${path} comes from ${resolved}`] : []),
  ]);
  return { looked: foreign.length, problems };
}

/** Each package with an install script is named, with a decision; and none that is not there. */
export function allowedScripts({ lock, allowScripts }: Project): Findings {
  const running = new Set(
    [...lock]
      .filter(([, { hasInstallScript }]) => hasInstallScript)
      .map(([path]) => path.replace(/^.*node_modules\//, '')),
  );
  const missing = [...running]
    .filter((name) => typeof allowScripts[name] !== 'boolean')
    .map((name) => `${name} has an install script and is not in allowScripts`);
  const idle = Object.keys(allowScripts)
    .filter((name) => !running.has(name))
    .map((name) => `${name} is in allowScripts and has no install script`);
  return { looked: running.size, problems: [...missing, ...idle] };
}

/** What runs in production may be used by anybody: what is installed with a package, and what can be added to it. */
export function productionLicences(project: Project): Findings {
  const ours = project.manifests.filter(({ isPublished }) => isPublished);
  const needed = ours.flatMap(({ folder, dependencies }) => [
    ...neededBy(project, folder, Object.keys(dependencies)),
  ]);
  const added = ours.flatMap(({ folder, optionalPeers }) => [
    ...neededBy(project, folder, optionalPeers),
  ]);
  const unfit = (paths: readonly string[], allowed: ReadonlySet<string>): readonly string[] =>
    paths
      .filter((path) => !allows(allowed, project.lock.get(path)?.license))
      .map((path) => `${path}: ${project.lock.get(path)?.license ?? 'no licence'}`);
  return {
    looked: new Set([...needed, ...added]).size,
    problems: [...unfit(needed, licences), ...unfit(added, licencesOfPeers)],
  };
}

/** Whether one of the licences of which one may be chosen is allowed. */
function allows(allowed: ReadonlySet<string>, license = ''): boolean {
  return license
    .replaceAll(/[()]/g, '')
    .split(' OR ')
    .some((each) => allowed.has(each));
}

/** Packages say what is in them, and there is nothing else. */
export function publishedFiles({ manifests }: Project): Findings {
  const ours = manifests.filter(({ isPublished }) => isPublished);
  const problems = ours
    .filter(({ files }) => published.some((each) => !files.includes(each)) || files.length !== 4)
    .map(({ name, files }) => `${name} publishes ${files.join(', ')}`);
  return { looked: ours.length, problems };
}
