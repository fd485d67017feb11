import { generateKeyPairFromSeed, publicKeyFromRaw } from '@libp2p/crypto/keys';
import type { Ed25519PrivateKey, PeerId as Libp2pPeerId } from '@libp2p/interface';
import { peerIdFromPublicKey } from '@libp2p/peer-id';
import { idFromBytes, idToBytes, type PeerId } from '@mosaik/primitives';
import { type SecretKey, secretKey } from '../secret-key.ts';

/** A node's key pair, and the id that follows from it. */
export interface Identity {
  readonly peerId: PeerId;
  readonly privateKey: Ed25519PrivateKey;
}

/** The identity of a secret key (RFC 8032: the public key of its Ed25519 seed). */
export async function identityOf(secret: SecretKey | Uint8Array | string): Promise<Identity> {
  const privateKey = await generateKeyPairFromSeed('Ed25519', secretKey(secret).toBytes());
  return { privateKey, peerId: idFromBytes<PeerId>(privateKey.publicKey.raw) };
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
