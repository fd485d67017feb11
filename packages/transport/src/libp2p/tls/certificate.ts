import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import { publicKeyFromProtobuf, publicKeyToProtobuf } from '@libp2p/crypto/keys';
import type { PeerId, PrivateKey } from '@libp2p/interface';
import { InvalidCryptoExchangeError, UnexpectedPeerError } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import type { Runtime } from '@mosaik/primitives';
import { type Element, element, elementsOf, explicitTag, sequence, Tag } from './der.ts';

/**
 * Certificates as libp2p wants them (specs/tls): self-signed by a key that is made for it, with an extension in which the
 * node's own key signs that key. Node makes and checks the certificate, and the node's key vouches for it.
 */

/** Object identifiers, as DER has them: 1.2.840.10045.4.3.2 and 1.3.6.1.4.1.53594.1.1. */
const ECDSA_WITH_SHA256 = Buffer.from('2a8648ce3d040302', 'hex');
const LIBP2P_EXTENSION = Buffer.from('2b0601040183a25a0101', 'hex');

/** What the node's key signs begins with this; the public key of the certificate follows. */
const SIGNED_PREFIX = Buffer.from('libp2p-tls-handshake:');

const HOUR_MS = 3_600_000;
const SERIAL_BYTES = 8;
const KEY_BYTES = 32;
/** Certificates are made anew by each process: what ends them is that its key is gone. */
const VALID_UNTIL = '99991231235959Z';

