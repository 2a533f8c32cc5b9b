import type { Exit } from './exit.ts';
import type { Pid } from './pid.ts';

/** What processes say to each other beside messages: jumps the queue, never counts against a bound. */
export type Signal =
  | { readonly kind: 'monitor'; readonly id: number; readonly watcher: Pid }
  | { readonly kind: 'demonitor'; readonly id: number; readonly watcher: Pid }
  | { readonly kind: 'down'; readonly id: number; readonly from: Pid; readonly exit: Exit }
  | { readonly kind: 'link'; readonly from: Pid }
  | { readonly kind: 'unlink'; readonly from: Pid }
  | { readonly kind: 'exit'; readonly from: Pid; readonly exit: Exit }
  | { readonly kind: 'stop'; readonly exit: Exit };

/** The process on whose behalf a signal is sent, if it says. */
export function senderOf(signal: Signal): Pid | undefined {
  switch (signal.kind) {
    case 'monitor':
    case 'demonitor':
      return signal.watcher;
    case 'down':
    case 'link':
    case 'unlink':
    case 'exit':
      return signal.from;
    case 'stop':
      return undefined;
  }
}
