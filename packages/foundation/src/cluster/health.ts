import type { ClusterMember } from './cluster-view.ts';
import type { SplitPolicy } from './quorum.ts';
import type { StorePromises } from './store.ts';

/** How a cluster is, as one node sees it. */
export interface ClusterHealth {
  /**
   * `degraded`: it works, and something should be looked at. `critical`: something that was promised is not kept at
   * the moment, for instance nothing durable can be written.
   */
  readonly status: 'healthy' | 'degraded' | 'critical';
  readonly view: ViewHealth;
  readonly links: readonly LinkHealth[];
  readonly store: StoreHealth;
  readonly split: SplitHealth;
  readonly discovery: DiscoveryHealth;
  /** Who is written down, as an address or a voter, and is not there. */
  readonly missing: readonly MissingNode[];
  /** What to do, the most urgent first. */
  readonly recommendations: readonly Recommendation[];
}

export interface ViewHealth {
  /** Members and observers, this node among them. */
  readonly nodes: readonly ClusterMember[];
  /** Milliseconds since the last change. */
  readonly stableMs: number;
  readonly suspicions: readonly Suspicion[];
  /**
   * How much this node has reason to doubt itself, from 0 to `healthMax` of its detector: it is late, or hears too
   * little of all others.
   */
  readonly selfDoubt: number;
}

/** A member that may be gone. */
export interface Suspicion {
  readonly node: string;
  /** Milliseconds for which it has been suspected. */
  readonly forMs: number;
}

/** The way to one node. */
export interface LinkHealth {
  readonly node: string;
  /** Milliseconds of a call there and back; undefined when no answer came within a second. */
  readonly roundTripMs: number | undefined;
  /** Bytes that wait to be sent. */
  readonly queuedBytes: number;
  /** Milliseconds of a probe there and back; undefined when none has come back directly so far. */
  readonly probeMs: number | undefined;
  /** No probes pass: it is probed over its connection, and by others. */
  readonly isDetoured: boolean;
}

export interface StoreHealth {
  readonly name: string;
  readonly isAnswering: boolean;
  /** Milliseconds of a read; undefined when none came back. */
  readonly readMs: number | undefined;
  /** Why it does not answer. */
  readonly error: string | undefined;
  readonly promises: StorePromises;
}

export interface SplitHealth {
  readonly policy: SplitPolicy;
  /** Whether this node is with the majority of those who count. */
  readonly hasQuorum: boolean;
  /** Who counts. */
  readonly voters: readonly string[];
  /** Who counts and is not seen. */
  readonly absent: readonly string[];
  /** Whether the voters are named by the configuration. */
  readonly isConfigured: boolean;
}

export interface DiscoveryHealth {
  /** Undefined for a node alone. */
  readonly name: string | undefined;
  /** The newest failure, unless it has found somebody since. */
  readonly error: string | undefined;
}

/** A node that is written down and is not in the view. */
export interface MissingNode {
  /** Where it should be; undefined for a voter of whom only the name is known. */
  readonly address: string | undefined;
  /** Its name; undefined where no node was ever seen at the address. */
  readonly node: string | undefined;
  readonly wasSeen: boolean;
  /** Whether `voters` names it. */
  readonly isVoter: boolean;
  /** Milliseconds since it was seen last, or for which it was never seen. */
  readonly forMs: number;
  /** Why it was not reached the last time, or how it ended; undefined where no address of it is known. */
  readonly reason: string | undefined;
}

/** Something to do about the cluster. */
export interface Recommendation {
  readonly severity: 'critical' | 'warning' | 'note';
  /** What is the matter, with its figure. */
  readonly what: string;
  readonly fix: string;
}

/** What {@link assess} knows beside the parts of the health report. */
export interface HealthFacts extends Omit<ClusterHealth, 'status' | 'recommendations'> {
  /** Refused connections, by error code. */
  readonly refused: Readonly<Record<string, number>>;
  /** Whether nodes of other machines may be in this cluster. */
  readonly isNetwork: boolean;
  readonly transport: string | undefined;
}

