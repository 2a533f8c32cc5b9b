import type { Profile } from './profiles.ts';

/** What can be set for a node in a file, by the environment or by the program. */
export interface NodeConfig {
  /** Name of this node, unique in the cluster. @defaultValue one made of the process id */
  readonly name?: string;
  /**
   * How the nodes find each other. `local`: those of this machine, by themselves. `auto`: by what the environment
   * offers. `off`: alone, nothing is opened.
   * @defaultValue 'local'; 'auto' in production
   */
  readonly cluster?: ClusterKind | ClusterConfig;
  /** Where the cluster keeps what it agrees on. @defaultValue 'sqlite' on one machine, otherwise 'none' */
  readonly store?: StoreKind | StoreConfig;
  /** Nodes of one cluster meet; others never do. @defaultValue the nearest package.json's name */
  readonly clusterName?: string;
  /** Where the cluster's file and secret are kept. @defaultValue FOUNDATION_HOME, or the user's state directory */
  readonly directory?: string;
  /** `observer`: sees and calls everything, hosts nothing and is not counted. @defaultValue 'member' */
  readonly role?: 'member' | 'observer';
  /**
   * What is the default of the others. `development` and `test` send local messages through the codec, so that what
   * works here works remotely; `production` passes them by reference and needs keys; `enterprise` needs certificates
   * and a store, too.
   * @defaultValue 'production' when NODE_ENV says so, otherwise 'development'
   */
  readonly profile?: Profile;
  /** NATS servers, for the cluster or the store; see `docs/guide/nats.md`. */
  readonly nats?: NatsConfig;
  /** Where this node listens. */
  readonly listen?: ListenConfig;
  /** The cluster's secret, as base64url. Better in a file or the environment than in a program. */
  readonly secret?: string;
  /** Path of a file with the secret. @defaultValue `secret` in the cluster's directory */
  readonly secretFile?: string;
  /** Certificates in place of the secret: each node proves which one it is. */
  readonly certificates?: CertificateConfig;
  /**
   * What the smaller part of a split may do: `available`: go on; `majority`: nothing that must be so once only.
   * @defaultValue 'available'; 'majority' in the profile `enterprise`
   */
  readonly splitPolicy?: 'available' | 'majority';
  /** Names of the nodes whose majority counts. @defaultValue those of the last stable view */
  readonly voters?: readonly string[];
  /**
   * Refuses calls from outside of its processes while the event loop is later than this, in milliseconds.
   * @defaultValue Infinity
   */
  readonly lagMaxMs?: number;
}

export type ClusterKind =
  | 'auto'
  | 'local'
  | 'off'
  | 'static'
  | 'dns'
  | 'mdns'
  | 'kubernetes'
  | 'nats';

/** A strategy with what it needs; see `docs/guide/clustering-strategies.md`. */
export type ClusterConfig =
  | { readonly kind: 'auto' | 'local' | 'off' }
  /** `host:port` of some nodes; one that runs is enough. */
  | { readonly kind: 'static'; readonly addresses: readonly string[] }
  | {
      readonly kind: 'dns';
      readonly hostname: string;
      /** @defaultValue 'A', which means AAAA, too */
      readonly record?: 'A' | 'SRV';
      /** Port of all nodes, for records that have none. @defaultValue that of `listen` */
      readonly port?: number;
      /** DNS servers, `address` or `address:port`. @defaultValue the system's */
      readonly resolvers?: readonly string[];
      /** Milliseconds between two looks. @defaultValue 10000 */
      readonly refreshMs?: number;
    }
  | {
      readonly kind: 'mdns';
      /** Name of an interface, such as `eth0`. @defaultValue that of `listen.host`, or the only private one */
      readonly interface?: string;
    }
  | {
      readonly kind: 'kubernetes';
      /** The headless service of the nodes. */
      readonly service: string;
      /** @defaultValue this pod's */
      readonly namespace?: string;
      /** Port of all nodes. @defaultValue the service's only one */
      readonly port?: number;
      /** Path of a kubeconfig, outside of the cluster. @defaultValue the credentials of the pod */
      readonly kubeconfig?: string;
    }
  /** The servers are those of `nats`. */
  | { readonly kind: 'nats' };

export type StoreKind = 'sqlite' | 'memory' | 'etcd' | 'jetstream' | 'none';

/** A store on servers of its own; see `docs/guide/stores.md`. */
export type StoreConfig =
  | { readonly kind: 'sqlite' | 'memory' | 'none' }
  | {
      readonly kind: 'etcd';
      readonly endpoints: readonly string[];
      readonly username?: string;
      readonly password?: string;
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
    }
  | {
      /** On the servers of `nats`. */
      readonly kind: 'jetstream';
      /** Servers that keep a copy of each value. @defaultValue 3 */
      readonly replicas?: 1 | 3 | 5;
    };

/** How NATS servers are reached. */
export interface NatsConfig {
  /** `nats://host:port`, or `tls://…`. @defaultValue NATS_URL, or nats://127.0.0.1:4222 */
  readonly servers?: readonly string[];
  /** Path of a `.creds` file, as `nsc` makes it. */
  readonly credentials?: string;
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  readonly nkeySeed?: string;
  /** Paths of PEM files; any of them asks for TLS. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** Where a connection without TLS is allowed. @defaultValue 'loopback' */
  readonly plaintext?: 'loopback' | 'anywhere';
}

export interface ListenConfig {
  /** @defaultValue 127.0.0.1 on one machine, otherwise every address */
  readonly host?: string;
  /** @defaultValue a free one on one machine, otherwise 7400 */
  readonly port?: number;
  /** `host` or `host:port` that others dial. @defaultValue where it listens */
  readonly advertise?: string;
}

/** Paths of PEM files. */
export interface CertificateConfig {
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
}

/** What `foundation.config.ts` exports. */
export interface ConfigFileContent extends NodeConfig {
  /** Settings of several clusters, by name; each on top of the common ones. */
  readonly clusters?: Readonly<Record<string, NodeConfig>>;
}

/** Gives a file of settings its type. */
export function defineConfig(config: ConfigFileContent): ConfigFileContent {
  return config;
}

/** What was set, by whom ever: the groups with what any of their kinds takes. */
export type SettingValues = Omit<NodeConfig, 'cluster' | 'store' | 'certificates'> & {
  readonly cluster: { readonly kind?: ClusterKind } & Partial<Fields<ClusterConfig>>;
  readonly store: { readonly kind?: StoreKind } & Partial<Fields<StoreConfig>>;
  readonly listen: ListenConfig;
  readonly nats: NatsConfig;
  readonly certificates: Partial<CertificateConfig>;
};

/** The fields of all kinds together. */
type Fields<Union> = {
  readonly [Key in Exclude<KeysOf<Union>, 'kind'>]: Union extends { readonly [K in Key]?: infer V }
    ? V
    : never;
};
type KeysOf<Union> = Union extends unknown ? keyof Union : never;
