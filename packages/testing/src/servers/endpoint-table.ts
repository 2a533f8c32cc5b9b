/** Endpoints of a service. */
export interface ServiceEndpoints {
  /** IP addresses of pods that are ready. */
  readonly ready: readonly string[];
  /** IP addresses of pods that are not. @defaultValue none */
  readonly notReady?: readonly string[];
  /** By name. @defaultValue one without a name, 7946 */
  readonly ports?: Readonly<Record<string, number>>;
}

/** An EndpointSlice as the API has it. */
export interface ApiSlice {
  readonly kind: 'EndpointSlice';
  readonly addressType: 'IPv4' | 'IPv6';
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly resourceVersion: string;
  };
  readonly endpoints: readonly object[];
  readonly ports: readonly object[];
}

export interface SliceChange {
  readonly version: number;
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED';
  readonly slice: ApiSlice;
}

/** As many as the controller of Kubernetes puts into one. */
const endpointsMax = 100;

/** EndpointSlices with the versions of their changes, as etcd keeps them behind an API server. */
export class EndpointTable {
  readonly #slices = new Map<string, ApiSlice>();
  #history: SliceChange[] = [];
  #version = 100;
  #forgotten = 100;

  /** Sets all endpoints of a service; returns what has changed. */
  put(service: string, endpoints: ServiceEndpoints): readonly SliceChange[] {
    const made = slicesOf(service, endpoints);
    const names = new Set(made.map(({ metadata }) => metadata.name));
    const stale = [...this.#slices.values()].filter(
      ({ metadata }) =>
        metadata.labels['kubernetes.io/service-name'] === service && !names.has(metadata.name),
    );
    const changed = made.filter((slice) => !isSame(this.#slices.get(slice.metadata.name), slice));
    return [
      ...changed.map((slice) =>
        this.#change(this.#slices.has(slice.metadata.name) ? 'MODIFIED' : 'ADDED', slice),
      ),
      ...stale.map((slice) => this.#change('DELETED', slice)),
    ];
  }

  list(apiVersion: string, service: string | undefined): object {
    const items = [...this.#slices.values()].filter(
      ({ metadata }) =>
        service === undefined || metadata.labels['kubernetes.io/service-name'] === service,
    );
    const metadata = { resourceVersion: String(this.#version) };
    return {
      kind: 'EndpointSliceList',
      apiVersion,
      metadata,
      items: items.map((slice) => ({ ...slice, apiVersion })),
    };
  }

  /** Changes after a version; undefined when that is forgotten. */
  since(version: number): readonly SliceChange[] | undefined {
    if (version < this.#forgotten) return undefined;
    return this.#history.filter((change) => change.version > version);
  }

  /** Who knows less than what is now will have to list again. */
  forget(): void {
    this.#forgotten = this.#version;
    this.#history = [];
  }

  bookmark(): object {
    const metadata = { resourceVersion: String(this.#version) };
    return { kind: 'EndpointSlice', apiVersion: 'discovery.k8s.io/v1', metadata };
  }

  #change(type: SliceChange['type'], slice: ApiSlice): SliceChange {
    const version = ++this.#version;
    const metadata = { ...slice.metadata, resourceVersion: String(version) };
    const change = { version, type, slice: { ...slice, metadata } };
    if (type === 'DELETED') this.#slices.delete(metadata.name);
    else this.#slices.set(metadata.name, change.slice);
    this.#history.push(change);
    return change;
  }
}

function slicesOf(service: string, endpoints: ServiceEndpoints): readonly ApiSlice[] {
  const { ready, notReady = [], ports = { '': 7946 } } = endpoints;
  const all = [
    ...ready.map((address) => ({ address, isReady: true })),
    ...notReady.map((address) => ({ address, isReady: false })),
  ];
  return (['IPv4', 'IPv6'] as const).flatMap((addressType) => {
    const some = all.filter(({ address }) => address.includes(':') === (addressType === 'IPv6'));
    if (some.length === 0 && addressType === 'IPv6') return [];
    const count = Math.max(1, Math.ceil(some.length / endpointsMax));
    return Array.from({ length: count }, (_, index) => ({
      kind: 'EndpointSlice' as const,
      addressType,
      metadata: {
        name: `${service}-${addressType.toLowerCase()}-${index}`,
        namespace: 'default',
        labels: { 'kubernetes.io/service-name': service },
        resourceVersion: '0',
      },
      endpoints: some
        .slice(index * endpointsMax, (index + 1) * endpointsMax)
        .map(({ address, isReady }) => ({
          addresses: [address],
          conditions: { ready: isReady, serving: isReady, terminating: false },
        })),
      ports: Object.entries(ports).map(([name, port]) => ({ name, port, protocol: 'TCP' })),
    }));
  });
}

function isSame(before: ApiSlice | undefined, after: ApiSlice): boolean {
  const content = (slice: ApiSlice): string => JSON.stringify([slice.endpoints, slice.ports]);
  return before !== undefined && content(before) === content(after);
}
