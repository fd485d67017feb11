import { deriveId, idToBytes, type PeerId, type UniqueId } from '@mosaik/primitives';
import { type SecretKey, secretKey } from '@mosaik/transport';

/**
 * Identities of the simulation. They stand for Ed25519, whose price (about a millisecond to sign in plain JavaScript) a
 * thousand nodes in one process cannot pay. They keep what the layers above build on, within one world:
 *
 * - a peer id is 32 bytes that follow from the secret key, one-way;
 * - a signature is 64 bytes: BLAKE3, keyed by a secret of the world, over (peer id, data);
 * - nobody else can sign for a peer, because the secret is in no API: a transport signs as itself only.
 *
 * They are not Ed25519: a peer id is no public key, and a signature of one world or of a real node never verifies here.
 */
export class SimIdentities {
  readonly #worldSecret: UniqueId;

  constructor(worldSecret: UniqueId) {
    this.#worldSecret = worldSecret;
  }

  /** The id of whoever holds this key. */
  peerIdOf(key: SecretKey | Uint8Array | string): PeerId {
    return deriveId<PeerId>(secretKey(key).toHex() as UniqueId, 'simulated peer id');
  }

  sign(peer: PeerId, data: Uint8Array): Uint8Array {
    const first = deriveId(this.#worldSecret, 'signature', peer, data);
    const signature = new Uint8Array(64);
    signature.set(idToBytes(first), 0);
    signature.set(idToBytes(deriveId(first, 'second half')), 32);
    return signature;
  }

  verify(peer: PeerId, data: Uint8Array, signature: Uint8Array): boolean {
    const expected = this.sign(peer, data);
    return signature.length === expected.length && expected.every((byte, index) => byte === signature[index]);
  }
}
