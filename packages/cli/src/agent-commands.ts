import type { Command } from 'commander';

import { printAgent, printAgents, viewAgent, viewAgents } from './agents.ts';
import { tellUnanswered } from './incomplete.ts';
import { jsonOf } from './json.ts';
import { observe } from './observe.ts';
import { observed, viewCommand, type ViewOptions } from './view-command.ts';

/** Adds the commands about registered agents. */
export function agentCommands(program: Command): void {
  const agents = viewCommand(program, 'agents')
    .description('lists the agents of all nodes, with what they use')
    .action(list);
  viewCommand(agents, 'show')
    .description('shows one agent')
    .argument('<agent>', 'its id')
    // What the command above understands, too, it takes for itself.
    .action((id: string, _own: ViewOptions, command: Command) =>
      show(id, command.optsWithGlobals<ViewOptions>()),
    );
}

async function list(options: ViewOptions): Promise<void> {
  const view = await observe(observed(options), viewAgents);
  console.log(options.json ? jsonOf(view) : printAgents(view));
  if (view.omitted > 0) console.error(`${view.omitted} agents are not listed`);
  tellUnanswered(view.unanswered);
}

async function show(id: string, options: ViewOptions): Promise<void> {
  const view = await observe(observed(options), (node) => viewAgent(node, id));
  console.log(options.json ? jsonOf(view) : printAgent(view));
}
