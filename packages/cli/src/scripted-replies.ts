import { messageOf } from '@foundation/core';
import {
  builtInProtocols,
  readyReplies,
  requestTypes,
  type AnyProtocol,
  type CoordinationRequest,
  type Parsed,
} from '@foundation/core/mabeam';

import { type Complain, isObject, meant, type Place, shown } from './place.ts';

const conditions = ['silent', 'garbage', 'dead'] as const;

/** What a scripted participant does. */
export type Conduct = (typeof conditions)[number] | Replies;

/** By type of the request. `nth`: which request of that type it is, from 0. Undefined: it has no answer. */
export type Replies = ReadonlyMap<string, (request: CoordinationRequest, nth: number) => unknown>;

/** What participants are asked, and what is no answer to it. */
export interface Questions {
  readonly protocol: AnyProtocol;
  /** Types of the requests; undefined for a protocol that did not come with Foundation. */
  readonly types: readonly string[] | undefined;
}

/** What is asked in a session with this spec. */
export function questionsOf(protocol: AnyProtocol, spec: unknown): Questions {
  const isBuiltIn = builtInProtocols.includes(protocol);
  return { protocol, types: isBuiltIn ? requestTypes(protocol.name, spec) : undefined };
}

/** @param questions - Undefined when the protocol is not known: then nothing is compared with what it asks. */
// oxlint-disable-next-line max-params -- what, for which protocol, to whom
export function parseConduct(
  { where, value }: Place,
  questions: Questions | undefined,
  complain: Complain,
): Conduct {
  const condition = conditions.find((each) => each === value);
  if (condition !== undefined) return condition;
  if (!isObject(value)) {
    const expected = `expected replies by type of request, or one of ${conditions.join(', ')}`;
    complain(where, `${expected}, got ${shown(value)}${meant(value, conditions)}`);
    return 'silent';
  }
  const replies = Object.entries(value).map(([type, reply]) => {
    const asked = askedAs({ where, value: type }, questions, complain);
    const read = (place: string, one: unknown): Reply =>
      parseReply({ where: place, value: one }, asked, complain);
    return [
      type,
      Array.isArray(reply)
        ? byRound(reply.map((one: unknown, at) => read(`${where}.${type}[${at}]`, one)))
        : read(`${where}.${type}`, reply),
    ] as const;
  });
  return new Map(replies);
}

type Reply = (request: CoordinationRequest) => unknown;

function byRound(
  replies: readonly Reply[],
): (request: CoordinationRequest, nth: number) => unknown {
  return (request, nth) => replies[nth]?.(request);
}

/** A type of request that really comes up. */
interface AskedType {
  readonly type: string;
  readonly protocol: AnyProtocol;
}

// oxlint-disable-next-line max-params -- which type, for which protocol, to whom
function askedAs(
  { where, value: type }: Place & { readonly value: string },
  questions: Questions | undefined,
  complain: Complain,
): AskedType | undefined {
  if (questions === undefined) return undefined;
  const { protocol, types } = questions;
  if (types === undefined || types.includes(type)) return { type, protocol };
  const isOther = requestTypes(protocol.name, undefined)?.includes(type) === true;
  const never = `${protocol.name} never asks ${shown(type)}${isOther ? ' with this spec' : ''}`;
  complain(where, `${never}${meant(type, types)}; it asks: ${types.join(', ')}`);
  return undefined;
}

/** One body, or a ready participant. */
// oxlint-disable-next-line max-params -- what, to which request, to whom
function parseReply(
  { where, value }: Place,
  asked: AskedType | undefined,
  complain: Complain,
): Reply {
  const [name = '', ...others] = isObject(value) ? Object.keys(value) : [];
  const ready =
    others.length === 0 && Object.hasOwn(readyReplies, name) ? readyReplies[name] : undefined;
  if (ready === undefined) {
    if (asked !== undefined) checkBody({ where, value }, asked, complain);
    return () => value;
  }
  if (asked !== undefined && !ready.answers.includes(asked.type)) {
    complain(where, `${shown(name)} does not answer ${asked.type}${readyFor(asked.type)}`);
  }
  try {
    return ready(Object(value)[name]);
  } catch (error) {
    complain(`${where}.${name}`, messageOf(error));
    return () => undefined;
  }
}

/** A body that its protocol does not take is a mistake of the file: who wants one has `garbage`. */
// oxlint-disable-next-line max-params -- what, to which request, to whom
function checkBody(
  { where, value }: Place,
  { protocol, type }: AskedType,
  complain: Complain,
): void {
  if (value === null || (isObject(value) && typeof value['decline'] === 'string')) return;
  const read = readBy(protocol, type, value);
  if (read.ok) return;
  const [name = '', ...others] = isObject(value) ? Object.keys(value) : [];
  const isCalled = name !== '' && others.length === 0;
  const names = readyNames(type);
  complain(where, `${read.reason}${isCalled ? meant(name, names) || readyFor(type) : ''}`);
}

/** A protocol of somebody's own may throw: the engine takes that for a reply it does not understand. */
// oxlint-disable-next-line max-params -- by whom, to which question, what
function readBy(protocol: AnyProtocol, type: string, body: unknown): Parsed<unknown> {
  try {
    return protocol.parseReply(type, body);
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

function readyNames(type: string): readonly string[] {
  return Object.entries(readyReplies).flatMap(([name, { answers }]) =>
    answers.includes(type) ? [name] : [],
  );
}

/** Which ready participants there are, as the end of a sentence. */
function readyFor(type: string): string {
  const names = readyNames(type);
  return names.length === 0 ? '' : `; ready participants for it: ${names.join(', ')}`;
}
