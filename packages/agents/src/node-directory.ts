import { defineProcess, type Client, type Node } from '@foundation/core';

import type { AgentDirectory, AgentHandle } from './agent-directory.ts';
import type { AgentApi } from './agent.ts';

/** Calls of agents whose definition need not be known here. */
const anyAgent = defineProcess('agent', {
  init: () => ({}),
  calls: { executeStep: () => undefined, plan: () => [], capabilities: () => [] },
});

/** Agents of the whole cluster, as a node's registry knows them. */
export function nodeDirectory(node: Pick<Node, 'registry' | 'ref'>): AgentDirectory {
  return {
    byCapability: (capability) =>
      node.registry.withCapability(capability).flatMap(({ name, node: host }): AgentHandle[] => {
        if (name === undefined) return [];
        const agent = node.ref(anyAgent, name) as unknown as Client<AgentApi>;
        return [
          {
            id: name,
            node: host,
            executeStep: (request, how) => agent.with(how).executeStep(request),
          },
        ];
      }),
    onChange: (listener) => {
      const watch = node.registry.onChange(listener);
      return () => watch[Symbol.dispose]();
    },
  };
}
