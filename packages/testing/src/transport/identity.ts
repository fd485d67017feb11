import { deriveId, idToBytes, type PeerId, type UniqueId } from '@mosaik/primitives';
import { type SecretKey, secretKey } from '@mosaik/transport';

const SIGNATURE_BYTES = 64;
const LANES = 4;
/** Odd, so that a step is a bijection: data that differ in one place never have a lane in common. */
const MULTIPLIERS = [0x9e37_79b1, 0x85eb_ca77, 0xc2b2_ae3d, 0x27d4_eb2f] as const;

/**
 * Identities of the simulation. They stand for Ed25519, whose price (about a millisecond to sign in plain JavaScript) a
 * thousand nodes in one process cannot pay: each of their million entries is checked once. They keep what the layers
 * above build on, within one world:
 *
 * - a peer id is 32 bytes that follow from the secret key, one-way;
 * - a signature is 64 bytes that follow from a secret of the world, the peer id and all of the data; a change of any of
 *   them makes it wrong;
 * - nobody else can sign for a peer, because the secret is in no API: a transport signs as itself only.
 *
 * They are not Ed25519: a peer id is no public key, a signature of one world or of a real node never verifies here, and
 * the hash is a fast one, which mathematics could forge and the code under test does not try to.
 */
export class SimIdentities {
  readonly #seeds: Uint32Array;

  constructor(worldSecret: UniqueId) {
    const secret = idToBytes(worldSecret);
    this.#seeds = Uint32Array.from({ length: LANES }, (_, lane) => wordAt(secret, 4 * lane));
  }

  /** The id of whoever holds this key. */
  peerIdOf(key: SecretKey | Uint8Array | string): PeerId {
    return deriveId<PeerId>(secretKey(key).toHex() as UniqueId, 'simulated peer id');
  }

  sign(peer: PeerId, data: Uint8Array): Uint8Array {
    const lanes = this.#seeds.slice();
    for (let index = 0; index < peer.length; index++) stir(lanes, peer.charCodeAt(index));
    stir(lanes, data.length);
    for (let offset = 0; offset < data.length; offset += 4) stir(lanes, wordAt(data, offset));
    return expanded(lanes);
  }

  verify(peer: PeerId, data: Uint8Array, signature: Uint8Array): boolean {
    const expected = this.sign(peer, data);
    return signature.length === expected.length && expected.every((byte, index) => byte === signature[index]);
  }
}

/** Four bytes, little-endian, whatever the platform; zeros after the end. */
function wordAt(data: Uint8Array, offset: number): number {
  const byte = (index: number): number => data[offset + index] ?? 0;
  return byte(0) | (byte(1) << 8) | (byte(2) << 16) | (byte(3) << 24);
}

/** Takes a word into each lane. */
function stir(lanes: Uint32Array, word: number): void {
  for (let lane = 0; lane < LANES; lane++) {
    const mixed = Math.imul((lanes[lane] as number) ^ word, MULTIPLIERS[lane] as number);
    lanes[lane] = (mixed << 13) | (mixed >>> 19);
  }
}

/** A signature from the lanes: each word depends on two of them (finalizer of MurmurHash3, by A. Appleby). */
function expanded(lanes: Uint32Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(SIGNATURE_BYTES));
  for (let word = 0; word < SIGNATURE_BYTES / 4; word++) {
    const near = lanes[word % LANES] as number;
    const far = lanes[(word + 1 + (word >>> 2)) % LANES] as number;
    let hash = near ^ Math.imul(far + word, MULTIPLIERS[0]);
    hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
    view.setUint32(4 * word, hash ^ (hash >>> 16));
  }
  return new Uint8Array(view.buffer);
}
