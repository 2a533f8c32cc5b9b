import { type Sat, type Scripted, sit, type Sitting } from '@foundation/testing';
import fc from 'fast-check';

import type { AgentId, CoordinationRequest } from '../src/mabeam/message.ts';
import type { AnyProtocol } from '../src/mabeam/protocol.ts';
import { readyReplies } from '../src/mabeam/protocols/dcop-ready.ts';
import type { DcopProblem } from '../src/mabeam/protocols/dcop/dcop-problem.ts';
import type { SessionOptions } from '../src/mabeam/session-options.ts';

/** Costs of constraints that only agents know. */
type Costs = Readonly<Record<string, readonly number[]>>;

/** Does its part, given the costs that it knows. */
export const honest: (costs: Costs) => (request: CoordinationRequest) => unknown =
  readyReplies['dcop'] ?? (() => () => undefined);

/** What is otherwise than that every agent does its part. */
export interface Holding {
  readonly troubles?: Readonly<
    Record<AgentId, Scripted | ((request: CoordinationRequest) => Scripted)>
  >;
  readonly costs?: Costs;
  readonly options?: Partial<SessionOptions>;
}

/** Has the owners of its variables solve a problem. */
export function holdDcop<Out>(
  protocol: AnyProtocol<Out>,
  spec: DcopProblem,
  { troubles = {}, costs = {}, options = {} }: Holding = {},
): Promise<Sat<Out>> {
  const answer = honest(costs);
  return sit(protocol, {
    spec,
    roster: [...new Set(spec.variables.map(({ owner }) => owner))],
    options: { deadlineMs: 1_000_000, ...options },
    answer(request) {
      const trouble = troubles[request.to];
      if (trouble === undefined) return { body: answer(request) };
      return typeof trouble === 'function' ? trouble(request) : trouble;
    },
  });
}

/** Sessions about variables of two values, for the laws. Somebody in the roster owns nothing. */
export function dcopSittings(size: {
  readonly variables: number;
  readonly links: number;
  /** What the spec says besides. */
  readonly terms?: object;
}): fc.Arbitrary<Sitting> {
  const cells = 4 * size.links;
  const places = Array.from({ length: size.variables }, (_, at) => at);
  const last = size.variables - 1;
  return fc
    .record({
      links: fc.array(fc.tuple(fc.nat(last), fc.nat(last)), { maxLength: size.links }),
      costs: fc.array(fc.integer({ min: -5, max: 5 }), { minLength: cells, maxLength: cells }),
      owners: fc.integer({ min: 1, max: size.variables }),
    })
    .map(({ links, costs, owners }): Sitting => {
      const variables = places.map((at) => {
        return { name: `x${at}`, owner: `a${at % owners}`, values: ['0', '1'] };
      });
      const constraints = links
        .filter(([left, right]) => left !== right)
        .map(([left, right], at) => {
          const table = costs.slice(4 * at, 4 * at + 4);
          return { name: `c${at}`, over: [`x${left}`, `x${right}`], costs: table };
        });
      const answer = honest({});
      return {
        spec: { problem: 'p', variables, constraints, answerMs: 200, ...size.terms },
        roster: [...new Set(variables.map(({ owner }) => owner)), 'idle'],
        answer: (request) => ({ body: answer(request) }),
      };
    });
}
