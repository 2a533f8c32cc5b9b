import { isWireRequest, type WireRequest } from '../context/request.ts';
import { farWaitersMax, type FarWaiter } from '../process/call-chain.ts';
import { exitReasons, type Exit } from '../process/exit.ts';
import { Pid } from '../process/pid.ts';
import type { Signal } from '../process/signal.ts';
import type { Codec } from '../wire/codec.ts';

/**
 * What runtimes say to each other. The second element is a number whose thread range tells which
 * runtime of a node is meant (a process, a call or a monitor of that runtime), so that the main
 * thread can pass a packet on without understanding it.
 */
export type Packet =
  | readonly [
      kind: typeof packetKinds.call,
      to: number,
      id: number,
      name: string,
      args: readonly unknown[],
      timeoutMs: number,
      request?: WireRequest | undefined,
      waiters?: readonly FarWaiter[],
    ]
  | readonly [
      kind: typeof packetKinds.cast,
      to: number,
      name: string,
      args: readonly unknown[],
      request?: WireRequest | undefined,
    ]
  | readonly [kind: typeof packetKinds.reply, id: number, value: unknown]
  | readonly [kind: typeof packetKinds.fail, id: number, error: unknown]
  | readonly [kind: typeof packetKinds.signal, to: number, target: Pid, signal: Signal]
  | readonly [kind: typeof packetKinds.system, to: number, topic: string, body: unknown]
  | readonly [kind: typeof packetKinds.cancel, to: number, id: number]
  | readonly [kind: typeof packetKinds.answer, to: number, id: number, value: unknown];

export const packetKinds = {
  call: 1,
  cast: 2,
  reply: 3,
  fail: 4,
  signal: 5,
  system: 6,
  cancel: 7,
  /** The reply to a call that another process took, to be passed on by that one. */
  answer: 8,
} as const;

/** What the paths in errors call the elements of a packet; others hold nothing of a user. */
const fields: Readonly<Record<number, readonly string[]>> = {
  [packetKinds.call]: ['kind', 'to', 'id', 'name', 'args', 'timeoutMs'],
  [packetKinds.cast]: ['kind', 'to', 'name', 'args'],
  [packetKinds.reply]: ['kind', 'id', 'reply'],
  [packetKinds.answer]: ['kind', 'to', 'id', 'reply'],
};

/** @throws FoundationError `NOT_SERIALIZABLE`, with a path such as `args[0].socket` */
export function encodePacket(codec: Codec, packet: Packet): Uint8Array {
  return codec.encode(packet, fields[packet[0]]);
}

/** The packet in a decoded value from outside, or undefined when it is none. */
export function parsePacket(value: unknown): Packet | undefined {
  if (!Array.isArray(value) || typeof value[1] !== 'number') return undefined;
  return isPacket(value) ? value : undefined;
}

function isPacket(value: readonly unknown[]): value is Packet & unknown[] {
  switch (value[0]) {
    case packetKinds.call:
      return (
        typeof value[2] === 'number' &&
        typeof value[3] === 'string' &&
        Array.isArray(value[4]) &&
        Number.isFinite(value[5]) &&
        (value[6] === undefined || isWireRequest(value[6])) &&
        (value[7] === undefined || areWaiters(value[7]))
      );
    case packetKinds.cast:
      return (
        typeof value[2] === 'string' &&
        Array.isArray(value[3]) &&
        (value[4] === undefined || isWireRequest(value[4]))
      );
    case packetKinds.reply:
    case packetKinds.fail:
      return value.length === 3;
    case packetKinds.signal:
      return value[2] instanceof Pid && isSignal(value[3]);
    case packetKinds.system:
      return typeof value[2] === 'string';
    case packetKinds.cancel:
      return typeof value[2] === 'number';
    case packetKinds.answer:
      return typeof value[2] === 'number' && value.length === 4;
    default:
      return false;
  }
}

function areWaiters(value: unknown): value is readonly FarWaiter[] {
  return Array.isArray(value) && value.length <= farWaitersMax && value.every(isWaiter);
}

function isWaiter(value: unknown): value is FarWaiter {
  if (typeof value !== 'object' || value === null) return false;
  const { pid, turn, who } = value as Partial<FarWaiter>;
  return pid instanceof Pid && typeof turn === 'number' && typeof who === 'string';
}

const knownReasons: ReadonlySet<unknown> = new Set(exitReasons);

function isSignal(value: unknown): value is Signal {
  if (typeof value !== 'object' || value === null || !('kind' in value)) return false;
  const { kind, id, watcher, from, exit } = value as Record<string, unknown>;
  switch (kind) {
    case 'monitor':
    case 'demonitor':
      return typeof id === 'number' && watcher instanceof Pid;
    case 'down':
      return typeof id === 'number' && from instanceof Pid && isExit(exit);
    case 'link':
    case 'unlink':
      return from instanceof Pid;
    case 'exit':
      return from instanceof Pid && isExit(exit);
    case 'stop':
      return isExit(exit);
    default:
      return false;
  }
}

function isExit(value: unknown): value is Exit {
  return (
    typeof value === 'object' &&
    value !== null &&
    'reason' in value &&
    knownReasons.has(value.reason)
  );
}
