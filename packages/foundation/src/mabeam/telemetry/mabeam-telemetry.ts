import type { Clock, Timer } from '../../clock.ts';
import { runForNobody } from '../../context/scope.ts';
import { FoundationError } from '../../errors.ts';
import { tell } from '../../events.ts';
import { keepNewest } from '../../keep-newest.ts';
import { checkNumber, refuseUnknown } from '../../options.ts';
import type { VariableResult, VariableStatus } from '../core/live-variable.ts';
import type { AgentId } from '../message.ts';
import type { Outcome } from '../outcome.ts';
import {
  type Alert,
  alertOn,
  type AlertRule,
  type AlertState,
  dueInMs,
  quiet,
} from './alert-state.ts';
import {
  anomaliesOf,
  type Point,
  Series,
  seriesStatistics,
  type SeriesStatistics,
} from './series.ts';
import { sessionFacts } from './session-facts.ts';
import {
  type AgentStatistics,
  noAgent,
  noProtocol,
  type ProtocolFacts,
  type Spread,
  wider,
  withOutcome,
  withSession,
} from './statistics.ts';

/** How the changes of an orchestration variable went, tried by this node. */
export interface VariableStatistics {
  readonly changes: Readonly<Partial<Record<VariableStatus, number>>>;
  readonly tookMs: Spread;
}

/** Of which time. */
export interface WindowOptions {
  /** Milliseconds back from now. @defaultValue all that is kept */
  readonly windowMs?: number;
}

/** What is kept: an hour, at most so many numbers of a metric, and so many metrics and agents; the oldest go first. */
export const telemetryLimits = {
  keptMs: 3_600_000,
  pointsMax: 10_000,
  metricsMax: 1_000,
  agentsMax: 100_000,
  variablesMax: 10_000,
} as const;

/**
 * `node.mabeam.telemetry`: what the sessions and orchestration variables of this node came to, by agent, protocol and
 * variable, and metrics of one's own. Each session also gives the metrics `session.PROTOCOL.tookMs` and
 * `session.PROTOCOL.silent` (the part of the requests without an answer), each change of a variable `variable.ID.tookMs`.
 */
export class MabeamTelemetry {
  readonly #clock: Clock;
  readonly #agents = new Map<AgentId, AgentStatistics>();
  readonly #protocols = new Map<string, ProtocolFacts>();
  readonly #variables = new Map<string, VariableStatistics>();
  readonly #metrics = new Map<string, Series>();
  readonly #rules = new Map<string, KnownRule>();
  readonly #listeners = new Set<(alert: Alert) => void>();
  #isStopped = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What an agent did in the sessions that this node has coordinated. */
  agent(id: AgentId): AgentStatistics {
    return this.#agents.get(id) ?? noAgent;
  }

