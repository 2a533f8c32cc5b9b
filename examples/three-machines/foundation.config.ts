import { defineConfig } from '@foundation/core';

/** The same file on each machine. What differs is in the environment: FOUNDATION_NAME, and the secret. */
export default defineConfig({
  clusterName: 'three-machines',
  cluster: { kind: 'static', addresses: ['10.0.0.1:7400', '10.0.0.2:7400', '10.0.0.3:7400'] },
  store: { kind: 'etcd', endpoints: ['http://10.0.0.10:2379'] },
});
