import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const cache = new URL('../.cache/', import.meta.url);
const require = createRequire(cache);

/** Loads a package that the bench has installed in its cache. Untyped: peers are not dependencies. */
export function loadPeer(name: string): unknown {
  return require(name);
}

/** Name and version of a package in the cache. */
export function peerVersion(name: string): string {
  const file = new URL(`node_modules/${name}/package.json`, cache);
  const found: unknown = JSON.parse(readFileSync(file, 'utf8'));
  const version =
    typeof found === 'object' && found !== null && 'version' in found ? found.version : '?';
  return `${name} ${String(version)}`;
}
