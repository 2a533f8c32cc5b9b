import { FoundationError } from '../../errors.ts';
import type { Store, StorePromises } from '../store.ts';

/** No store: whatever needs one is refused, with the reason. */
export class AbsentStore implements Store {
  readonly name = 'none';
  readonly promises: StorePromises = {
    scope: 'process',
    outlives: 'nothing',
    voters: 0,
    leaseMs: 0,
    caveats: ['there is no store: nothing is durable, and no lease can be held'],
  };

  async start(): Promise<void> {}

  async get(): Promise<never> {
    throw absent();
  }

  async compareAndSet(): Promise<never> {
    throw absent();
  }

  async delete(): Promise<never> {
    throw absent();
  }

  async list(): Promise<never> {
    throw absent();
  }

  async watch(): Promise<never> {
    throw absent();
  }

  async stop(): Promise<void> {}
}

function absent(): FoundationError {
  return new FoundationError('STORE_UNSUITABLE', 'the nodes of this cluster share no store', {
    hint: "Set `store`, for instance to { kind: 'etcd', endpoints: ['https://10.0.0.5:2379'] }.",
  });
}
