/**
 * Where an agent is in its life. `registered`: known, and not running. `restarting`: its supervisor is about to start it
 * again. `failed`: it did not start, or crashed and is not to be started again. `given_up`: it failed too often. `lost`: its
 * node is gone. The last three last until it is started by hand, registered anew or deregistered.
 */
export const agentStatuses = [
  'registered',
  'starting',
  'active',
  'restarting',
  'stopping',
  'failed',
  'given_up',
  'lost',
] as const;
export type AgentStatus = (typeof agentStatuses)[number];

/** What happens to an agent. */
export type AgentStep =
  | 'start'
  | 'started'
  | 'start-failed'
  | 'stop'
  | 'stopped'
  /** It ended, and its supervisor starts it again. */
  | 'crashed'
  /** It ended as it wanted to. */
  | 'ended'
  /** It crashed, and is not to be started again. */
  | 'broke'
  | 'gave-up'
  | 'node-lost';

/** Where each step leads from where it can be taken. */
const steps: Readonly<Record<AgentStep, Partial<Record<AgentStatus, AgentStatus>>>> = {
  start: {
    registered: 'starting',
    failed: 'starting',
    given_up: 'starting',
    stopping: 'starting',
    restarting: 'restarting',
  },
  started: { starting: 'active', restarting: 'active' },
  'start-failed': { starting: 'failed', restarting: 'failed' },
  stop: { starting: 'stopping', active: 'stopping', restarting: 'stopping' },
  stopped: { stopping: 'registered' },
  crashed: { active: 'restarting', restarting: 'restarting', starting: 'restarting' },
  ended: { active: 'registered' },
  broke: { active: 'failed', restarting: 'failed' },
  'gave-up': { active: 'given_up', restarting: 'given_up', starting: 'given_up' },
  'node-lost': {
    registered: 'lost',
    starting: 'lost',
    active: 'lost',
    restarting: 'lost',
    stopping: 'lost',
    failed: 'lost',
    given_up: 'lost',
  },
};

/** The status after a step; the same where the step cannot be taken. */
export function agentStatusAfter(status: AgentStatus, step: AgentStep): AgentStatus {
  return steps[step][status] ?? status;
}

/** Whether an agent has a process, or will have one without anybody's doing. */
export function isUp(status: AgentStatus): boolean {
  return status === 'starting' || status === 'active' || status === 'restarting';
}
