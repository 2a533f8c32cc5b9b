import { closest } from '../options.ts';
import type { Behaviour } from '../process/behaviour.ts';
import { refuseProblems, type ResolvedAgentRegistration } from './agent-registration.ts';
import type { AgentId } from './message.ts';

/** An agent, and the process that it is. */
interface Fitted {
  readonly id: AgentId;
  readonly behaviour: Behaviour;
}

/**
 * Checks that an agent and its process fit together.
 *
 * @throws FoundationError `INVALID_OPTION`
 */
export function checkFit(
  { id, behaviour }: Fitted,
  {
    limits,
    health,
  }: Pick<ResolvedAgentRegistration<{ readonly name: string }>, 'limits' | 'health'>,
): void {
  const { isolation, thread } = behaviour.spec;
  const problems: string[] = [];
  if (limits.memoryMb !== undefined && isolation === 'thread' && thread !== undefined) {
    problems.push(`expected no \`limits.memoryMb\`: it shares the thread "${thread}" with others`);
  }
  refuseProblems(id, problems.concat(problemsOfCall('health.call', health.call, behaviour)));
}

/**
 * Checks that the call that is to take a new `init` is one: without it the agent would be restarted.
 *
 * @throws FoundationError `INVALID_OPTION`
 */
export function checkCall({ id, behaviour }: Fitted, call: string | undefined): void {
  refuseProblems(id, problemsOfCall('call', call, behaviour));
}

function problemsOfCall(
  option: string,
  call: string | undefined,
  { name, callNames }: Behaviour,
): string[] {
  if (call === undefined || callNames.includes(call)) return [];
  const meant = closest(call, callNames);
  const known = callNames.length === 0 ? 'which has none' : `which has: ${callNames.join(', ')}`;
  const guess = meant === undefined ? '' : `; did you mean "${meant}"?`;
  return [`expected \`${option}\` to be a call of "${name}", ${known}; got "${call}"${guess}`];
}