/** A link slower than this, and than three times the median, is told, in milliseconds. */
const slowLinkMs = 100;
const queueBytesTold = 2 * 2 ** 20;
/** From here on a node that doubts itself is told of. */
const doubtTold = 4;
/** Beyond this many nodes a full mesh is too much. */
const meshNodesMax = 100;
/** This many of those who are missing are told of one by one. */
const missingTold = 10;

/** The report that facts make. */
export function assess(facts: HealthFacts): ClusterHealth {
  const { refused: _refused, isNetwork: _network, transport: _transport, ...parts } = facts;
  const recommendations = [
    ...aboutSplit(facts),
    ...aboutStore(facts),
    ...aboutView(facts),
    ...aboutMissing(facts),
    ...aboutLinks(facts),
    ...aboutOthers(facts),
  ].toSorted((a, b) => severities.indexOf(a.severity) - severities.indexOf(b.severity));
  const [worst] = recommendations;
  const status = statusOf[worst?.severity ?? 'note'];
  return { status, ...parts, recommendations };
}

const severities: readonly Recommendation['severity'][] = ['critical', 'warning', 'note'];
const statusOf = { critical: 'critical', warning: 'degraded', note: 'healthy' } as const;

function aboutSplit({ split, view }: HealthFacts): readonly Recommendation[] {
  const { policy, hasQuorum, voters, absent, isConfigured } = split;
  if (policy === 'available') return [];
  const found: Recommendation[] = [];
  if (!hasQuorum) {
    found.push({
      severity: 'critical',
      what: `${voters.length - absent.length} of ${voters.length} voters are seen: nothing that must be so once only goes on here`,
      fix: `Bring back ${absent.join(', ')}, or the network to them.`,
    });
  }
  if (!isConfigured && view.nodes.length > 1) {
    found.push({
      severity: 'note',
      what: 'the voters are those of the last stable view',
      fix: 'Name three or five nodes in `voters`: then nothing depends on who was seen when.',
    });
  }
  if (voters.length > 1 && voters.length % 2 === 0) {
    found.push({
      severity: 'note',
      what: `${voters.length} voters can lose no more than ${voters.length - 1} could`,
      fix: 'Have an odd number: an even split has no majority.',
    });
  }
  return found;
}

function aboutStore({ store, view, isNetwork }: HealthFacts): readonly Recommendation[] {
  const { name, isAnswering, error, promises } = store;
  if (name === 'none') {
    const fix = "Set `store`, for instance to { kind: 'etcd', endpoints: […] }.";
    return [{ severity: 'note', what: 'there is no store: nothing is durable here', fix }];
  }
  if (!isAnswering) {
    return [
      {
        severity: 'critical',
        what: `the store ${name} does not answer: ${error}`,
        fix: 'Look at its servers. Leases end by themselves, and nothing durable is written meanwhile.',
      },
    ];
  }
  const caveats = promises.caveats.map((what): Recommendation => {
    const fix = `See docs/guide/stores.md for what a ${name} store needs.`;
    return { severity: 'note', what: `${name}: ${what}`, fix };
  });
  if (!isNetwork || promises.scope === 'cluster' || view.nodes.length === 1) return caveats;
  const what = `the store ${name} is for one ${promises.scope}, and nodes of other machines may be here`;
  const fix = 'Use etcd or JetStream: durable state does not follow a process to another machine.';
  return [{ severity: 'warning', what, fix }, ...caveats];
}

function aboutView({ view }: HealthFacts): readonly Recommendation[] {
  const found = view.suspicions.map(({ node, forMs }): Recommendation => ({
    severity: 'warning',
    what: `${node} has been suspected for ${Math.round(forMs)} ms`,
    fix: 'Look at its machine and the network to it: it is silent, or its connection broke.',
  }));
  for (const { node } of view.nodes.filter(({ isStalled }) => isStalled)) {
    found.push({
      severity: 'warning',
      what: `the event loop of ${node} stands still`,
      fix: 'Something there computes without a pause: run it in a thread (`isolation`).',
    });
  }
  if (view.selfDoubt >= doubtTold) {
    found.push({
      severity: 'warning',
      what: 'this node is late, or hears too little of the others: it may be the one that is sick',
      fix: 'Look at the load of its machine, and at its network.',
    });
  }
  return found;
}

