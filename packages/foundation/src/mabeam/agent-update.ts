import { FoundationError, isFoundationError, messageOf } from '../errors.ts';
import { isPlainRecord } from '../plain.ts';
import { checkCall } from './agent-fit.ts';
import { checkChanges, type AgentChanges } from './agent-registration.ts';
import { isUp } from './agent-state.ts';
import type { HostedAgent } from './hosted-agent.ts';
import type { AgentId } from './message.ts';

/** What can be changed. */
export type ChangingAgent = Pick<
  HostedAgent,
  | 'id'
  | 'behaviour'
  | 'registration'
  | 'check'
  | 'changedBy'
  | 'init'
  | 'change'
  | 'settled'
  | 'call'
  | 'restart'
>;

/** How a change is made. */
export interface UpdateTerms {
  /** The call of its process that takes a new `init`; it must be one. @defaultValue {@link configureCall}, if it is one */
  readonly call?: string;
  readonly timeoutMs: number;
}

/** The call that takes a new `init` unless another one is named. */
export const configureCall = 'configure';

/** Milliseconds in which an agent that went down with a change must be up again. */
const recoveryMs = 30_000;

/**
 * Changes an agent, or leaves it as it was. A new `init` is given to the running process by a call; without such a call the
 * agent is restarted with it. What a restart begins with is replaced only when that has gone well: a process that crashes
 * on it begins again as before.
 *
 * @throws FoundationError `UPDATE_REJECTED`, `INVALID_OPTION`
 */
export async function updateAgent(
  agent: ChangingAgent,
  changes: AgentChanges,
  terms: UpdateTerms,
): Promise<void> {
  // They may come from another node.
  checkChanges(agent.id, changes);
  checkCall(agent, terms.call);
  const { configuration, ...others } = changes;
  agent.check(agent.changedBy(others));
  if ('init' in changes) await giveInit(agent, changes.init, terms);
  else if (configuration !== undefined) {
    await giveInit(agent, { ...fieldsOf(agent), ...configuration }, terms);
  }
  agent.change(others);
}

function fieldsOf({ id, registration: { init = {} } }: ChangingAgent): object {
  if (typeof init === 'object' && init !== null && isPlainRecord(init)) return init;
  throw rejected(id, new Error('its `init` is no plain object, so it has no fields to change'));
}

async function giveInit(agent: ChangingAgent, init: unknown, terms: UpdateTerms): Promise<void> {
  if (isUp(await agent.settled(recoveryMs))) {
    const { call = configureCall, timeoutMs } = terms;
    const takesIt = agent.behaviour.callNames.includes(call);
    await (takesIt ? configure(agent, init, { call, timeoutMs }) : restartWith(agent, init));
  }
  agent.init = init;
}

async function configure(
  agent: ChangingAgent,
  init: unknown,
  { call, timeoutMs }: Required<UpdateTerms>,
): Promise<void> {
  try {
    await agent.call(call, [init], timeoutMs);
  } catch (error) {
    const isUntouched = isFoundationError(error) && error.outcome === 'not-executed';
    // Nobody knows what it has made of it: its next life begins as the last one did.
    if (!isUntouched) await recover(agent, error);
    throw rejected(agent.id, error);
  }
}

async function recover(agent: ChangingAgent, cause: unknown): Promise<void> {
  const isDown = isFoundationError(cause) && cause.code === 'PROCESS_DOWN';
  try {
    if (!isDown) await agent.restart();
    else if ((await agent.settled(recoveryMs)) !== 'active') await agent.restart();
  } catch (error) {
    throw broken(agent.id, cause, error);
  }
}

async function restartWith(agent: ChangingAgent, init: unknown): Promise<void> {
  const before = agent.registration.init;
  agent.init = init;
  try {
    await agent.restart();
  } catch (cause) {
    agent.init = before;
    await agent.restart().catch((error: unknown) => {
      throw broken(agent.id, cause, error);
    });
    throw rejected(agent.id, cause);
  }
}

function rejected(id: AgentId, cause: unknown): FoundationError {
  return new FoundationError(
    'UPDATE_REJECTED',
    `"${id}" goes on as it was: it did not take the change: ${messageOf(cause)}`,
    {
      hint: 'The cause tells what it said. Where it crashed or did not answer, it began anew, as it was registered.',
      details: { id },
      cause,
    },
  );
}

function broken(id: AgentId, cause: unknown, error: unknown): FoundationError {
  return new FoundationError(
    'UPDATE_REJECTED',
    `"${id}" did not take the change, and does not start as it was: ${messageOf(error)}`,
    {
      hint: 'It is as registered before; start it when it can start again.',
      details: { id },
      cause,
      traits: { retryable: false, outcome: 'unknown' },
    },
  );
}
