import { FoundationError } from '../errors.ts';
import type { NodeEvents } from '../events.ts';
import type { SingletonRecord } from '../registry/registry-state.ts';

export function leaving(node: string): FoundationError {
  const message = `the node "${node}" gives its singletons away: it drains or stops`;
  return new FoundationError('NODE_STOPPED', message, {
    hint: 'Ask again when it runs on another node.',
    details: { node },
  });
}

export function noHeir({ name, process }: SingletonRecord): NodeEvents['problem'] {
  const error = new FoundationError('UNKNOWN_DEFINITION', `no node lists "${process}"`, {
    hint: `List it in \`processes\` of \`startNode\` on every node that may take "${name}" over.`,
  });
  return { what: `nobody can take "${name}" over`, error };
}

export function nobodyCanRun(record: SingletonRecord): FoundationError {
  return new FoundationError(
    'UNKNOWN_DEFINITION',
    `no node of the cluster can run "${record.process}", which "${record.name}" is`,
    { hint: 'List the definition in `processes` of `startNode` on at least one node.' },
  );
}
