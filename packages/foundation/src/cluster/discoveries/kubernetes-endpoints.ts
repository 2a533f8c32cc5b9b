import type * as Kubernetes from '@kubernetes/client-node';

import { sleep, type Clock } from '../../clock.ts';
import { FoundationError, messageOf } from '../../errors.ts';
import type { Hint } from '../discovery.ts';
import {
  hintsOf,
  nextSlices,
  parseSlice,
  parseSliceEvent,
  versionOf,
  type EndpointSlices,
} from './endpoint-slices.ts';

/** What of `@kubernetes/client-node` is needed. */
export type KubernetesClient = Pick<
  typeof Kubernetes,
  'KubeConfig' | 'DiscoveryV1Api' | 'Watch' | 'setHeaderMiddleware'
>;

/** Whose endpoints to look for, and with which credentials. */
export interface EndpointsOptions {
  /** Name of a service that selects the pods of the nodes; a headless one will do. */
  readonly service: string;
  /** @defaultValue this pod's; of a kubeconfig, that of its context, or `default` */
  readonly namespace?: string;
  /** Where the nodes listen: a number, or the name of a port of the service. @defaultValue its only port */
  readonly port?: string | number;
  /**
   * Path of a kubeconfig file.
   * @defaultValue in a pod its service account; elsewhere KUBECONFIG or `~/.kube/config`
   */
  readonly kubeconfig?: string;
  /** Where `/var/run/secrets` is looked for, if the pod's files are not at their place. @defaultValue '' */
  readonly root?: string;
}

/** A cluster, and whose endpoints there. */
interface Target {
  readonly config: Kubernetes.KubeConfig;
  readonly namespace: string;
  readonly labelSelector: string;
}

/** How a watch came to its end. */
type WatchEnd = 'closed' | 'expired';

/** Watches begin at this distance at least, however soon they end, in milliseconds. */
const watchEveryMs = 1_000;
/** The server closes a watch after so long, and with it what a proxy has forgotten. */
const watchSeconds = 300;
/** The lowest status of HTTP that is a refusal. */
const refusalMin = 400;
const noCredentials = 'http://localhost:8080';
const rights = '`get, list, watch endpointslices.discovery.k8s.io`';

/** The endpoints of one service, listed and watched. */
export class KubernetesEndpoints {
  readonly #options: EndpointsOptions;
  readonly #clock: Clock;
  #slices: EndpointSlices = new Map();
  #version = '';
  /** Is there before anything is asked of it. */
  client: KubernetesClient | undefined;

  constructor(options: EndpointsOptions, clock: Clock) {
    this.#options = options;
    this.#clock = clock;
  }

