import type { ClusterMember, Located } from '@foundation/core';

import type { Sale } from './placement.ts';

/** What the demo says while it runs. */
export interface Progress {
  formed(members: readonly ClusterMember[], cluster: Formation): void;
  ready(processes: readonly Located[]): void;
  searched(state: SearchState): void;
  killed(node: string): void;
  lost(sale: Sale, code: string): void;
}

export interface Formation {
  readonly formationMs: number;
  readonly directory: string;
}

export interface SearchState {
  readonly candidateCount: number;
  readonly candidates: number;
  readonly best:
    | { readonly scores: Readonly<Record<string, number>>; readonly cost: number }
    | undefined;
  /** Evaluations a second. */
  readonly rate: number;
}

export const silent: Progress = {
  formed: () => {},
  ready: () => {},
  searched: () => {},
  killed: () => {},
  lost: () => {},
};

const barWidth = 24;

/** Progress in a terminal: a bar that is drawn over itself, and a line for each event. */
export function terminalProgress(output: NodeJS.WriteStream): Progress {
  let hasBar = false;
  const line = (text: string): void => {
    output.write(`${hasBar ? '\r\u001b[K' : ''}${text}\n`);
    hasBar = false;
  };
  return {
    formed: (members, { formationMs, directory }) => {
      line(
        `cluster   ${members.length} nodes found each other in ${formationMs} ms, without addresses:`,
      );
      for (const { node, address, osPid } of members)
        line(`          ${node}  process ${osPid}  ${address}`);
      line(
        `          watch: npm run fnd -- processes --cluster language-team --directory ${directory}`,
      );
    },
    ready: (processes) => {
      const agents = processes.filter(({ capabilities }) => capabilities.length > 0).length;
      const host = processes.find(({ name }) => name === 'ledger')?.node ?? '?';
      line(`agents    ${agents} registered with capabilities; the ledger is on ${host}`);
    },
    searched: (state) => {
      const text = `search    ${bar(state)}`;
      if (!output.isTTY) {
        if (state.candidateCount % 40 === 0 || state.candidateCount === state.candidates)
          line(text);
        return;
      }
      output.write(`\r\u001b[K${text}`);
      hasBar = true;
      if (state.candidateCount === state.candidates) line(text);
    },
    killed: (node) => line(`kill      ${node}, which hosts the ledger, gets SIGKILL`),
    lost: ({ work, winner, node }, code) =>
      line(`          ${work} was with ${winner} on ${node} (${code}): put up again`),
  };
}

function bar({ candidateCount, candidates, best, rate }: SearchState): string {
  const filled = Math.round((barWidth * candidateCount) / candidates);
  const accuracy =
    best === undefined ? '–' : `${(100 * (best.scores['accuracy'] ?? 0)).toFixed(2)} %`;
  return `${'█'.repeat(filled)}${'░'.repeat(barWidth - filled)} ${candidateCount}/${candidates} teams, the best has ${accuracy}, ${rate.toFixed(1)} evaluations/s`;
}
