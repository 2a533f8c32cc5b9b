import type { Subject } from '../suite.ts';

/** Actor libraries for TypeScript: peers of what is done within one OS process. */
export function actors(measures: readonly string[]): readonly Subject[] {
  return [
    { name: 'nact', file: 'nact.mjs', needs: { npm: 'nact' }, measures },
    { name: 'xstate', file: 'xstate.mjs', needs: { npm: 'xstate' }, measures },
    { name: 'effect', file: 'effect.mjs', needs: { npm: 'effect' }, measures },
  ];
}
