import { invariant } from '@mosaik/primitives';
import { SnapshotMismatchError } from './errors.ts';
import { equalBytes, hashChunk, manifestOf, rootOf, type SnapshotManifest } from './manifest.ts';
import type { SnapshotReader } from './storage.ts';

/** What is known of the chunks of a snapshot that is being written. */
export class ChunkBook {
  readonly #manifest: SnapshotManifest | undefined;
  readonly #hashes: (Uint8Array | undefined)[];
  #bytes = 0;
  #missing: number;

  /** @throws {InvariantError} when the root of the manifest is not of its hashes: whoever takes one from a peer checks. */
  constructor(manifest: SnapshotManifest | undefined) {
    this.#manifest = manifest;
    this.#hashes = Array.from({ length: manifest?.chunkHashes.length ?? 0 });
    this.#missing = this.#hashes.length;
    invariant(
      manifest === undefined || isConsistent(manifest),
      'the root of a manifest is that of its hashes',
    );
  }

  /**
   * Where a chunk belongs and its hash; undefined when it is there already.
   *
   * @throws {SnapshotMismatchError} when it is not the one of the manifest.
   */
  place(
    chunk: Uint8Array,
    position?: number,
  ): { readonly position: number; readonly hash: Uint8Array } | undefined {
    const hash = hashChunk(chunk);
    if (this.#manifest === undefined) {
      invariant(
        position === undefined || position === this.#hashes.length,
        'without a manifest chunks come in order',
      );
      return { position: this.#hashes.length, hash };
    }
    const at = position ?? this.#hashes.indexOf(undefined);
    const expected = this.#manifest.chunkHashes[at];
    if (expected === undefined) throw new SnapshotMismatchError(at, 'the manifest has none such');
    if (!equalBytes(hash, expected)) throw new SnapshotMismatchError(at, 'not the bytes of the manifest');
    return this.#hashes[at] === undefined ? { position: at, hash } : undefined;
  }

  /** Notes a chunk that {@link place} has placed. */
  add(position: number, hash: Uint8Array, bytes: number): void {
    invariant(this.#hashes[position] === undefined, 'a chunk is added once');
    this.#hashes[position] = hash;
    this.#bytes += bytes;
    this.#missing--;
  }

  /** @throws {SnapshotMismatchError} when chunks are missing, or are not as many bytes as the manifest says. */
  finish(): SnapshotManifest {
    if (this.#manifest === undefined) return manifestOf(this.#bytes, this.#hashes as Uint8Array[]);
    const missing = this.#hashes.indexOf(undefined);
    if (missing !== -1) throw new SnapshotMismatchError(missing, `missing, one of ${this.#missing}`);
    if (this.#bytes !== this.#manifest.bytes) {
      throw new SnapshotMismatchError(
        this.#hashes.length,
        `${this.#bytes} bytes in all, not ${this.#manifest.bytes}`,
      );
    }
    return this.#manifest;
  }
}

function isConsistent({ bytes, chunkHashes, root }: SnapshotManifest): boolean {
  return equalBytes(root, rootOf(bytes, chunkHashes));
}

/** All chunks of a snapshot, one after the other. */
export async function* chunksInOrder(
  reader: Pick<SnapshotReader, 'manifest' | 'read'>,
): AsyncGenerator<Uint8Array, void, void> {
  for (let position = 0; position < reader.manifest.chunkHashes.length; position++) {
    yield await reader.read(position);
  }
}
