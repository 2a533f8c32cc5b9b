import { countCalls } from './load.ts';
import { mustBeAll, rateOf } from './local.ts';
import type { Session, Sessions } from './subject.ts';

/** Processes that begin and end, made with the means of a subject. */
export interface Lives {
  /** Starts a process under a name and ends it; done when it has ended. */
  live(name: string): unknown;
  /** How many have begun so far, counted by themselves. */
  begun(): number;
  /** How many are still there, or still hold a name. */
  left(): unknown;
  close(): Promise<void>;
}

/** Names that are taken again and again: a subject that does not free them fails. A power of two. */
const names = Array.from({ length: 1_024 }, (_, index) => `worker-${index}`);

/** `spawn-stop`: one life after the other. */
export function lifeSessions(open: () => Promise<Lives>): Sessions {
  return { 'spawn-stop': async () => lifeSession(await open()) };
}

function lifeSession(lives: Lives): Session {
  let index = 0;
  const live = (): unknown => lives.live(nameOf(index++));
  return {
    round: (seconds) =>
      rateOf(async () => {
        const before = lives.begun();
        const lived = await countCalls(live, { callers: 1, seconds, batchCount: 64 });
        mustBeAll(lived, lives.begun() - before);
        await mustBeNone(lives);
        return lived;
      }),
    close: () => lives.close(),
  };
}

/** A name for a life; those of the last 1,023 are others. */
export function nameOf(index: number): string {
  return names[index & (names.length - 1)] ?? '';
}

/** Refuses a round after which something lives on. */
export async function mustBeNone(lives: Pick<Lives, 'left'>): Promise<void> {
  const left = Number(await lives.left());
  if (left !== 0) throw new Error(`${left} processes live on`);
}
