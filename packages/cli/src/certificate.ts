import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  randomBytes,
  sign,
  X509Certificate,
  type KeyObject,
} from 'node:crypto';

import { AsnConvert, OctetString } from '@peculiar/asn1-schema';
import * as asn1 from '@peculiar/asn1-x509';

/** A certificate and its private key, as PEM. */
export interface KeyPair {
  readonly cert: string;
  readonly key: string;
}

/** When a certificate holds. */
export interface Lifetime {
  readonly days: number;
  /** @defaultValue five minutes ago, for clocks that are behind */
  readonly from?: Date;
}

/** What a certificate says. */
interface Statement {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly lifetime: Lifetime;
  readonly extensions: readonly asn1.Extension[];
}

const dayMs = 86_400_000;
const skewMs = 300_000;
/** ECDSA with SHA-256 (RFC 5758, 3.2); all keys are of the curve P-256. */
const signatureAlgorithm = new asn1.AlgorithmIdentifier({ algorithm: '1.2.840.10045.4.3.2' });
const commonName = '2.5.4.3';
const commonNameCharsMax = 64;
const authorityUri = /^URI:spiffe:\/\/([^/,]+)$/;

/** A new authority, which signs the certificates of a cluster's nodes. */
export function newAuthority(cluster: string, lifetime: Lifetime): KeyPair {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const subject = `authority of ${cluster}`;
  const extensions = [
    critical(
      asn1.id_ce_basicConstraints,
      new asn1.BasicConstraints({ cA: true, pathLenConstraint: 0 }),
    ),
    usage(asn1.KeyUsageFlags.keyCertSign | asn1.KeyUsageFlags.cRLSign),
    alternativeNames([{ uri: `spiffe://${cluster}` }]),
    ownKeyId(publicKey),
  ];
  const statement = { subject, publicKey, lifetime, extensions };
  return { cert: signed(statement, nameOf(subject), privateKey), key: pemOf(privateKey) };
}

/** The cluster that an authority of {@link newAuthority} signs for. */
export function authorityOf(cert: string): string | undefined {
  return authorityUri.exec(new X509Certificate(cert).subjectAltName ?? '')?.[1];
}

/** A certificate whose one URI name is `uri`, signed by `authority`, for both ends of a TLS connection. */
export function issueCertificate(authority: KeyPair, uri: string, lifetime: Lifetime): KeyPair {
  return issue(authority, { subject: uri, names: [{ uri }], ends: ['server', 'client'], lifetime });
}

/** What a certificate is asked for. */
export interface Wanted {
  readonly subject: string;
  readonly names: readonly ({ readonly uri: string } | { readonly dns: string })[];
  readonly ends: readonly ('server' | 'client')[];
  readonly lifetime: Lifetime;
}

const purposes = { server: asn1.id_kp_serverAuth, client: asn1.id_kp_clientAuth } as const;

/** A certificate for whatever is wanted, signed by `authority`. */
export function issue(authority: KeyPair, wanted: Wanted): KeyPair {
  const { subject, names, ends, lifetime } = wanted;
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const issuer = AsnConvert.parse(new X509Certificate(authority.cert).raw, asn1.Certificate);
  const extensions = [
    critical(asn1.id_ce_basicConstraints, new asn1.BasicConstraints({ cA: false })),
    usage(asn1.KeyUsageFlags.digitalSignature),
    extension(asn1.id_ce_extKeyUsage, new asn1.ExtendedKeyUsage(ends.map((end) => purposes[end]))),
    ...(names.length === 0 ? [] : [alternativeNames(names)]),
    ownKeyId(publicKey),
    issuersKeyId(createPublicKey(authority.cert)),
  ];
  const statement = { subject, publicKey, lifetime, extensions };
  const signer = createPrivateKey(authority.key);
  return { cert: signed(statement, issuer.tbsCertificate.subject, signer), key: pemOf(privateKey) };
}

function signed(statement: Statement, issuer: asn1.Name, signer: KeyObject): string {
  const { subject, publicKey, lifetime, extensions } = statement;
  const { days, from = new Date(Date.now() - skewMs) } = lifetime;
  const validity = { notBefore: from, notAfter: new Date(from.getTime() + days * dayMs) };
  const tbsCertificate = new asn1.TBSCertificate({
    version: asn1.Version.v3,
    serialNumber: serialNumber(),
    signature: signatureAlgorithm,
    issuer,
    validity: new asn1.Validity(validity),
    subject: nameOf(subject),
    subjectPublicKeyInfo: AsnConvert.parse(spkiOf(publicKey), asn1.SubjectPublicKeyInfo),
    extensions: new asn1.Extensions([...extensions]),
  });
  const said = Buffer.from(AsnConvert.serialize(tbsCertificate));
  const signatureValue = arrayBuffer(sign('sha256', said, signer));
  const certificate = new asn1.Certificate({ tbsCertificate, signatureAlgorithm, signatureValue });
  return new X509Certificate(Buffer.from(AsnConvert.serialize(certificate))).toString();
}

/** 127 random bits; the first bit is 0, so that it is a positive number (RFC 5280, 4.1.2.2). */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return arrayBuffer(bytes);
}

function nameOf(text: string): asn1.Name {
  const value = new asn1.AttributeValue({ utf8String: text.slice(0, commonNameCharsMax) });
  const attribute = new asn1.AttributeTypeAndValue({ type: commonName, value });
  return new asn1.Name([new asn1.RelativeDistinguishedName([attribute])]);
}

function critical(extnID: string, value: unknown): asn1.Extension {
  return new asn1.Extension({ extnID, critical: true, extnValue: encoded(value) });
}

function extension(extnID: string, value: unknown): asn1.Extension {
  return new asn1.Extension({ extnID, extnValue: encoded(value) });
}

function usage(flags: number): asn1.Extension {
  return critical(asn1.id_ce_keyUsage, new asn1.KeyUsage(flags));
}

function alternativeNames(names: Wanted['names']): asn1.Extension {
  const general = names.map((name) =>
    'uri' in name
      ? new asn1.GeneralName({ uniformResourceIdentifier: name.uri })
      : new asn1.GeneralName({ dNSName: name.dns }),
  );
  return extension(asn1.id_ce_subjectAltName, new asn1.SubjectAlternativeName(general));
}

function ownKeyId(key: KeyObject): asn1.Extension {
  return extension(asn1.id_ce_subjectKeyIdentifier, new asn1.SubjectKeyIdentifier(keyId(key)));
}

function issuersKeyId(key: KeyObject): asn1.Extension {
  const keyIdentifier = new asn1.KeyIdentifier(keyId(key));
  return extension(
    asn1.id_ce_authorityKeyIdentifier,
    new asn1.AuthorityKeyIdentifier({ keyIdentifier }),
  );
}

/** Leftmost 160 bits of the key's SHA-256 (RFC 7093, 2). */
function keyId(key: KeyObject): ArrayBuffer {
  return arrayBuffer(hash('sha256', spkiOf(key), 'buffer').subarray(0, 20));
}

function encoded(value: unknown): OctetString {
  return new OctetString(AsnConvert.serialize(value));
}

function spkiOf(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

function pemOf(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}

function arrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
