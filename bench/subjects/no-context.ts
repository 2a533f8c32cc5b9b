/**
 * Foundation without request contexts: the same source, in which what carries them is cut out as it is
 * loaded. Deadlines still follow calls. It shows what it costs that there could be a context.
 *
 * @packageDocumentation
 */
import { registerHooks, type ModuleSource } from 'node:module';
import { fileURLToPath } from 'node:url';

import { contextCuts, cutContext } from './context-cuts.ts';
import { callSession } from './local.ts';
import { serveSubject, type Session } from './subject.ts';

const source = fileURLToPath(new URL('../../packages/foundation/src/', import.meta.url));
const left = new Set(Object.keys(contextCuts));

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    const file = url.startsWith('file:') ? fileURLToPath(url) : '';
    const name = file.startsWith(source) ? file.slice(source.length) : '';
    if (!left.delete(name)) return loaded;
    return { ...loaded, source: cutContext(name, textOf(loaded.source)) };
  },
});
const { openCounters, sawContext } = await import('./foundation-counters.ts');
if (left.size > 0) throw new Error(`not loaded, so that nothing was cut: ${[...left].join(', ')}`);

await serveSubject('this working tree without contexts', { 'call-context': openWithout });

function textOf(loaded: ModuleSource | undefined): string {
  if (loaded === undefined) throw new Error('a module without source');
  return typeof loaded === 'string' ? loaded : new TextDecoder().decode(loaded);
}

async function openWithout(): Promise<Session> {
  if (await sawContext()) throw new Error('a context came through');
  return callSession(await openCounters(1), 1);
}
