/** Whether an agent is well; `unknown` before the first check of a life, and while it does not run. */
export type AgentHealth = 'unknown' | 'healthy' | 'unhealthy';

/** What the checks of one life have found so far. */
export interface HealthState {
  readonly health: AgentHealth;
  /** Checks in a row that have found something. */
  readonly bad: number;
  /** What the last one has found. */
  readonly problem?: string;
}

export const unknownHealth: HealthState = { health: 'unknown', bad: 0 };

/** What one check has found; no problems: it is well. */
export function healthAfter(
  state: HealthState,
  problems: readonly string[],
  checksMax: number,
): HealthState {
  if (problems.length === 0) return { health: 'healthy', bad: 0 };
  const bad = state.bad + 1;
  const health = bad >= checksMax ? 'unhealthy' : state.health;
  return { health, bad, problem: problems.join('; ') };
}

/** How busy an agent was at one check. */
export interface Work {
  readonly handled: number;
  readonly mailbox: number;
  /** The message it is at. */
  readonly current: string | undefined;
}

/** Whether it has stood still between two checks, with messages waiting. */
export function stoodStill(before: Work | undefined, now: Work): boolean {
  if (before === undefined || now.current === undefined || now.mailbox === 0) return false;
  return before.handled === now.handled && before.current === now.current;
}
