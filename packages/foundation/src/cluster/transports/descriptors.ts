import { readdirSync, readFileSync } from 'node:fs';

/** Descriptors that are kept for files, timers and dials, however many ask to connect. */
const reserve = 32;

/**
 * How many connections this program can have beside what it has open, so that it can still open files and
 * dial: at its limit, Node drops connections without a word. Infinity where the system does not tell.
 */
export function affordableConnections(): number {
  const left = descriptorsLeft();
  return Math.max(1, left - Math.min(reserve, Math.ceil(left / 2)));
}

function descriptorsLeft(): number {
  try {
    const limits = readFileSync('/proc/self/limits', 'utf8');
    const [, soft] = /^Max open files +(\d+)/m.exec(limits) ?? [];
    if (soft === undefined) return Infinity;
    return Math.max(0, Number(soft) - readdirSync('/proc/self/fd').length);
  } catch {
    // No Linux.
    return Infinity;
  }
}
