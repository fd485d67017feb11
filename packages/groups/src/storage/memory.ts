import { ClosedError, type GroupId, invariant } from '@mosaik/primitives';
import type { Entry, HardState, LogIndex, SnapshotMeta, Term } from '../raft/types.ts';
import { firstBytes } from './batch.ts';
import { ChunkBook, chunksInOrder } from './chunk-book.ts';
import { LogPrunedError, StorageGroupError, StorageLockedError } from './errors.ts';
import { createIncarnation } from './incarnation.ts';
import type { SnapshotManifest } from './manifest.ts';
import { LogShape } from './shape.ts';
import type {
  Incarnation,
  LogBatch,
  LogStorage,
  OpenOptions,
  ReadRange,
  RecoveredLog,
  SnapshotReader,
  SnapshotStage,
  StageOptions,
  Storage,
} from './storage.ts';

const WHERE = 'memory';

/**
 * A log in memory: gone with the process, which then comes back as another member. Leaving a group and joining it again
 * with the same `memory()` goes on with the same log.
 */
export function memory(): Storage {
  return new MemoryStorage();
}

/** A snapshot with all its bytes. */
interface KeptSnapshot {
  readonly meta: SnapshotMeta;
  readonly manifest: SnapshotManifest;
  readonly chunks: readonly Uint8Array[];
}

/** What outlives a close. */
class Kept {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  readonly shape = new LogShape();
  hardState: HardState = { term: 0 as Term, vote: undefined };
  commit = 0 as LogIndex;
  /** Invariant: the entries after `shape.base`. */
  entries: Entry[] = [];
  snapshot: KeptSnapshot | undefined;

  constructor({ group, runtime }: OpenOptions) {
    this.group = group;
    this.incarnation = createIncarnation(runtime);
  }
}

class MemoryStorage implements Storage {
  readonly durability = 'memory';
  readonly description = WHERE;
  #kept: Kept | undefined;
  #open: MemoryLog | undefined;

  async open(options: OpenOptions): Promise<LogStorage> {
    this.#requireClosed();
    this.#kept ??= new Kept(options);
    const { group } = this.#kept;
    if (group !== options.group)
      throw new StorageGroupError(WHERE, { expected: options.group, found: group });
    this.#open = new MemoryLog(this.#kept);
    return this.#open;
  }

  async setAside(): Promise<string | undefined> {
    this.#requireClosed();
    if (this.#kept === undefined) return undefined;
    this.#kept = undefined;
    return 'nowhere: it was in memory';
  }

  #requireClosed(): void {
    if (this.#open?.isClosed === false) throw new StorageLockedError(WHERE);
  }
}

class MemoryLog implements LogStorage {
  readonly durability = 'memory';
  readonly pendingBytes = 0;
  readonly recovered: RecoveredLog;
  readonly #kept: Kept;
  #stage: MemoryStage | undefined;
  #isClosed = false;

  constructor(kept: Kept) {
    this.#kept = kept;
    const { hardState, commit, shape } = kept;
    this.recovered = { hardState, commit, base: shape.base, last: shape.last, snapshot: shape.snapshot };
  }

  get incarnation(): Incarnation {
    return this.#kept.incarnation;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#kept.shape.termAt(index);
  }

  async append(batch: LogBatch): Promise<void> {
    this.#requireOpen();
    const kept = this.#kept;
    kept.shape.append(batch);
    const { hardState, truncateFrom, entries, commit } = batch;
    if (hardState !== undefined) kept.hardState = hardState;
    if (truncateFrom !== undefined) kept.entries.length = truncateFrom - kept.shape.base.index - 1;
    for (const entry of entries ?? []) kept.entries.push(entry);
    if (commit !== undefined) kept.commit = commit;
  }

  async read({ from, to, maxBytes }: ReadRange): Promise<readonly Entry[]> {
    this.#requireOpen();
    const { shape, entries } = this.#kept;
    if (from <= shape.base.index) throw new LogPrunedError(WHERE, shape.base.index);
    const first = shape.base.index + 1;
    return firstBytes(entries.slice(from - first, Math.max(to - first + 1, 0)), maxBytes);
  }

  async stageSnapshot(meta: SnapshotMeta, options: StageOptions = {}): Promise<SnapshotStage> {
    this.#requireOpen();
    invariant(this.#stage === undefined, 'one snapshot is written at a time');
    this.#kept.shape.requireNewer(meta);
    this.#stage = new MemoryStage(meta, options, {
      commit: (snapshot) => this.#adopt(snapshot),
      end: () => {
        this.#stage = undefined;
      },
    });
    return this.#stage;
  }

  #adopt(snapshot: KeptSnapshot): void {
    this.#requireOpen();
    const kept = this.#kept;
    if (!kept.shape.holds(snapshot.meta)) kept.entries = [];
    kept.shape.adopt(snapshot.meta);
    kept.snapshot = snapshot;
    if (kept.commit < snapshot.meta.index) kept.commit = snapshot.meta.index;
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    this.#requireOpen();
    return this.#kept.snapshot === undefined ? undefined : new MemoryReader(this.#kept.snapshot);
  }

  async prune(upTo: LogIndex): Promise<void> {
    this.#requireOpen();
    const { shape, entries } = this.#kept;
    const first = shape.base.index + 1;
    if (shape.prune(upTo)) entries.splice(0, upTo - first + 1);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#isClosed) throw new ClosedError('the log is closed');
  }
}

interface StageOwner {
  commit(snapshot: KeptSnapshot): void;
  end(): void;
}

class MemoryStage implements SnapshotStage {
  readonly meta: SnapshotMeta;
  readonly #book: ChunkBook;
  readonly #chunks: Uint8Array[] = [];
  readonly #owner: StageOwner;
  #hasEnded = false;

  constructor(meta: SnapshotMeta, options: StageOptions, owner: StageOwner) {
    this.meta = meta;
    this.#book = new ChunkBook(options.manifest);
    this.#owner = owner;
  }

  async write(chunk: Uint8Array, position?: number): Promise<void> {
    this.#requireGoingOn();
    const placed = this.#book.place(chunk, position);
    if (placed === undefined) return;
    this.#book.add(placed.position, placed.hash, chunk.length);
    this.#chunks[placed.position] = chunk;
  }

  async commit(): Promise<SnapshotManifest> {
    this.#requireGoingOn();
    const manifest = this.#book.finish();
    this.#owner.commit({ meta: this.meta, manifest, chunks: this.#chunks });
    this.#end();
    return manifest;
  }

  async discard(): Promise<void> {
    if (!this.#hasEnded) this.#end();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.discard();
  }

  #end(): void {
    this.#hasEnded = true;
    this.#owner.end();
  }

  #requireGoingOn(): void {
    if (this.#hasEnded) throw new ClosedError('the snapshot was committed or discarded');
  }
}

class MemoryReader implements SnapshotReader {
  readonly meta: SnapshotMeta;
  readonly manifest: SnapshotManifest;
  #chunks: readonly Uint8Array[] | undefined;

  constructor({ meta, manifest, chunks }: KeptSnapshot) {
    this.meta = meta;
    this.manifest = manifest;
    this.#chunks = chunks;
  }

  async read(position: number): Promise<Uint8Array> {
    if (this.#chunks === undefined) throw new ClosedError('the reader of the snapshot is closed');
    const chunk = this.#chunks[position];
    invariant(chunk !== undefined, `the snapshot has no chunk ${position}`);
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
