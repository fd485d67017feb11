import { ID_BYTES, idToBytes, invariant, type PeerId } from '@mosaik/primitives';
import { blake3 } from '@noble/hashes/blake3.js';
import type { EntryVersion } from '../entry/peer-entry.ts';
import type { SyncItem } from './source.ts';

/** 128 bits as four unsigned 32-bit words. */
export type Fingerprint = SyncItem['fingerprint'];

/** 64 random bits that a session's fingerprints depend on, as two unsigned 32-bit words. */
export type Salt = readonly [number, number];

const WORDS = 4;
export const FINGERPRINT_BYTES = 16;

/**
 * The fingerprint of one item: the first 16 bytes of BLAKE3 over the 32 bytes of the peer id, `start` and `update`, each
 * as an unsigned 64-bit integer, big-endian; read as four big-endian words.
 *
 * Versions are whole numbers of 0 or more, up to 2^53 - 1; anything else is a bug of the caller.
 */
export function fingerprintOf(peer: PeerId, version: EntryVersion): Fingerprint {
  const material = new Uint8Array(ID_BYTES + 16);
  const view = new DataView(material.buffer);
  material.set(idToBytes(peer));
  for (const [index, time] of [version.start, version.update].entries()) {
    invariant(Number.isSafeInteger(time) && time >= 0, 'a version is made of whole numbers');
    view.setBigUint64(ID_BYTES + 8 * index, BigInt(time));
  }
  return fingerprintFromBytes(blake3(material, { dkLen: FINGERPRINT_BYTES }));
}

/** Reads four big-endian words. */
export function fingerprintFromBytes(bytes: Uint8Array): Fingerprint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, FINGERPRINT_BYTES);
  return [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)];
}

/** The opposite of {@link fingerprintFromBytes}. */
export function fingerprintToBytes(fingerprint: Fingerprint): Uint8Array {
  const bytes = new Uint8Array(FINGERPRINT_BYTES);
  const view = new DataView(bytes.buffer);
  for (const [index, word] of fingerprint.entries()) view.setUint32(4 * index, word);
  return bytes;
}

export function isSameFingerprint(a: Fingerprint, b: Fingerprint): boolean {
  return a[0] === b[0] && a[1] === b[1] && a[2] === b[2] && a[3] === b[3];
}

/** Items from `start` up to, not including, `end`, by position. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/**
 * A snapshot of items, in which the fingerprint of any range costs O(log n).
 *
 * The fingerprint of a range is the XOR of its items' fingerprints, each mixed with the session's salt first; kept as
 * XORs of all prefixes. Without the salt, a peer that makes entries of its own could choose them so that their
 * fingerprints cancel out (Bellare, Micciancio: "A New Paradigm for Collision-Free Hashing", EUROCRYPT 1997, appendix A:
 * linear algebra over a few more than 128 items), and keep two honest catalogs from noticing that they differ.
 */
export class SyncIndex {
  /** Invariant: strictly ascending by peer id. */
  readonly items: readonly SyncItem[];
  readonly #prefixes: Uint32Array;

  constructor(items: readonly SyncItem[], salt: Salt) {
    this.items = items;
    this.#prefixes = new Uint32Array(WORDS * (items.length + 1));
    let previous = '';
    for (const [index, item] of items.entries()) {
      invariant(previous < item.peer, 'the items of a catalog ascend by peer id');
      previous = item.peer;
      this.#append(index, item.fingerprint, salt);
    }
  }

  /** The items of the peers from `from` up to, not including, `to`. */
  span(from: string, to: string): Span {
    return { start: this.#lowerBound(from), end: this.#lowerBound(to) };
  }

  fingerprint({ start, end }: Span): Fingerprint {
    const xor = (word: number): number =>
      ((this.#prefixes[WORDS * start + word] as number) ^ (this.#prefixes[WORDS * end + word] as number)) >>>
      0;
    return [xor(0), xor(1), xor(2), xor(3)];
  }

  /** The item of a peer, if there is one. */
  get(peer: PeerId): SyncItem | undefined {
    const item = this.items[this.#lowerBound(peer)];
    return item?.peer === peer ? item : undefined;
  }

  #append(index: number, fingerprint: Fingerprint, salt: Salt): void {
    const before = WORDS * index;
    for (let word = 0; word < WORDS; word++) {
      const prefix = this.#prefixes[before + word] as number;
      this.#prefixes[before + WORDS + word] = prefix ^ mix(fingerprint, salt, word);
    }
  }

  /** Position of the first item at or after `bound`. */
  #lowerBound(bound: string): number {
    let low = 0;
    let high = this.items.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.items[middle] as SyncItem).peer < bound) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * One word of a fingerprint under a salt: MurmurHash3 (x86, 32 bits) of the four words, beginning with this one, with
 * the salt as seed. It need not be one-way: its input is the output of a hash already, and who knows the salt only
 * when the entries are made cannot choose them by it.
 */
function mix(fingerprint: Fingerprint, salt: Salt, word: number): number {
  let hash = (salt[word & 1] as number) ^ Math.imul(word + 1, 0x9e37_79b1);
  for (let step = 0; step < WORDS; step++) {
    const input = Math.imul(fingerprint[(word + step) & 3] as number, 0xcc9e_2d51);
    hash ^= Math.imul((input << 15) | (input >>> 17), 0x1b87_3593);
    hash = Math.imul((hash << 13) | (hash >>> 19), 5) + 0xe654_6b64;
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
