import { FoundationError } from '../../errors.ts';
import { formatAddress } from '../address.ts';
import type { Hint } from '../discovery.ts';

/** A part of the endpoints of a service, as far as it matters here. */
export interface EndpointSlice {
  readonly name: string;
  /** Addresses of endpoints that are ready. */
  readonly hosts: readonly string[];
  /** By name; a port without one has the empty name. */
  readonly ports: ReadonlyMap<string, number>;
}

/** The slices of a service, by name. */
export type EndpointSlices = ReadonlyMap<string, EndpointSlice>;

/** What may come by a watch. */
export type SliceEvent =
  | { readonly kind: 'put'; readonly slice: EndpointSlice }
  | { readonly kind: 'delete'; readonly name: string }
  /** The version is too old to watch from: everything must be listed again. */
  | { readonly kind: 'expired' }
  /** Anything else, such as a bookmark. */
  | { readonly kind: 'none' };

const goneCode = 410;

export function parseSliceEvent(type: string, object: unknown): SliceEvent {
  switch (type) {
    case 'ADDED':
    case 'MODIFIED': {
      const slice = parseSlice(object);
      return slice === undefined ? { kind: 'none' } : { kind: 'put', slice };
    }
    case 'DELETED':
      return { kind: 'delete', name: textOf(fieldOf(fieldOf(object, 'metadata'), 'name')) };
    case 'ERROR':
      return fieldOf(object, 'code') === goneCode ? { kind: 'expired' } : { kind: 'none' };
    default:
      return { kind: 'none' };
  }
}

/** Up to which version a list or an event tells. Empty when it does not say. */
export function versionOf(object: unknown): string {
  return textOf(fieldOf(fieldOf(object, 'metadata'), 'resourceVersion'));
}

/** Undefined for what is no slice. What is not known to be ready is; so the API says. */
export function parseSlice(object: unknown): EndpointSlice | undefined {
  const name = textOf(fieldOf(fieldOf(object, 'metadata'), 'name'));
  if (name === '') return undefined;
  const ready = listOf(fieldOf(object, 'endpoints')).filter(
    (each) => fieldOf(fieldOf(each, 'conditions'), 'ready') !== false,
  );
  // Addresses of one endpoint are interchangeable: one is enough.
  const hosts = ready.map((each) => textOf(listOf(fieldOf(each, 'addresses'))[0]));
  const ports = listOf(fieldOf(object, 'ports')).flatMap((each): [string, number][] => {
    const port = fieldOf(each, 'port');
    return typeof port === 'number' ? [[textOf(fieldOf(each, 'name')), port]] : [];
  });
  return { name, hosts: hosts.filter((host) => host !== ''), ports: new Map(ports) };
}

export function nextSlices(slices: EndpointSlices, event: SliceEvent): EndpointSlices {
  switch (event.kind) {
    case 'put':
      return new Map(slices).set(event.slice.name, event.slice);
    case 'delete':
      return new Map([...slices].filter(([name]) => name !== event.name));
    case 'expired':
    case 'none':
      return slices;
  }
}

/**
 * Where the endpoints of slices are.
 *
 * @param port - A number, the name of a port of the service, or undefined for its only one.
 * @throws FoundationError `DISCOVERY_FAILED` when the service has no such port, or several to choose from.
 */
export function hintsOf(
  slices: EndpointSlices,
  port: string | number | undefined,
): readonly Hint[] {
  return [...slices.values()].flatMap((slice) => {
    if (slice.hosts.length === 0) return [];
    const number = portOf(slice, port);
    return slice.hosts.map((host) => ({ address: formatAddress({ host, port: number }) }));
  });
}

function portOf({ ports }: EndpointSlice, wanted: string | number | undefined): number {
  if (typeof wanted === 'number') return wanted;
  const found =
    wanted === undefined && ports.size === 1 ? [...ports.values()][0] : ports.get(wanted ?? '');
  if (found !== undefined) return found;
  const known = [...ports].map(([name, number]) => `${name || 'unnamed'} (${number})`).join(', ');
  throw new FoundationError(
    'DISCOVERY_FAILED',
    `the service has no port ${wanted ?? 'of its own to take'}, but ${known || 'none at all'}`,
    {
      hint: 'Give `port`: the name of a port of the service, or a number.',
      details: { port: wanted, ports: Object.fromEntries(ports) },
    },
  );
}

function fieldOf(object: unknown, name: string): unknown {
  return isRecord(object) ? object[name] : undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
