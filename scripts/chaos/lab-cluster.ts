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
  readonly #nodes = new Map<string, LabNode>();
  readonly #directory = mkdtempSync(join(tmpdir(), 'foundation-lab-'));
  readonly #options: NodeOptions;

  private constructor(lab: Lab, options: NodeOptions = {}) {
    this.lab = lab;
    this.#options = options;
  }

  /** Resolves when every node sees all the others. */
  static async open({ size, seed, options }: LabClusterOptions): Promise<LabCluster> {
    const hosts = Array.from({ length: size }, (_, index) => `n${index}`);
    const cluster = new LabCluster(await Lab.open({ hosts, seed }), options);
    try {
      await Promise.all(hosts.map((name) => cluster.start(name)));
      await cluster.formed();
    } catch (error) {
      await cluster[Symbol.asyncDispose]();
      throw error;
    }
    return cluster;
  }

  /** Starts a node on its host, the first time or after it was killed. */
  async start(name: string): Promise<void> {
    const { address, through } = this.lab.host(name);
    const options: NodeOptions = {
      name,
      clusterName: 'lab',
      directory: this.#directory,
      cluster: {
        kind: 'static',
        addresses: this.lab.hosts.map((host) => `${host.address}:${port}`),
      },
      listen: { host: address, port },
      secret,
      profile: 'test',
      ...this.#options,
    };
    const args = [JSON.stringify(options)];
    this.#nodes.set(name, await spawnNode(program, { args, through, readyMs: startMs }));
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
    await Promise.all([...this.#nodes.values()].map((node) => node.kill()));
    await this.lab[Symbol.asyncDispose]();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
