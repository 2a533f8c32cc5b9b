import { systemClock, type Clock } from '../../clock.ts';
import { checkNumber, invalidOption, withDefaults } from '../../options.ts';
import { frameBytesMaxDefault } from '../../wire/frame.ts';
import { affordableConnections } from './descriptors.ts';
import { checkSecret } from './mesh-secret.ts';
import type { MeshCertificates } from './own-certificates.ts';

/** What proves that a node belongs to the cluster: one of the two. */
export type MeshCredentials =
  | {
      /**
       * The cluster's secret, 16 bytes or more. Whoever has it is a member. Of several the first is used
       * and all are accepted, so that it can be changed while the cluster runs.
       */
      readonly secret: Uint8Array | readonly Uint8Array[];
      readonly certificates?: undefined;
    }
  | {
      /** Certificates of an authority; they tell nodes apart. */
      readonly certificates: MeshCertificates;
      readonly secret?: undefined;
    };

/** Where a mesh listens, and its limits. */
export interface MeshSettings {
  /** Address to listen on; `0.0.0.0` or `::` for all. @defaultValue '127.0.0.1' */
  readonly host: string;
  /** Port to listen on; 0 takes a free one. @defaultValue 0 */
  readonly port: number;
  /**
   * Where peers reach this node, as `host` or `host:port`, if that is not where it listens.
   * @defaultValue where it listens; if that is everywhere, the machine's first address that others reach
   */
  readonly advertise: string | undefined;
  /**
   * Longest that a connection may take before TLS begins, in milliseconds. Where that is not enough the network is
   * bad, and another attempt is better: the system repeats its own more and more seldom.
   * @defaultValue 500
   */
  readonly connectTimeoutMs: number;
  /** Longest that TLS, and then the introduction, may take, in milliseconds. @defaultValue 5_000 */
  readonly handshakeTimeoutMs: number;
  /**
   * Connections at a time; more are dropped and counted as `OVERLOADED`. Fewer, where the program may open
   * only few files.
   * @defaultValue 512
   */
  readonly connectionsMax: number;
  /**
   * Of these, such that have not introduced themselves: a newcomer takes the place of the oldest. At most
   * half of all.
   * @defaultValue 64
   */
  readonly strangersMax: number;
  /** Largest frame in either direction, in bytes. @defaultValue 16 MiB */
  readonly frameBytesMax: number;
  /**
   * Longest that a frame, or a part of a large one, may take to arrive, in milliseconds.
   * @defaultValue 10_000
   */
  readonly frameTimeoutMs: number;
  /** Bytes that the normal and the bulk lane may each hold back for a slow peer. @defaultValue 4 MiB */
  readonly queuedBytesMax: number;
  /** How often certificates are read from their files again, in milliseconds. @defaultValue 60_000 */
  readonly renewEveryMs: number;
  /** @defaultValue systemClock */
  readonly clock: Clock;
}

/** The credentials of a mesh, where it listens, and its limits. */
export type MeshOptions = MeshCredentials & Partial<MeshSettings>;

/** What a mesh does unless told otherwise. */
export const meshDefaults: MeshSettings = {
  host: '127.0.0.1',
  port: 0,
  advertise: undefined,
  connectTimeoutMs: 500,
  handshakeTimeoutMs: 5_000,
  connectionsMax: 512,
  strangersMax: 64,
  frameBytesMax: frameBytesMaxDefault,
  frameTimeoutMs: 10_000,
  queuedBytesMax: 4 * 2 ** 20,
  renewEveryMs: 60_000,
  clock: systemClock,
};

/** @throws FoundationError `INVALID_OPTION` */
export function meshSettings(options: MeshOptions): MeshSettings {
  const given = withDefaults(meshDefaults, options);
  const { host, port, advertise, clock, ...limits } = given;
  for (const [option, value] of Object.entries(limits)) {
    checkNumber('mesh', { [option]: value }, { above: 0 });
  }
  checkNumber('mesh', { port }, { min: 0, max: 65_535, integer: true });
  for (const [option, value] of Object.entries({ host, advertise })) {
    if (value === undefined || (typeof value === 'string' && value !== '')) continue;
    throw invalidOption('mesh', { [option]: value }, 'a text');
  }
  const connectionsMax = Math.min(given.connectionsMax, affordableConnections());
  const strangersMax = Math.min(given.strangersMax, Math.max(1, Math.floor(connectionsMax / 2)));
  return { ...given, clock, connectionsMax, strangersMax };
}

/**
 * Also for those who do not heed the type.
 *
 * @throws FoundationError `SECRET_INVALID` or `INVALID_OPTION`
 */
export function checkCredentials(credentials: MeshCredentials): void {
  const { secret, certificates } = credentials;
  if ((secret === undefined) === (certificates === undefined)) {
    const given = secret === undefined ? 'neither' : 'both';
    throw invalidOption('mesh', { 'secret or certificates': given }, 'one of the two');
  }
  const secrets = secretsOf(credentials);
  if (certificates === undefined && secrets.length === 0) {
    throw invalidOption('mesh', { secret }, 'one secret or several');
  }
  for (const each of secrets) checkSecret(each);
}

/** All secrets that are accepted, the one that is used first. */
export function secretsOf({ secret = [] }: MeshCredentials): readonly Uint8Array[] {
  return secret instanceof Uint8Array ? [secret] : secret;
}
