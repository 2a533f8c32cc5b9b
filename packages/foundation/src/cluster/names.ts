const nodePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/;
const clusterPattern = /^[a-z0-9][a-z0-9._-]{0,63}$/;
const uriPattern = /^spiffe:\/\/([^/]*)\/([^/]*)$/;

/** Whether a value can name a node: safe in a URI, in a file's name and in a log. */
export function isNodeName(value: unknown): boolean {
  return typeof value === 'string' && nodePattern.test(value);
}

/** Whether a value can name a cluster. */
export function isClusterName(value: unknown): boolean {
  return typeof value === 'string' && clusterPattern.test(value);
}

/** A node as its certificate names it: a SPIFFE ID whose trust domain is the cluster. */
export function nodeUri({ cluster, node }: NodeName): string {
  return `spiffe://${cluster}/${node}`;
}

/** The node that a certificate's URI names, or undefined when it names none. */
export function parseNodeUri(uri: string): NodeName | undefined {
  const [, cluster = '', node = ''] = uriPattern.exec(uri) ?? [];
  return isClusterName(cluster) && isNodeName(node) ? { cluster, node } : undefined;
}

export interface NodeName {
  readonly cluster: string;
  readonly node: string;
}