function aboutMissing({ missing }: HealthFacts): readonly Recommendation[] {
  const told = missing.slice(0, missingTold).map((each): Recommendation => ({
    severity: 'warning',
    what: absenceOf(each),
    fix:
      each.address === undefined
        ? 'Start it, or look at the network to it; take its name out of `voters` if it shall not come back.'
        : 'Start it, or do what the reason says; take its address out of the list if it shall not come back.',
  }));
  const rest = missing.length - told.length;
  if (rest <= 0) return told;
  const what = `${rest} more that are written down are not there`;
  const fix = 'Look at `missing`, which names them all.';
  return [...told, { severity: 'warning', what, fix }];
}

/** Who is missing, for how long, and why. */
function absenceOf({ address, node, wasSeen, isVoter, forMs, reason }: MissingNode): string {
  const who = address === undefined ? `the voter ${node}` : named(address, node);
  const also = isVoter && address !== undefined ? ', a voter,' : '';
  const how = wasSeen ? 'has not been there for' : 'was never seen, for';
  const why = reason === undefined ? '' : `: ${reason}`;
  return `${who}${also} ${how} ${Math.round(forMs / 1_000)} s${why}`;
}

function named(address: string, node: string | undefined): string {
  return node === undefined ? `a node at ${address}` : `${node} at ${address}`;
}

function aboutLinks({ links }: HealthFacts): readonly Recommendation[] {
  const answered = links.flatMap(({ roundTripMs }) =>
    roundTripMs === undefined ? [] : [roundTripMs],
  );
  const limitMs = Math.max(slowLinkMs, 3 * median(answered));
  return links.flatMap((link): readonly Recommendation[] => {
    const { node, roundTripMs, queuedBytes, isDetoured } = link;
    const found: Recommendation[] = [];
    if (isDetoured) {
      found.push({
        severity: 'warning',
        what: `no probes pass between this node and ${node}: it is probed over its connection`,
        fix: 'Let UDP pass to the ports at which the nodes listen, or datagrams through NATS.',
      });
    }
    if (roundTripMs === undefined || roundTripMs > limitMs) {
      const took = roundTripMs === undefined ? 'more than 1000' : String(Math.round(roundTripMs));
      const fix = 'Its event loop may be busy (`lagMaxMs`), or the network slow.';
      found.push({ severity: 'warning', what: `an answer of ${node} takes ${took} ms`, fix });
    }
    if (queuedBytes > queueBytesTold) {
      const what = `${queuedBytes} bytes wait for ${node}, which reads more slowly than it is written to`;
      found.push({
        severity: 'warning',
        what,
        fix: 'Send it less, or more slowly; calls fail when 4 MiB wait.',
      });
    }
    return found;
  });
}

function aboutOthers({
  view,
  refused,
  discovery,
  transport,
}: HealthFacts): readonly Recommendation[] {
  const found: Recommendation[] = [];
  const strangers = (refused['AUTHENTICATION_FAILED'] ?? 0) + (refused['WRONG_CLUSTER'] ?? 0);
  if (strangers > 0) {
    found.push({
      severity: 'warning',
      what: `${strangers} connections were refused for a wrong secret or cluster`,
      fix: 'A node has an old secret, or somebody tries: the event `refused` tells more.',
    });
  }
  if (discovery.error !== undefined) {
    found.push({
      severity: 'warning',
      what: `the discovery ${discovery.name} fails: ${discovery.error}`,
      fix: 'Who was known before is kept; newcomers are not found.',
    });
  }
  if (transport === 'mesh' && view.nodes.length > meshNodesMax) {
    found.push({
      severity: 'warning',
      what: `${view.nodes.length} nodes keep a connection to each other`,
      fix: 'Use NATS beyond about 100 nodes.',
    });
  }
  return found;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
