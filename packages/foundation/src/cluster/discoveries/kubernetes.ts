/**
 * Discovery by the endpoints of a service of Kubernetes. Needs the package `@kubernetes/client-node`, which is
 * loaded when it starts.
 *
 * @packageDocumentation
 */
import { optionalPeer } from '../../optional-peer.ts';
import { invalidOption, refuseUnknown } from '../../options.ts';
import { isPort } from '../address.ts';
import type { Advertisement, DiscoveryHandlers } from '../discovery.ts';
import {
  KubernetesEndpoints,
  type EndpointsOptions,
  type KubernetesClient,
} from './kubernetes-endpoints.ts';
import { lookupDefaults, LookupDiscovery, type LookupTimes } from './lookup.ts';

export type { EndpointsOptions } from './kubernetes-endpoints.ts';

/** Whose endpoints to look for, with which credentials, and the bounds of that. */
export interface KubernetesOptions extends EndpointsOptions, LookupTimes {}

const who = 'KubernetesDiscovery';
const optionNames = [
  'service',
  'namespace',
  'port',
  'kubeconfig',
  'root',
  ...Object.keys(lookupDefaults),
];
/** A DNS label, as services, namespaces and their ports have (RFC 1123). */
const labelPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/**
 * Nodes are pods behind one service: its EndpointSlices are listed once and then watched. Only endpoints that are
 * ready are told, unless the service publishes those that are not (`publishNotReadyAddresses`).
 *
 * Credentials are read anew for each request, so that they may be changed while a node runs. They need the rights
 * `get`, `list` and `watch` on `endpointslices.discovery.k8s.io` in that namespace.
 */
export class KubernetesDiscovery extends LookupDiscovery {
  readonly #endpoints: KubernetesEndpoints;

  /** @throws FoundationError `INVALID_OPTION` */
  constructor(options: KubernetesOptions) {
    checkOptions(options);
    const { refreshMs, timeoutMs, hintsMax, clock } = { ...lookupDefaults, ...options };
    const endpoints = new KubernetesEndpoints(options, clock);
    super({
      name: 'kubernetes',
      lookUp: (signal) => endpoints.list(signal),
      watch: (changed, signal) => endpoints.watch(changed, signal),
      refreshMs,
      timeoutMs,
      hintsMax,
      clock,
    });
    this.#endpoints = endpoints;
  }

  /** @throws FoundationError `INVALID_OPTION` when the package it needs is not installed */
  override async start(self: Advertisement, handlers: DiscoveryHandlers): Promise<void> {
    const peer = { who, name: '@kubernetes/client-node' };
    this.#endpoints.client ??= await optionalPeer(peer, loadClient);
    await super.start(self, handlers);
  }
}

function loadClient(): Promise<KubernetesClient> {
  return import('@kubernetes/client-node');
}

function checkOptions(options: KubernetesOptions): void {
  refuseUnknown(who, options, optionNames);
  const { service, namespace, port, kubeconfig, root } = options;
  if (!isLabel(service)) throw invalidOption(who, { service }, 'the name of a service');
  if (namespace !== undefined && !isLabel(namespace)) {
    throw invalidOption(who, { namespace }, 'the name of a namespace');
  }
  if (port !== undefined && !isLabel(port) && !(typeof port === 'number' && isPort(port))) {
    throw invalidOption(who, { port }, 'a port, or the name of one');
  }
  for (const [option, path] of Object.entries({ kubeconfig, root })) {
    if (path === undefined || typeof path === 'string') continue;
    throw invalidOption(who, { [option]: path }, 'a path');
  }
}

function isLabel(value: unknown): boolean {
  return typeof value === 'string' && labelPattern.test(value);
}
