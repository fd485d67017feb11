import { DecodeError, invariant, type PeerId, type Runtime } from '@mosaik/primitives';
import type { BondedGroup } from './bond.ts';
import { type BondMessage, TOKEN_BYTES } from './codec.ts';
import { type BondRole, type Greeting, isSameSecret, NONCE_BYTES, proofOf } from './proof.ts';

type Hello = BondMessage & { readonly kind: 'hello' };

interface HandshakeOptions {
  readonly runtime: Runtime;
  readonly self: PeerId;
  readonly peer: PeerId;
  readonly role: BondRole;
  /** Of this process. */
  readonly instance: Uint8Array;
}

/** What the two sides of one link say to each other first, and the proofs that follow from it. */
export class Handshake {
  /** What this side begins with. */
  readonly hello: Hello;
  readonly #options: HandshakeOptions;
  #theirs: Hello | undefined;
  #greeting: Greeting | undefined;

  constructor(options: HandshakeOptions) {
    const { runtime, instance } = options;
    this.#options = options;
    this.hello = {
      kind: 'hello',
      nonce: runtime.randomBytes(NONCE_BYTES),
      token: runtime.randomBytes(TOKEN_BYTES),
      instance,
    };
  }

  /** The other side has said hello. */
  get isGreeted(): boolean {
    return this.#greeting !== undefined;
  }

  /** The token that the other side asked for on its lane; known once it has greeted. */
  get laneToken(): Uint8Array | undefined {
    return this.#theirs?.token;
  }

  /** @throws {DecodeError} when it has been greeted before. */
  greeted(theirs: Hello): void {
    if (this.#theirs !== undefined) throw new DecodeError('schema', 'a second hello');
    const { self, peer, role } = this.#options;
    const isDialler = role === 'dialler';
    this.#theirs = theirs;
    this.#greeting = {
      dialler: isDialler ? self : peer,
      acceptor: isDialler ? peer : self,
      diallerNonce: isDialler ? this.hello.nonce : theirs.nonce,
      acceptorNonce: isDialler ? theirs.nonce : this.hello.nonce,
    };
  }

  /** Whether a token is the one that this side asked for on its lane. */
  isOwnToken(token: Uint8Array): boolean {
    return isSameSecret(token, this.hello.token);
  }

  /** Whether the peer at the other end is the same life of the same node. */
  isSameInstance(other: Handshake): boolean {
    if (this.#theirs === undefined || other.#theirs === undefined) return false;
    return isSameSecret(this.#theirs.instance, other.#theirs.instance);
  }

  /** The proof of this side that it has the key of a group. Not to be asked for before the greeting. */
  proofFor({ proofKey, id }: BondedGroup): Uint8Array {
    invariant(this.#greeting !== undefined, 'a proof needs the nonces of both sides');
    return proofOf(proofKey, id, this.#greeting, this.#options.role);
  }

  /** Whether a proof is the one that the other side has to show for a group. */
  isProven({ proofKey, id }: BondedGroup, proof: Uint8Array): boolean {
    if (this.#greeting === undefined) return false;
    const theirRole = this.#options.role === 'dialler' ? 'acceptor' : 'dialler';
    return isSameSecret(proof, proofOf(proofKey, id, this.#greeting, theirRole));
  }
}
