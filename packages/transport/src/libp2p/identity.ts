import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { privateKeyFromRaw, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PeerId as Libp2pPeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { idFromBytes, idToBytes, invariant, type PeerId } from '@mosaik/primitives';
import { type SecretKey, secretKey } from '../secret-key.ts';

/** What comes before the seed of an Ed25519 key in PKCS #8 (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');
const PUBLIC_KEY_BYTES = 32;

/** A node's key pair, and the id that follows from it. */
export interface Identity {
  readonly peerId: PeerId;
  readonly privateKey: Ed25519PrivateKey;
  sign(data: Uint8Array): Uint8Array;
}

/**
 * The identity of a secret key (RFC 8032: the public key of its Ed25519 seed). By OpenSSL: deriving it in JavaScript took 31 ms,
 * a sixth of the start of a node, and a signature takes a third of the time with a key that is kept.
 */
export async function identityOf(secret: SecretKey | Uint8Array | string): Promise<Identity> {
  const seed = secretKey(secret).toBytes();
  const key = createPrivateKey({ key: pkcs8Of(seed), format: 'der', type: 'pkcs8' });
  const publicKey = rawPublicKey(key);
  const privateKey = privateKeyFromRaw(Buffer.concat([seed, publicKey]));
  invariant(privateKey.type === 'Ed25519', 'a seed and a public key of 32 bytes each are an Ed25519 key');
  return { privateKey, peerId: idFromBytes<PeerId>(publicKey), sign: (data) => sign(null, data, key) };
}

function pkcs8Of(seed: Uint8Array): Buffer {
  return Buffer.concat([PKCS8_HEAD, seed]);
}

/** It is the end of what OpenSSL exports (RFC 8410 §4). */
function rawPublicKey(key: KeyObject): Uint8Array {
  const exported = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return new Uint8Array(exported.subarray(-PUBLIC_KEY_BYTES));
}

/** Our id of a libp2p peer; undefined for a key that is not Ed25519, which no mosaik node has. */
export function fromLibp2pPeerId(peer: Libp2pPeerId): PeerId | undefined {
  return peer.type === 'Ed25519' ? idFromBytes<PeerId>(peer.publicKey.raw) : undefined;
}

/** libp2p's id of a peer. */
export function toLibp2pPeerId(peer: PeerId): Libp2pPeerId {
  return peerIdFromPublicKey(publicKeyFromRaw(idToBytes(peer)));
}

/** Whether `signature` is the peer's over `data`; false, too, when the id is no key or the signature no signature. */
export async function verifySignature(
  peer: PeerId,
  data: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  try {
    return await publicKeyFromRaw(idToBytes(peer)).verify(data, signature);
  } catch {
    return false;
  }
}
