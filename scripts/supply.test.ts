import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import * as checks from './supply/checks.ts';
import { readProject, type Locked, type Manifest, type Project } from './supply/project.ts';
import { parseAudit, parseSignatures } from './supply/registry.ts';

const project = readProject(fileURLToPath(new URL('..', import.meta.url)));

/** The project with one of its packages changed. */
function withCore(change: Partial<Manifest>): Project {
  const manifests = project.manifests.map((each) =>
    each.name === '@foundation/core' ? { ...each, ...change } : each,
  );
  return { ...project, manifests };
}

/** The project with another package, which core needs. */
function withPackage(change: Partial<Locked>): Project {
  const one: Locked = {
    version: '1.0.0',
    license: 'MIT',
    integrity: 'sha512-x',
    resolved: undefined,
    isLink: false,
    hasInstallScript: false,
    needs: [],
    ...change,
  };
  const lock = new Map([...project.lock, ['node_modules/odd', one]]);
  return { ...withCore({ dependencies: { odd: '1.0.0' } }), lock };
}

const { runtimeDependencies, pins, lockfile, allowedScripts, productionLicences, publishedFiles } =
  checks;

describe('what the packages are made of', () => {
  it.each([
    runtimeDependencies,
    pins,
    lockfile,
    allowedScripts,
    productionLicences,
    publishedFiles,
  ])('is as it should be: %o', (check) => {
    const { looked, problems } = check(project);
    expect(problems).toEqual([]);
    expect(looked).toBeGreaterThan(1);
  });

  it('includes what is needed by what is needed, and what can be added', () => {
    const { looked } = productionLicences(project);
    expect(looked).toBeGreaterThan(20);
    expect(productionLicences(withCore({ optionalPeers: [] })).looked).toBeLessThan(looked);
  });
});

type Planted = readonly [
  name: string,
  changed: Project,
  check: (from: Project) => checks.Findings,
  words: string,
];

describe('a package', () => {
  const planted: readonly Planted[] = [
    [
      'with a script of its own',
      withCore({ scripts: { postinstall: 'x' } }),
      runtimeDependencies,
      'postinstall',
    ],
    [
      'with a script of another',
      withPackage({ hasInstallScript: true }),
      runtimeDependencies,
      'odd has an install script',
    ],
    [
      'with many others',
      withPackage({ needs: ['commander', 'picocolors', 'yaml'] }),
      runtimeDependencies,
      'core installs',
    ],
    ['of any version', withCore({ dependencies: { odd: '^1.0.0' } }), pins, 'odd ^1.0.0'],
    ['that is not locked', withPackage({ integrity: undefined }), lockfile, 'no sha512'],
    ['from elsewhere', withPackage({ resolved: 'git+ssh://x' }), lockfile, 'git+ssh'],
    [
      'with an undecided script',
      withPackage({ hasInstallScript: true }),
      allowedScripts,
      'is not in allowScripts',
    ],
    [
      'with a script that is gone',
      { ...project, allowScripts: { ...project.allowScripts, gone: true } },
      allowedScripts,
      'gone',
    ],
    ['under another licence', withPackage({ license: 'GPL-3.0' }), productionLicences, 'GPL-3.0'],
    [
      'under a licence that peers may have',
      withPackage({ license: 'Unlicense' }),
      productionLicences,
      'odd: Unlicense',
    ],
    ['under none', withPackage({ license: undefined }), productionLicences, 'no licence'],
    ['that publishes everything', withCore({ files: [] }), publishedFiles, 'core publishes'],
  ];

  it.each(planted)('%s is found', (...[, changed, check, words]) => {
    expect(check(changed).problems.join()).toContain(words);
  });

  it('may be under one of several licences', () => {
    expect(productionLicences(withPackage({ license: '(MIT OR GPL-3.0)' })).problems).toEqual([]);
  });
});

describe('what the registry says', () => {
  it('is about advisories', () => {
    const vulnerabilities = {
      a: { severity: 'high' },
      b: { severity: 'critical' },
      c: { severity: 'low' },
    };
    const metadata = { dependencies: { total: 9 } };
    expect(parseAudit(JSON.stringify({ vulnerabilities, metadata }))).toEqual({
      problems: ['a: high', 'b: critical'],
    });
    expect(parseAudit(JSON.stringify({ vulnerabilities: {}, metadata }))).toEqual({ problems: [] });
  });

  it('is about signatures', () => {
    const invalid = [{ name: 'a', version: '1.0.0' }];
    const missing = [{ name: 'b', version: '2.0.0' }];
    expect(parseSignatures(JSON.stringify({ invalid, missing }))).toEqual({
      problems: ['a@1.0.0: its signature is not of the registry', 'b@2.0.0: it has no signature'],
    });
    expect(parseSignatures('{"invalid":[],"missing":[]}')).toEqual({ problems: [] });
  });

  it.each([
    ['{"message":"405 Method Not Allowed","error":{"summary":""}}', '405 Method Not Allowed'],
    ['{"error":{"code":"ENOTFOUND","summary":"no such host"}}', 'ENOTFOUND: no such host'],
    ['', 'npm said nothing that is JSON'],
    ['{}', 'npm gave no reason'],
  ])('is nothing, neither good nor bad, when it is %j', (text, unavailable) => {
    expect(parseAudit(text)).toEqual({ unavailable });
    expect(parseSignatures(text)).toEqual({ unavailable });
  });
});
