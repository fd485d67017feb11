import { invariant } from '@mosaik/primitives';
import { blake3 } from '@noble/hashes/blake3.js';

/** Bytes of a hash: BLAKE3. */
export const HASH_BYTES = 32;

/** Part of the construction of a root: another context gives other roots. */
const ROOT_CONTEXT = new TextEncoder().encode('mosaik 2026-11-22 snapshot root v1');
const CHUNK_CONTEXT = new TextEncoder().encode('mosaik 2026-11-22 snapshot chunk v1');

/**
 * What the chunks of a snapshot are, so that each can be verified on its own, wherever it comes from. Two members with
 * equal roots at the same log position have identical bytes, cut at the same places: any of them can serve any chunk.
 */
export interface SnapshotManifest {
  /** Bytes of all chunks. */
  readonly bytes: number;
  /** BLAKE3 of each chunk, 32 bytes, in order. */
  readonly chunkHashes: readonly Uint8Array[];
  /** BLAKE3 of the number of bytes and the hashes of the chunks: stands for the whole. */
  readonly root: Uint8Array;
}

/** The hash of a chunk, as in {@link SnapshotManifest.chunkHashes}. */
export function hashChunk(chunk: Uint8Array): Uint8Array {
  return blake3(chunk, { context: CHUNK_CONTEXT });
}

/** The manifest of chunks with these hashes. */
export function manifestOf(bytes: number, chunkHashes: readonly Uint8Array[]): SnapshotManifest {
  return { bytes, chunkHashes, root: rootOf(bytes, chunkHashes) };
}

/** The root of chunks with these hashes: BLAKE3 of the bytes (8 bytes, big-endian) followed by the hashes. */
export function rootOf(bytes: number, chunkHashes: readonly Uint8Array[]): Uint8Array {
  const material = new Uint8Array(8 + HASH_BYTES * chunkHashes.length);
  new DataView(material.buffer).setBigUint64(0, BigInt(bytes));
  for (const [position, hash] of chunkHashes.entries()) {
    invariant(hash.length === HASH_BYTES, 'the hash of a chunk has 32 bytes');
    material.set(hash, 8 + HASH_BYTES * position);
  }
  return blake3(material, { context: ROOT_CONTEXT });
}

/** Whether two byte strings are equal; not in constant time. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}
