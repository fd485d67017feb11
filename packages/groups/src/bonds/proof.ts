import { type GroupId, idToBytes, type PeerId } from '@mosaik/primitives';
import { blake3 } from '@noble/hashes/blake3.js';
import { concatBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import type { GroupKey } from './key.ts';

export const NONCE_BYTES = 32;
export const PROOF_BYTES = 32;

const CONTEXT = utf8ToBytes('mosaik bond proof 1\n');
const DIALLER = Uint8Array.of(0);
const ACCEPTOR = Uint8Array.of(1);

/** Who of the two a side of a link is: a proof of one role is none of the other, so it cannot be sent back. */
export type BondRole = 'dialler' | 'acceptor';

/** What both sides of a link know once they have greeted each other. */
export interface Greeting {
  readonly dialler: PeerId;
  readonly acceptor: PeerId;
  /** Drawn anew by each side for each link: a proof is worth nothing on another one. */
  readonly diallerNonce: Uint8Array;
  readonly acceptorNonce: Uint8Array;
}

/** The key that proofs of a group are made with. */
export function proofKeyOf(key: GroupKey): Uint8Array {
  return idToBytes(key.derive('bond proof'));
}

/** What a side shows to prove that it has the key of a group: keyed BLAKE3, 32 bytes. The key itself never travels. */
export function proofOf(
  proofKey: Uint8Array,
  group: GroupId,
  greeting: Greeting,
  role: BondRole,
): Uint8Array {
  const { dialler, acceptor, diallerNonce, acceptorNonce } = greeting;
  const statement = concatBytes(
    CONTEXT,
    idToBytes(group),
    idToBytes(dialler),
    idToBytes(acceptor),
    diallerNonce,
    acceptorNonce,
    role === 'dialler' ? DIALLER : ACCEPTOR,
  );
  return blake3(statement, { key: proofKey });
}

/** Whether two secrets are the same, in a time that depends on their lengths alone. */
export function isSameSecret(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let index = 0; index < a.length; index++) difference |= (a[index] as number) ^ (b[index] as number);
  return difference === 0;
}