/** What a node shows of itself, in PEM and as OpenSSL takes them. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** A certificate for the key of a node, and the key that goes with it. Valid from an hour ago, as clocks differ. */
export async function makeCertificate(
  privateKey: PrivateKey,
  runtime: Pick<Runtime, 'wallNow' | 'randomBytes'>,
): Promise<Credentials> {
  const key = makeKey(runtime);
  const spki = createPublicKey(key).export({ type: 'spki', format: 'der' });
  const signature = await privateKey.sign(Buffer.concat([SIGNED_PREFIX, spki]));
  const signedKey = sequence(
    element(Tag.OctetString, publicKeyToProtobuf(privateKey.publicKey)),
    element(Tag.OctetString, signature),
  );
  const tbs = toBeSigned({
    spki,
    signedKey,
    serial: runtime.randomBytes(SERIAL_BYTES),
    nowMs: runtime.wallNow(),
  });
  return {
    cert: pem('CERTIFICATE', signed(tbs, key)),
    key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

/** Of P-256, which every implementation of libp2p takes. */
function makeKey({ randomBytes }: Pick<Runtime, 'randomBytes'>): KeyObject {
  const pair = createECDH('prime256v1');
  // One of 2^32 numbers is none of the curve: Node throws, and whoever dials tries again.
  pair.setPrivateKey(randomBytes(KEY_BYTES));
  const point = pair.getPublicKey();
  const [x, y] = [point.subarray(1, 1 + KEY_BYTES), point.subarray(1 + KEY_BYTES)];
  const jwk = { kty: 'EC', crv: 'P-256', d: base64(pair.getPrivateKey()), x: base64(x), y: base64(y) };
  return createPrivateKey({ key: jwk, format: 'jwk' });
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64url');
}

interface Contents {
  readonly spki: Uint8Array;
  readonly signedKey: Uint8Array;
  readonly serial: Uint8Array;
  readonly nowMs: number;
}

/** RFC 5280 §4.1.2. Issuer and subject are empty: the peer is who signed the key. */
function toBeSigned({ spki, signedKey, serial, nowMs }: Contents): Uint8Array {
  const extension = sequence(
    element(Tag.ObjectIdentifier, LIBP2P_EXTENSION),
    element(Tag.Boolean, Uint8Array.of(0xff)),
    element(Tag.OctetString, signedKey),
  );
  return sequence(
    element(explicitTag(0), element(Tag.Integer, Uint8Array.of(2))),
    // A number above 0 of as few bytes as it takes.
    element(Tag.Integer, Uint8Array.of(1), serial),
    algorithm(),
    sequence(),
    sequence(time(new Date(nowMs - HOUR_MS)), element(Tag.GeneralizedTime, Buffer.from(VALID_UNTIL))),
    sequence(),
    spki,
    element(explicitTag(3), sequence(extension)),
  );
}

function signed(tbs: Uint8Array, key: KeyObject): Uint8Array {
  const signature = sign('sha256', tbs, key);
  return sequence(tbs, algorithm(), element(Tag.BitString, Uint8Array.of(0), signature));
}

function algorithm(): Uint8Array {
  return sequence(element(Tag.ObjectIdentifier, ECDSA_WITH_SHA256));
}

/** RFC 5280 §4.1.2.5: with a year of two digits until 2049. */
function time(at: Date): Uint8Array {
  const text = at
    .toISOString()
    .replace(/\.\d+Z$/, 'Z')
    .replaceAll(/[-:T]/g, '');
  const isShort = at.getUTCFullYear() < 2050;
  return element(isShort ? Tag.UtcTime : Tag.GeneralizedTime, Buffer.from(isShort ? text.slice(2) : text));
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

/**
 * Whose certificate it is.
 *
 * @throws {InvalidCryptoExchangeError} when it is none of libp2p, not valid now, or not signed as it has to be.
 * @throws {UnexpectedPeerError} when it is another peer's than `expected`.
 */
export async function peerOfCertificate(
  der: Uint8Array,
  { expected, nowMs }: { readonly expected: PeerId | undefined; readonly nowMs: number },
): Promise<PeerId> {
  const peer = await readCertificate(der, nowMs);
  if (expected?.equals(peer) === false) throw new UnexpectedPeerError();
  return peer;
}

async function readCertificate(der: Uint8Array, nowMs: number): Promise<PeerId> {
  try {
    const certificate = new X509Certificate(der);
    if (nowMs < certificate.validFromDate.getTime()) throw new RangeError('it is not valid yet');
    if (nowMs > certificate.validToDate.getTime()) throw new RangeError('it has expired');
    if (!certificate.verify(certificate.publicKey)) throw new RangeError('it is not signed by its own key');
    // As OpenSSL has read it, so that the key that was vouched for is the one that the handshake was made with.
    const spki = certificate.publicKey.export({ type: 'spki', format: 'der' });
    return await peerThatSigned(extensionOf(certificate.raw), spki);
  } catch (cause) {
    const { message } = cause as Error;
    throw Object.assign(new InvalidCryptoExchangeError(`The certificate was refused: ${message}`), { cause });
  }
}

/** The content of libp2p's extension, of a certificate that Node could read. @throws {RangeError} when there is none. */
function extensionOf(der: Uint8Array): Uint8Array {
  const [certificate] = elementsOf(der);
  const [toBeSigned] = elementsOf(contentOf(certificate));
  const tagged = elementsOf(contentOf(toBeSigned)).find(({ tag }) => tag === explicitTag(3));
  const [extensions] = elementsOf(contentOf(tagged));
  const extension = elementsOf(contentOf(extensions))
    .map((each) => elementsOf(each.content))
    .find(([id]) => isLibp2p(id));
  return contentOf(extension?.at(-1));
}

/** @throws {RangeError} when there is no such element. */
function contentOf(given: Element | undefined): Uint8Array {
  if (given === undefined) throw new RangeError('it does not say whose it is');
  return given.content;
}

function isLibp2p(id: Element | undefined): boolean {
  return id?.tag === Tag.ObjectIdentifier && LIBP2P_EXTENSION.equals(id.content);
}

/** @throws {RangeError} when it did not sign, and what reading a key throws. */
async function peerThatSigned(extension: Uint8Array, spki: Uint8Array): Promise<PeerId> {
  const [signedKey] = elementsOf(extension);
  const [encodedKey, signature] = elementsOf(contentOf(signedKey));
  // In memory of its own: the key stays as long as the connection, the certificate need not.
  const key = publicKeyFromProtobuf(new Uint8Array(contentOf(encodedKey)));
  if (!(await key.verify(Buffer.concat([SIGNED_PREFIX, spki]), contentOf(signature)))) {
    throw new RangeError('the peer did not sign its key');
  }
  return peerIdFromPublicKey(key);
}
