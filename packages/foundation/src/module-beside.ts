/**
 * Where a module is that lies beside another one and is started by its name, such as that of a worker: sources are
 * TypeScript, what is published is JavaScript.
 *
 * @param url - `import.meta.url` of the other
 * @param name - without an ending
 */
export function moduleBeside(url: string, name: string): URL {
  return new URL(`./${name}${url.endsWith('.ts') ? '.ts' : '.js'}`, url);
}