  async list(signal: AbortSignal): Promise<readonly Hint[]> {
    const { config, namespace, labelSelector } = this.#target();
    const api = config.makeApiClient(this.#client().DiscoveryV1Api);
    const list = await api
      .listNamespacedEndpointSlice({ namespace, labelSelector }, this.#abortedBy(signal))
      .catch((cause: unknown) => {
        throw this.#refused('list', namespace, cause);
      });
    const slices = list.items.map(parseSlice).filter((each) => each !== undefined);
    this.#slices = new Map(slices.map((each) => [each.name, each]));
    this.#version = versionOf(list);
    return hintsOf(this.#slices, this.#options.port);
  }

  /** Watches on from where the last list or event was, until the server has forgotten where that is. */
  async watch(changed: (hints: readonly Hint[]) => void, signal: AbortSignal): Promise<void> {
    for (;;) {
      const begunMs = this.#clock.now();
      const end = await this.#watchOnce(changed, signal);
      if (signal.aborted) return;
      await sleep(this.#clock, Math.max(0, begunMs + watchEveryMs - this.#clock.now()));
      if (end === 'expired' || signal.aborted) return;
    }
  }

  async #watchOnce(
    changed: (hints: readonly Hint[]) => void,
    signal: AbortSignal,
  ): Promise<WatchEnd> {
    const { config, namespace, labelSelector } = this.#target();
    const { promise, resolve, reject } = Promise.withResolvers<WatchEnd>();
    const onEvent = (type: string, object: unknown): void => {
      const event = parseSliceEvent(type, object);
      if (event.kind === 'expired') return resolve('expired');
      this.#version = versionOf(object) || this.#version;
      this.#slices = nextSlices(this.#slices, event);
      if (event.kind === 'none' || signal.aborted) return;
      try {
        changed(hintsOf(this.#slices, this.#options.port));
      } catch (error) {
        reject(error);
      }
    };
    const onEnd = (cause: unknown): void => {
      const status = statusOf(cause);
      if (status === 410) resolve('expired');
      // A stream that breaks is taken up again; a request that is refused is not.
      else if (status === undefined && !isUnreachable(cause)) resolve('closed');
      else reject(this.#refused('watch', namespace, cause));
    };
    const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const query = {
      labelSelector,
      resourceVersion: this.#version,
      allowWatchBookmarks: true,
      timeoutSeconds: watchSeconds,
    };
    const watching = new (this.#client().Watch)(config).watch(path, query, onEvent, onEnd);
    const abort = (): void => resolve('closed');
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await promise;
    } finally {
      signal.removeEventListener('abort', abort);
      void watching.then((controller) => controller.abort());
    }
  }

  /** Credentials and their files are read each time: tokens are changed while a pod lives. */
  #target(): Target {
    const { service, namespace, kubeconfig, root = '' } = this.#options;
    const config = new (this.#client().KubeConfig)();
    if (kubeconfig !== undefined) config.loadFromFile(kubeconfig);
    else if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) config.loadFromCluster(root);
    else config.loadFromDefault();
    const cluster = config.getCurrentCluster();
    if (cluster === null || cluster.server === noCredentials) throw unknownCluster();
    const own = config.getContextObject(config.getCurrentContext())?.namespace?.trim();
    return {
      config,
      namespace: namespace ?? (own === undefined || own === '' ? 'default' : own),
      labelSelector: `kubernetes.io/service-name=${service}`,
    };
  }

  #client(): KubernetesClient {
    if (this.client === undefined) throw new Error('the client is not loaded');
    return this.client;
  }

  /** Options of a request that is given up with a signal. */
  #abortedBy(signal: AbortSignal): Kubernetes.ConfigurationOptions {
    // The library's own one, since it does not show what its steps are made of.
    const accept = this.#client().setHeaderMiddleware('Accept', 'application/json');
    const middleware: Kubernetes.ObservableMiddleware = {
      pre(request) {
        request.setSignal(signal);
        return accept.pre(request);
      },
      post: (response) => accept.post(response),
    };
    return { middleware: [middleware], middlewareMergeStrategy: 'append' };
  }

  #refused(verb: 'list' | 'watch', namespace: string, cause: unknown): FoundationError {
    const status = statusOf(cause);
    const { service } = this.#options;
    const what = `the API server did not ${verb} the endpoints of ${namespace}/${service}`;
    return new FoundationError('DISCOVERY_FAILED', `${what}: ${status ?? causeOf(cause)}`, {
      hint: hintFor(status, namespace),
      details: { namespace, service, verb, status },
      cause,
    });
  }
}

function hintFor(status: number | undefined, namespace: string): string {
  switch (status) {
    case 401:
      return 'The server does not take the token: see that the service account exists and its token is mounted.';
    case 403:
      return `Give the service account ${rights} in the namespace ${namespace}, by a Role and a RoleBinding.`;
    case undefined:
      return 'Who was known before stays known. Check that the API server can be reached from here.';
    default:
      return 'Who was known before stays known. It is tried again by itself.';
  }
}

function unknownCluster(): FoundationError {
  return new FoundationError('DISCOVERY_FAILED', 'found no service account and no kubeconfig', {
    hint: 'In a pod, let the token of its service account be mounted; elsewhere, give `kubeconfig`.',
  });
}

/** The status by which a server has refused a request. */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const codes: readonly unknown[] = [Reflect.get(error, 'statusCode'), Reflect.get(error, 'code')];
  return codes.find((code): code is number => typeof code === 'number' && code >= refusalMin);
}

/** Whether there was no stream to break: the server could not be reached at all. */
function isUnreachable(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed';
}

function causeOf(error: unknown): string {
  return messageOf(error instanceof Error && error.cause !== undefined ? error.cause : error);
}
