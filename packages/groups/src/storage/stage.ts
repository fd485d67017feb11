import { ClosedError } from '@mosaik/primitives';
import type { SnapshotMeta } from '../raft/types.ts';
import type { ChunkBook } from './chunk-book.ts';
import type { SnapshotManifest } from './manifest.ts';
import type { SnapshotStage } from './storage.ts';

/** Where the chunks of a snapshot go. */
export interface StageOwner {
  write(position: number, bytes: Uint8Array): Promise<unknown>;
  commit(manifest: SnapshotManifest): Promise<unknown>;
  /** No more comes; called right after the commit was called, or instead of it. */
  end(wasCommitted: boolean): void;
}

/** A snapshot that is being written: checks the chunks, and hands them to its owner. */
export class StagedSnapshot implements SnapshotStage {
  readonly meta: SnapshotMeta;
  readonly #book: ChunkBook;
  readonly #owner: StageOwner;
  #hasEnded = false;

  constructor(meta: SnapshotMeta, book: ChunkBook, owner: StageOwner) {
    this.meta = meta;
    this.#book = book;
    this.#owner = owner;
  }

  async write(chunk: Uint8Array, position?: number): Promise<void> {
    this.#requireGoingOn();
    const placed = this.#book.place(chunk, position);
    if (placed === undefined) return;
    this.#book.add(placed.position, placed.hash, chunk.length);
    await this.#owner.write(placed.position, chunk);
  }

  async commit(): Promise<SnapshotManifest> {
    this.#requireGoingOn();
    const manifest = this.#book.finish();
    const committed = this.#owner.commit(manifest);
    this.#end(true);
    await committed;
    return manifest;
  }

  async discard(): Promise<void> {
    if (!this.#hasEnded) this.#end(false);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  #end(wasCommitted: boolean): void {
    this.#hasEnded = true;
    this.#owner.end(wasCommitted);
  }

  #requireGoingOn(): void {
    if (this.#hasEnded) throw new ClosedError('the snapshot was committed or discarded');
  }
}