  agents(): ReadonlyMap<AgentId, AgentStatistics> {
    return new Map(this.#agents);
  }

  /** By name of the protocol. */
  protocols(): ReadonlyMap<string, ProtocolFacts> {
    return new Map(this.#protocols);
  }

  /** By id of the orchestration variable. */
  variables(): ReadonlyMap<string, VariableStatistics> {
    return new Map(this.#variables);
  }

  /** Names of the metrics that have numbers. */
  metrics(): readonly string[] {
    return [...this.#metrics.keys()];
  }

  /**
   * Takes down a number.
   *
   * @throws FoundationError `INVALID_OPTION` for what is no finite number
   */
  record(metric: string, value: number): void {
    checkNumber('telemetry.record', { [metric]: value }, {});
    const series = this.#metrics.get(metric) ?? new Series(telemetryLimits);
    // Those that are used go last.
    this.#metrics.delete(metric);
    this.#metrics.set(metric, series);
    keepNewest(this.#metrics, telemetryLimits.metricsMax);
    series.add({ at: this.#clock.now(), value });
    for (const known of this.#rules.values()) {
      if (known.rule.metric === metric) this.#look(known, value);
    }
  }

  /** Undefined when there is no number in the window. @throws FoundationError `INVALID_OPTION` */
  statistics(metric: string, options: WindowOptions = {}): SeriesStatistics | undefined {
    return seriesStatistics(this.#points(metric, options));
  }

  /**
   * Numbers that were far from those before them.
   *
   * @param options - `sigmas`: how many standard deviations away. @defaultValue 3
   * @throws FoundationError `INVALID_OPTION`
   */
  anomalies(
    metric: string,
    options: WindowOptions & { readonly sigmas?: number } = {},
  ): readonly Point[] {
    const { sigmas = 3, ...window } = options;
    checkNumber('telemetry.anomalies', { sigmas }, { above: 0 });
    return anomaliesOf(this.#points(metric, window), sigmas);
  }

  /**
   * Sets a rule, or another one of its name. Whoever listens is told once when it is broken, and once when that is over.
   * With `forMs` the last number holds until the next one: when the time is over it is told without another number.
   *
   * @throws FoundationError `INVALID_OPTION`
   */
  alert(rule: AlertRule): void {
    checkRule(rule);
    this.removeAlert(rule.name);
    this.#rules.set(rule.name, { rule, state: quiet, value: Number.NaN });
  }

  /** Takes a rule away; an alert of it is over. Returns whether there was one. */
  removeAlert(name: string): boolean {
    const known = this.#rules.get(name);
    known?.due?.cancel();
    if (known?.state.isRaised === true) this.#tell(known, 'resolved');
    return this.#rules.delete(name);
  }

  /** Names of the rules that are broken now. */
  raised(): readonly string[] {
    return [...this.#rules.values()].flatMap(({ rule, state }) =>
      state.isRaised ? [rule.name] : [],
    );
  }

  onAlert(listener: (alert: Alert) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** From now on no alert is told of its own accord. */
  stop(): void {
    this.#isStopped = true;
    for (const { due } of this.#rules.values()) due?.cancel();
  }

  /** Counts a session that has ended. */
  session(outcome: Outcome<unknown>): void {
    const facts = sessionFacts(outcome);
    const { protocol, participation, tookMs } = facts;
    const before = this.#protocols.get(protocol) ?? noProtocol;
    this.#protocols.set(protocol, withOutcome(before, facts));
    for (const [id, own] of facts.agents) {
      const known = this.#agents.get(id) ?? noAgent;
      this.#agents.delete(id);
      this.#agents.set(id, withSession(known, own, protocol));
      keepNewest(this.#agents, telemetryLimits.agentsMax);
    }
    this.record(`session.${protocol}.tookMs`, tookMs);
    const { asked, silent } = participation;
    this.record(`session.${protocol}.silent`, asked === 0 ? 0 : silent / asked);
  }

  /** Counts a change of a variable that this node has tried. */
  variable({ id, status, tookMs }: VariableResult): void {
    const { changes, tookMs: took } = this.#variables.get(id) ?? {
      changes: {},
      tookMs: { count: 0, sum: 0, max: 0 },
    };
    this.#variables.delete(id);
    this.#variables.set(id, {
      changes: { ...changes, [status]: (changes[status] ?? 0) + 1 },
      tookMs: wider(took, tookMs),
    });
    keepNewest(this.#variables, telemetryLimits.variablesMax);
    this.record(`variable.${id}.tookMs`, tookMs);
  }

  #points(metric: string, options: WindowOptions): readonly Point[] {
    refuseUnknown('telemetry', options, ['windowMs']);
    const { windowMs = telemetryLimits.keptMs } = options;
    checkNumber('telemetry', { windowMs }, { above: 0 });
    return this.#metrics.get(metric)?.since(this.#clock.now() - windowMs) ?? [];
  }

  #look(known: KnownRule, value: number): void {
    const { rule, state: before } = known;
    const nowMs = this.#clock.now();
    const { state, tell: kind } = alertOn(before, rule, { value, nowMs });
    [known.state, known.value] = [state, value];
    this.#await(known, dueInMs(state, rule, nowMs));
    if (kind !== undefined) this.#tell(known, kind);
  }

  /** Looks again when a limit that is broken now will have been so for long enough. */
  #await(known: KnownRule, delayMs: number | undefined): void {
    if (delayMs === undefined || this.#isStopped) {
      known.due?.cancel();
      known.due = undefined;
      return;
    }
    const look = (): void => {
      known.due = undefined;
      this.#look(known, known.value);
    };
    known.due ??= this.#clock.after(delayMs, () => runForNobody(look), 'background');
  }

  #tell({ rule: { name, metric }, value }: KnownRule, kind: Alert['kind']): void {
    const alert = { name, metric, kind, value, at: this.#clock.wallNow() };
    for (const listener of this.#listeners) tell(listener, alert);
  }
}

/** A rule, how it stands, and the number that it looked at last. */
interface KnownRule {
  readonly rule: AlertRule;
  state: AlertState;
  value: number;
  /** Runs while it has been broken, and not for long enough yet. */
  due?: Timer | undefined;
}

function checkRule(rule: AlertRule): void {
  refuseUnknown('telemetry.alert', rule, ['name', 'metric', 'above', 'below', 'forMs', 'until']);
  const { name, metric, above, below, forMs = 0, until = 0 } = rule;
  if (typeof name !== 'string' || typeof metric !== 'string') {
    throw new FoundationError('INVALID_OPTION', 'an alert needs a `name` and a `metric`');
  }
  if ((above === undefined) === (below === undefined)) {
    throw new FoundationError('INVALID_OPTION', `alert "${name}" needs \`above\` or \`below\``, {
      hint: 'Give one of both; for both make two alerts.',
    });
  }
  checkNumber('telemetry.alert', { limit: above ?? below, until }, {});
  checkNumber('telemetry.alert', { forMs }, { min: 0 });
}
