import { spawnNode, type TestProcess } from '@foundation/testing/lab';

import type { StoreClient, StoreClientOptions } from './store-client.ts';

/** A process that works on a store. */
export interface Client {
  readonly client: TestProcess<StoreClient>;
  /** What the names of all it has in its journal begin with. */
  readonly name: string;
  readonly worked: Promise<void>;
}

export interface StoreClientsOptions extends Omit<StoreClientOptions, 'name'> {
  /** By the machine's clock, in milliseconds. */
  readonly endsAt: number;
  readonly seed: string;
  /** What each process is started through. */
  readonly places: readonly (readonly string[])[];
}

/** Processes that work on a store; one that is killed can be started again, under another name. */
export class StoreClients implements AsyncDisposable {
  readonly #options: StoreClientsOptions;
  readonly #running: Client[] = [];
  #lives = 0;

  private constructor(options: StoreClientsOptions) {
    this.#options = options;
  }

  static async start(options: StoreClientsOptions): Promise<StoreClients> {
    const clients = new StoreClients(options);
    await Promise.all(options.places.map((_, index) => clients.startOne(index)));
    return clients;
  }

  get count(): number {
    return this.#options.places.length;
  }

  at(index: number): Client {
    const found = this.#running[index];
    if (found === undefined) throw new Error(`there is no client ${index}`);
    return found;
  }

  async startOne(index: number): Promise<void> {
    const { store, journals, endsAt, seed, places } = this.#options;
    const name = `p${this.#lives++}.`;
    const options: StoreClientOptions = { store, journals, name };
    const client = await spawnNode<StoreClient>(new URL('store-client.ts', import.meta.url), {
      args: [JSON.stringify(options)],
      through: places[index] ?? [],
      readyMs: 60_000,
    });
    // One that is killed has done what its journal says.
    const worked = client.ask('work', endsAt, seed).catch((error: Error) => {
      if (client.isRunning) throw error;
    });
    this.#running[index] = { client, name, worked };
  }

  /** Resolves when all have done their work. */
  async done(): Promise<void> {
    await Promise.all(this.#running.map(({ worked }) => worked));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#running.map(({ client }) => client.kill()));
  }
}
