/**
 * Subjects of a cluster on NATS. All begin with `foundation.<cluster>`, so that one rule gives a node what it needs.
 * Every name is one token: what has a meaning in subjects is written as `=` and two hexadecimal digits a byte.
 */
export function clusterSubject(cluster: string): string {
  return `foundation.${tokenOf(cluster)}`;
}

const plain = /^[A-Za-z0-9_/:-]+$/;

/** A name as one token of a subject. */
export function tokenOf(name: string): string {
  if (plain.test(name)) return name;
  if (name === '') return '=';
  return Array.from(Buffer.from(name), escaped).join('');
}

/** The name that a token stands for. */
export function nameOf(token: string): string {
  if (token === '=') return '';
  const bytes = token.replaceAll(/=([0-9A-F]{2})/g, (_, digits: string) =>
    String.fromCodePoint(Number.parseInt(digits, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString();
}

function escaped(byte: number): string {
  const character = String.fromCodePoint(byte);
  return plain.test(character) ? character : `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}
