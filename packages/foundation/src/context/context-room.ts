import type { Clock } from '../clock.ts';
import { invalidOption } from '../options.ts';
import type { Random } from '../random.ts';
import type { Codec } from '../wire/codec.ts';
import { Request, type RequestContext, type RequestOptions } from './request.ts';
import { currentScope, runIn } from './scope.ts';

/** What follows a request: ids, values, deadline and trace go with calls, casts, timers and new processes. */
export interface ContextRoom {
  /**
   * Runs `action`, and all that it awaits, in a context: the one at hand with something added. What it
   * sends carries the context; its calls, and theirs, are over by the deadline.
   *
   * @throws FoundationError `INVALID_OPTION`, `NOT_SERIALIZABLE` or `CONTEXT_TOO_LARGE`
   */
  run<R>(options: RequestOptions, action: () => R): R;
  /** The context of the code at hand; in a handler the same as `ctx.request`. */
  current(): RequestContext | undefined;
}

export function contextRoom(env: {
  readonly codec: Codec;
  readonly clock: Clock;
  readonly random: Random;
}): ContextRoom {
  const { codec, clock, random } = env;
  const newId = (): string => [1, 2].map(() => hex(random.int(2 ** 32))).join('');
  return {
    run(options, action) {
      if (typeof action !== 'function')
        throw invalidOption('context.run', { action }, 'a function');
      const scope = currentScope();
      const request = Request.derive(scope?.request, options, { codec, clock, newId });
      return runIn({ owner: scope?.owner, message: scope?.message, request }, action);
    },
    current: () => currentScope()?.request,
  };
}

function hex(number: number): string {
  return number.toString(16).padStart(8, '0');
}
