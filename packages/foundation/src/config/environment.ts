import type { Configuration } from './configuration.ts';

/** What a machine offers, as far as can be seen without asking anybody. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Whether a file is there. */
  exists(path: string): boolean;
  readonly cpus: number;
}

/** Something that was looked for, and why it is believed to be there or not. */
export interface Finding {
  readonly what: 'nats' | 'kubernetes' | 'consul' | 'dns' | 'static' | 'container' | 'machine';
  readonly isThere: boolean;
  readonly evidence: string;
}

/** Which strategy `auto` has chosen, and why. */
export interface Decision {
  readonly kind: 'nats' | 'kubernetes' | 'dns' | 'static' | 'local';
  readonly because: string;
  readonly findings: readonly Finding[];
}

const tokenPath = '/var/run/secrets/kubernetes.io/serviceaccount/token';

/** Finds out where this program runs. The configuration counts as evidence, too. */
export function detectEnvironment(
  surroundings: Surroundings,
  configuration: Configuration,
): readonly Finding[] {
  const { environment, cpus } = surroundings;
  const set = (path: string): string | undefined => {
    const found = configuration.get(path);
    return found === undefined ? undefined : `\`${path}\` is set by ${found.origin}`;
  };
  const kubernetesHost = environment['KUBERNETES_SERVICE_HOST'];
  const isKubernetes = kubernetesHost !== undefined && surroundings.exists(tokenPath);
  const consul = environment['CONSUL_HTTP_ADDR'];
  const isContainer =
    surroundings.exists('/.dockerenv') || surroundings.exists('/run/.containerenv');
  return [
    finding('nats', set('nats.servers'), 'neither `nats.servers` nor NATS_URL is set'),
    finding(
      'kubernetes',
      isKubernetes
        ? `KUBERNETES_SERVICE_HOST is ${kubernetesHost}, ${tokenPath} is there`
        : undefined,
      kubernetesHost === undefined
        ? 'KUBERNETES_SERVICE_HOST is not set'
        : `KUBERNETES_SERVICE_HOST is set, but there is no ${tokenPath}`,
    ),
    finding(
      'consul',
      consul === undefined
        ? undefined
        : `CONSUL_HTTP_ADDR is ${consul}; there is no strategy for it yet`,
      'CONSUL_HTTP_ADDR is not set',
    ),
    finding('dns', set('cluster.hostname'), '`cluster.hostname` is not set'),
    finding('static', set('cluster.addresses'), '`cluster.addresses` is not set'),
    finding(
      'container',
      isContainer ? 'a container’s mark is in the root directory' : undefined,
      'no container’s mark is in the root directory',
    ),
    { what: 'machine', isThere: true, evidence: `${cpus} CPUs` },
  ];
}

function finding(what: Finding['what'], proof: string | undefined, lack: string): Finding {
  return { what, isThere: proof !== undefined, evidence: proof ?? lack };
}

/** In this order; what needs settings of its own is chosen only when they are there. */
const order = ['nats', 'kubernetes', 'dns', 'static'] as const;

/** The strategy that `cluster: 'auto'` means. */
export function decideCluster(findings: readonly Finding[]): Decision {
  for (const kind of order) {
    const found = findings.find(({ what }) => what === kind);
    if (found?.isThere === true) return { kind, because: found.evidence, findings };
  }
  const because = 'nothing points to other machines: the nodes of this one find each other';
  return { kind: 'local', because, findings };
}
