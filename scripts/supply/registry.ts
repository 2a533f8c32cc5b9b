import { execFile } from 'node:child_process';

/** What the registry says is wrong with what is installed; or why it says nothing. */
export type Answer = { readonly problems: readonly string[] } | { readonly unavailable: string };

/** No second try: a registry that does not offer something will not offer it in ten seconds. */
const flags = ['--json', '--fetch-retries=0', '--fetch-timeout=20000'];

/** Asks for advisories of everything that is installed. */
export async function advisories(): Promise<Answer> {
  return parseAudit(await npm('audit'));
}

/** Has npm verify that what is installed is what the registry has signed. */
export async function signatures(): Promise<Answer> {
  return parseSignatures(await npm('audit', 'signatures'));
}

/** What npm says as JSON. Its exit code tells nothing that is not in there. */
function npm(...words: readonly string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('npm', [...words, ...flags], { timeout: 60_000 }, (_error, stdout) => resolve(stdout));
  return promise;
}

/** @param text - What `npm audit --json` has said. */
export function parseAudit(text: string): Answer {
  const { vulnerabilities, metadata, ...rest } = Object(parsed(text));
  const { total } = Object(Object(metadata).dependencies);
  if (typeof vulnerabilities !== 'object' || !(total > 0)) return unavailable(rest);
  const problems = Object.entries(vulnerabilities)
    .filter(([, each]) => ['high', 'critical'].includes(Object(each).severity))
    .map(([name, each]) => `${name}: ${Object(each).severity}`);
  return { problems };
}

/** @param text - What `npm audit signatures --json` has said. */
export function parseSignatures(text: string): Answer {
  const { invalid, missing, ...rest } = Object(parsed(text));
  if (!Array.isArray(invalid) || !Array.isArray(missing)) return unavailable(rest);
  return {
    problems: [
      ...invalid.map((each) => `${nameOf(each)}: its signature is not of the registry`),
      ...missing.map((each) => `${nameOf(each)}: it has no signature`),
    ],
  };
}

function nameOf(each: unknown): string {
  const { name, version } = Object(each);
  return `${name}@${version}`;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return { message: 'npm said nothing that is JSON' };
  }
}

function unavailable({ message, error }: { message?: unknown; error?: unknown }): Answer {
  const { code, summary } = Object(error);
  const words = [message, code, summary].filter((each) => typeof each === 'string' && each !== '');
  return { unavailable: words.join(': ') || 'npm gave no reason' };
}
