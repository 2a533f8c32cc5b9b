import { FoundationError } from '../errors.ts';
import type { Behaviour } from '../process/behaviour.ts';
import type { ResolvedAgentRegistration } from './agent-registration.ts';
import type { AgentId } from './message.ts';

/**
 * Checks that an agent and its process fit together.
 *
 * @throws FoundationError `INVALID_OPTION`
 */
export function checkFit(
  { id, behaviour }: { readonly id: AgentId; readonly behaviour: Behaviour },
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
  if (health.call !== undefined && !behaviour.callNames.includes(health.call)) {
    problems.push(
      `expected \`health.call\` to be a call of "${behaviour.name}", got "${health.call}"`,
    );
  }
  if (problems.length === 0) return;
  throw new FoundationError('INVALID_OPTION', `agent "${id}": ${problems.join('; ')}`, {
    hint: 'Nothing has changed. Correct the fields that are named.',
    details: { id, problems },
  });
}
