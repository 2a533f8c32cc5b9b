import { connect, type TLSSocket } from 'node:tls';

import type { Clock, Timer } from '../../clock.ts';
import { FoundationError } from '../../errors.ts';
import { printable } from '../../printable.ts';
import { parseAddress } from '../address.ts';
import { tlsFailure, type MeshKeys } from './mesh-tls.ts';

/** How to get through to a node. */
export interface ConnectOptions {
  readonly keys: MeshKeys;
  readonly clock: Clock;
  /** Longest that the connection, and then TLS, may take, in milliseconds. */
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
}

/**
 * Connects and sees TLS through. Tells `done` once, in the turn in which it is known: the socket, or why
 * there is none (`NODE_UNREACHABLE`, `AUTHENTICATION_FAILED`, `PROTOCOL_VERSION`, `MALFORMED`).
 */
export function connectTls(
  address: string,
  { keys, clock, connectTimeoutMs, timeoutMs }: ConnectOptions,
  done: (outcome: TLSSocket | FoundationError) => void,
): TLSSocket | undefined {
  const target = parseAddress(address);
  if (target === undefined) {
    done(unreachable(printable(address), 'is no address of the form host:port'));
    return undefined;
  }
  const socket = connect({ ...keys.dialling(), ...target });
  let isSettled = false;
  const settle = (outcome: TLSSocket | FoundationError): void => {
    if (isSettled) return;
    isSettled = true;
    timer.cancel();
    if (outcome !== socket) socket.destroy();
    done(outcome);
  };
  const within = (limitMs: number): Timer => {
    const late = (): void => settle(unreachable(address, `did not answer within ${limitMs} ms`));
    return clock.after(limitMs, late, 'background');
  };
  let timer = within(connectTimeoutMs);
  socket.once('connect', () => {
    timer.cancel();
    if (!isSettled) timer = within(timeoutMs);
  });
  socket.on('error', (error) => settle(tlsFailure(error, `dialling ${address}`)));
  socket.once('close', () => settle(unreachable(address, 'hung up')));
  socket.once('secureConnect', () => settle(socket));
  return socket;
}

function unreachable(address: string, why: string): FoundationError {
  return new FoundationError('NODE_UNREACHABLE', `${address} ${why}`, { details: { address } });
}
