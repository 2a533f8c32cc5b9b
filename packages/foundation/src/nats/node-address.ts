import { isClusterName, isNodeName } from '../cluster/names.ts';
import { clusterSubject, tokenOf } from './subjects.ts';

/** One life of a node, as it is reached over NATS. */
export interface NodeAddress {
  readonly cluster: string;
  readonly node: string;
  readonly incarnation: number;
}

/** Longest that an address can be: the longest names, and the largest incarnation. */
export const natsAddressCharsMax = 5 + 64 + 1 + 63 + 1 + 16;
const pattern = /^nats:([^/]+)\/([^/]+)\/(\d{1,16})$/;
const replyPattern = /^foundation\.[^.\s]+\.node\.[^.\s]+\.\d{1,16}\.[\w-]{16}$/;

/** `nats:shop/web-1/1795348482896` */
export function formatNatsAddress({ cluster, node, incarnation }: NodeAddress): string {
  return `nats:${cluster}/${node}/${incarnation}`;
}

/** Undefined for what is no such address. */
export function parseNatsAddress(text: string): NodeAddress | undefined {
  const [, cluster, node, digits] = pattern.exec(text) ?? [];
  if (cluster === undefined || node === undefined) return undefined;
  return nodeAddress({ cluster, node, incarnation: Number(digits) });
}

/** What somebody says of a node, if it can be so. */
export function nodeAddress(
  given: Partial<Record<keyof NodeAddress, unknown>>,
): NodeAddress | undefined {
  const { cluster, node, incarnation } = given;
  if (typeof cluster !== 'string' || !isClusterName(cluster)) return undefined;
  if (typeof node !== 'string' || !isNodeName(node)) return undefined;
  if (typeof incarnation !== 'number' || !Number.isSafeInteger(incarnation)) return undefined;
  return incarnation < 0 ? undefined : { cluster, node, incarnation };
}

/** All that is sent to this life of a node goes below this subject, one token deep. */
export function lifeSubject({ cluster, node, incarnation }: NodeAddress): string {
  return `${clusterSubject(cluster)}.node.${tokenOf(node)}.${incarnation}`;
}

/** Where a node is asked to open a session. */
export function doorSubject(address: NodeAddress): string {
  return `${lifeSubject(address)}.door`;
}

export function sessionSubject(address: NodeAddress, session: string): string {
  return `${lifeSubject(address)}.${session}`;
}

/** Whether a subject is one on which some node waits for an answer. */
export function isSessionSubject(subject: string): boolean {
  return replyPattern.test(subject);
}
