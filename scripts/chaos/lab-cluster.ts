import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import type { NodeOptions } from '@foundation/core';
import { eventually, Lab, spawnNode, type TestProcess } from '@foundation/testing/lab';

import type { ClusterNode } from './cluster-node.ts';

export type LabNode = TestProcess<ClusterNode>;

/** How the nodes of a cluster in a lab are started. */
export interface LabClusterOptions {
  readonly size: number;
  readonly seed: string;
  /** More options of `startNode`. @defaultValue none */
  readonly options?: NodeOptions;
}

const program = new URL('cluster-node.ts', import.meta.url);
const port = 7_400;
const secret = Buffer.alloc(32, 'lab').toString('base64url');
/** The machine may be busy, and all nodes start at once. */
const startMs = 60_000;

/** A cluster of which each node is on a host of its own, called n0, n1 and so on. */
export class LabCluster implements AsyncDisposable {
  readonly lab: Lab;
  readonly #nodes: ReadonlyMap<string, LabNode>;
  readonly #opened: AsyncDisposableStack;

  private constructor(lab: Lab, nodes: ReadonlyMap<string, LabNode>, opened: AsyncDisposableStack) {
    this.lab = lab;
    this.#nodes = nodes;
    this.#opened = opened;
  }

  /** Resolves when every node sees all the others. */
  static async open({ size, seed, options = {} }: LabClusterOptions): Promise<LabCluster> {
    const hosts = Array.from({ length: size }, (_, index) => `n${index}`);
    await using opened = new AsyncDisposableStack();
    const directory = opened.adopt(mkdtempSync(join(tmpdir(), 'foundation-lab-')), remove);
    const lab: Lab = opened.use(await Lab.open({ hosts, seed }));
    const addresses = lab.hosts.map(({ address }) => `${address}:${port}`);
    const nodes = new Map<string, LabNode>();
    const starting = lab.hosts.map(async ({ name, address, through }) => {
      const given: NodeOptions = {
        name,
        clusterName: 'lab',
        directory,
        cluster: { kind: 'static', addresses },
        listen: { host: address, port },
        secret,
        profile: 'test',
        ...options,
      };
      const args = [JSON.stringify(given)];
      const node = await spawnNode<ClusterNode>(program, { args, through, readyMs: startMs });
      nodes.set(name, opened.use(node));
    });
    await Promise.all(starting);
    const cluster = new LabCluster(lab, nodes, opened.move());
    await cluster.formed();
    return cluster;
  }

  get names(): readonly string[] {
    return this.lab.hosts.map(({ name }) => name);
  }

  node(name: string): LabNode {
    const found = this.#nodes.get(name);
    if (found === undefined) throw new Error(`no node ${name}`);
    return found;
  }

  /** Resolves when all of some nodes see one another, and nobody else. */
  async formed(among: readonly string[] = this.names): Promise<void> {
    const wanted = among.toSorted().join();
    await eventually(
      `all see ${wanted}`,
      async () => {
        const seen = await Promise.all(among.map((name) => this.node(name).ask('members')));
        return seen.every((members) => members.toSorted().join() === wanted);
      },
      { timeoutMs: startMs, everyMs: 50 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#opened.disposeAsync();
  }
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true });
}
