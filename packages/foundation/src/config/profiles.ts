/** A set of defaults. */
export type Profile = 'development' | 'test' | 'production' | 'enterprise';

/** How the nodes of a cluster prove that they belong to it. */
export type Keys =
  /** A secret is made on first use, for this user's eyes only. */
  | 'made'
  /** A secret or certificates must be there. */
  | 'given'
  /** Certificates must be there. */
  | 'certificates';

/** What a profile means, as data. */
export interface ProfileValues {
  /** Whether local messages go through the codec, so that what works here works remotely. */
  readonly copiesMessages: boolean;
  readonly keys: Keys;
  /** Whether a store that all nodes of a cluster share must be there. */
  readonly needsStore: boolean;
  /** How safe the embedded store is: `FULL` survives a power loss. */
  readonly synchronous: 'NORMAL' | 'FULL';
  /** Defaults of settings, by path. */
  readonly settings: Readonly<Record<string, unknown>>;
}

const development: ProfileValues = {
  copiesMessages: true,
  keys: 'made',
  needsStore: false,
  synchronous: 'NORMAL',
  settings: { 'cluster.kind': 'local', splitPolicy: 'available' },
};

const production: ProfileValues = {
  copiesMessages: false,
  keys: 'given',
  needsStore: false,
  synchronous: 'FULL',
  settings: { 'cluster.kind': 'auto', splitPolicy: 'available' },
};

/** All profiles. */
export const profiles: Readonly<Record<Profile, ProfileValues>> = {
  development,
  test: development,
  production,
  enterprise: {
    ...production,
    keys: 'certificates',
    needsStore: true,
    settings: { ...production.settings, splitPolicy: 'majority' },
  },
};
