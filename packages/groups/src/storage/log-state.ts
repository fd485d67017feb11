import { ClosedError, type GroupId, invariant } from '@mosaik/primitives';
import type { Entry, HardState, LogIndex, SnapshotMeta, Term } from '../raft/types.ts';
import { firstBytes } from './batch.ts';
import { chunksInOrder } from './chunk-book.ts';
import { LogPrunedError } from './errors.ts';
import type { SnapshotManifest } from './manifest.ts';
import { LogShape } from './shape.ts';
import type { Incarnation, LogBatch, ReadRange, RecoveredLog, SnapshotReader } from './storage.ts';

/** A snapshot with all its bytes. */
export interface KeptSnapshot {
  readonly meta: SnapshotMeta;
  readonly manifest: SnapshotManifest;
  readonly chunks: readonly Uint8Array[];
}

/** All of a log, in memory. */
export class LogState {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly shape: LogShape = new LogShape();
  #hardState: HardState = { term: 0 as Term, vote: undefined };
  #commit = 0 as LogIndex;
  /** Invariant: the entries after `shape.base`. */
  #entries: Entry[] = [];
  #snapshot: KeptSnapshot | undefined;

  constructor(group: GroupId, incarnation: Incarnation) {
    this.group = group;
    this.incarnation = incarnation;
  }

  get recovered(): RecoveredLog {
    const { base, last, snapshot } = this.shape;
    const commit = Math.min(this.#commit, last.index) as LogIndex;
    return { hardState: this.#hardState, commit, base, last, snapshot };
  }

  get snapshot(): KeptSnapshot | undefined {
    return this.#snapshot;
  }

  append(batch: LogBatch): void {
    this.shape.append(batch);
    const { hardState, truncateFrom, entries, commit } = batch;
    if (hardState !== undefined) this.#hardState = hardState;
    if (truncateFrom !== undefined) this.#entries.length = truncateFrom - this.shape.base.index - 1;
    for (const entry of entries ?? []) this.#entries.push(entry);
    if (commit !== undefined) this.#commit = commit;
  }

  /** @throws {LogPrunedError} */
  read({ from, to, maxBytes }: ReadRange, where: string): readonly Entry[] {
    const { base } = this.shape;
    if (from <= base.index) throw new LogPrunedError(where, base.index);
    const first = base.index + 1;
    return firstBytes(this.#entries.slice(from - first, Math.max(to - first + 1, 0)), maxBytes);
  }

  adopt(snapshot: KeptSnapshot): void {
    const { meta } = snapshot;
    const holdsLog = this.shape.holds(meta);
    this.shape.adopt(meta);
    if (!holdsLog) this.#entries = [];
    this.#snapshot = snapshot;
    if (this.#commit < meta.index) this.#commit = meta.index;
  }

  /** Whether there was anything to remove. */
  prune(upTo: LogIndex): boolean {
    const first = this.shape.base.index + 1;
    if (!this.shape.prune(upTo)) return false;
    this.#entries.splice(0, upTo - first + 1);
    return true;
  }
}

/** Reads a snapshot that is in memory. */
export class KeptReader implements SnapshotReader {
  readonly meta: SnapshotMeta;
  readonly manifest: SnapshotManifest;
  readonly #verify: (position: number) => void;
  #chunks: readonly Uint8Array[] | undefined;

  /** `verify` throws for a chunk that is damaged where it was written. */
  constructor({ meta, manifest, chunks }: KeptSnapshot, verify: (position: number) => void = () => {}) {
    this.#verify = verify;
    this.meta = meta;
    this.manifest = manifest;
    this.#chunks = chunks;
  }

  async read(position: number): Promise<Uint8Array> {
    if (this.#chunks === undefined) throw new ClosedError('the reader of the snapshot is closed');
    const chunk = this.#chunks[position];
    invariant(chunk !== undefined, `the snapshot has no chunk ${position}`);
    this.#verify(position);
    return chunk;
  }

  chunks(): AsyncIterable<Uint8Array> {
    return chunksInOrder(this);
  }

  async close(): Promise<void> {
    this.#chunks = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
