import { systemClock, type Clock, type Timer } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import { checkNumber, invalidOption, refuseUnknown, withDefaults } from '../../options.ts';
import type { Advertisement, Discovery, DiscoveryHandlers, Hint } from '../discovery.ts';
import { KnownHints } from './known-hints.ts';

/** How often to look, and the bounds of a look. */
export interface LookupTimes {
  /** Milliseconds between two looks. @defaultValue 10000 */
  readonly refreshMs?: number;
  /** Milliseconds after which a look is given up. @defaultValue 5000 */
  readonly timeoutMs?: number;
  /** Hints that are taken at most; more is reported. @defaultValue 256 */
  readonly hintsMax?: number;
  /** @defaultValue systemClock */
  readonly clock?: Clock;
}

/** Where to look. */
export interface LookupOptions extends LookupTimes {
  /** What this discovery is called in messages. */
  readonly name: string;
  /**
   * Finds everybody at this moment, this node itself or not. Rejects when it cannot tell.
   *
   * @param signal - Aborted when the answer is not awaited any more: the work should end then.
   */
  readonly lookUp: (signal: AbortSignal) => Promise<readonly Hint[]>;
  /**
   * Tells of changes as they come, from the last answer on, where the place can: then there is no look each
   * `refreshMs`. When it resolves it is looked again at once; when it rejects, after `refreshMs`.
   *
   * @param changed - Takes everybody who is there after a change.
   * @param signal - Aborted with the next answer, and at the stop.
   */
  readonly watch?: (
    changed: (hints: readonly Hint[]) => void,
    signal: AbortSignal,
  ) => Promise<void>;
}

/** What a look does unless told otherwise. */
export const lookupDefaults: Required<LookupTimes> = {
  refreshMs: 10_000,
  timeoutMs: 5_000,
  hintsMax: 256,
  clock: systemClock,
};

/** From start to stop. */
interface Running {
  readonly known: KnownHints;
  readonly timer: Timer;
  /** The look under way. */
  look?: Look | undefined;
  /** The one that follows it, where somebody asked for it meanwhile. */
  next?: Promise<void> | undefined;
  watch?: AbortController | undefined;
}

interface Look {
  readonly controller: AbortController;
  readonly done: Promise<void>;
}

/**
 * Looks addresses up somewhere, again and again. Nodes make themselves known there by other means, or
 * somebody does it for them.
 *
 * There is one look at a time. One that takes too long counts as failed; its late answer is not heard.
 */
export class LookupDiscovery implements Discovery {
  readonly name: string;
  readonly #times: Required<LookupTimes>;
  readonly #lookUp: LookupOptions['lookUp'];
  readonly #watch: LookupOptions['watch'];
  #running: Running | undefined;

  /** @throws FoundationError `INVALID_OPTION` */
  constructor(options: LookupOptions) {
    refuseUnknown('LookupDiscovery', options, [
      'name',
      'lookUp',
      'watch',
      ...Object.keys(lookupDefaults),
    ]);
    const { name, lookUp, watch } = options;
    if (typeof lookUp !== 'function') {
      throw invalidOption('LookupDiscovery', { lookUp }, 'a function that finds addresses');
    }
    this.name = name;
    this.#lookUp = lookUp;
    this.#watch = watch;
    this.#times = checkedTimes(name, options);
  }

  async start(_self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    const { refreshMs, hintsMax, clock } = this.#times;
    const running: Running = {
      known: new KnownHints({ name: this.name, handlers, hintsMax }),
      timer: clock.every(refreshMs, () => this.#tick(running)),
    };
    this.#running = running;
    await this.#begin(running);
  }

  /** Looks now, or when the look under way is over, which may have missed what is new. */
  async refresh(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return;
    if (running.look === undefined) return this.#begin(running);
    running.next ??= running.look.done.then(() => {
      running.next = undefined;
      return this.#begin(running);
    });
    await running.next;
  }

  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    running?.timer.cancel();
    running?.look?.controller.abort();
    running?.watch?.abort();
  }

  #tick(running: Running): void {
    const isAtIt = running.look !== undefined || running.watch !== undefined;
    if (!isAtIt) void this.#begin(running);
  }

  async #begin(running: Running): Promise<void> {
    if (this.#running !== running) return;
    const controller = new AbortController();
    const { clock, timeoutMs } = this.#times;
    const timer = clock.after(timeoutMs, () => controller.abort(late(timeoutMs)), 'background');
    const done = this.#look(running, controller.signal).finally(() => {
      timer.cancel();
      running.look = undefined;
    });
    running.look = { controller, done };
    await done;
  }

  async #look(running: Running, signal: AbortSignal): Promise<void> {
    try {
      const hints = await unlessAborted(signal, async () => this.#lookUp(signal));
      if (this.#running !== running) return;
      running.known.found(hints);
      void this.#follow(running);
    } catch (error) {
      if (this.#running === running) running.known.failed(error);
    }
  }

  /** Watches from an answer on, in place of the watch that began with the one before. */
  async #follow(running: Running): Promise<void> {
    running.watch?.abort();
    if (this.#watch === undefined) return;
    const watching = new AbortController();
    running.watch = watching;
    const isCurrent = (): boolean => this.#running === running && running.watch === watching;
    try {
      await this.#watch((hints) => {
        if (isCurrent()) running.known.found(hints);
      }, watching.signal);
      if (!isCurrent()) return;
      running.watch = undefined;
      await this.refresh();
    } catch (error) {
      if (!isCurrent()) return;
      running.watch = undefined;
      running.known.failed(error);
    }
  }
}

/** @throws FoundationError `INVALID_OPTION` */
function checkedTimes(who: string, given: LookupTimes): Required<LookupTimes> {
  const times = withDefaults(lookupDefaults, given);
  const { refreshMs, timeoutMs, hintsMax } = times;
  checkNumber(who, { refreshMs, timeoutMs }, { above: 0 });
  checkNumber(who, { hintsMax }, { min: 1, integer: true });
  return times;
}

/** What work gives, or the reason for which it was aborted. */
async function unlessAborted<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  signal.addEventListener('abort', () => aborted.reject(signal.reason), { once: true });
  return Promise.race([work(), aborted.promise]);
}

function late(timeoutMs: number): FoundationError {
  return new FoundationError('DISCOVERY_FAILED', `no answer within ${timeoutMs} ms`, {
    hint: 'Who was known before stays known. Check that the server runs and can be reached.',
    details: { timeoutMs },
  });
}
