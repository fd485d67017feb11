import { ClosedError, invariant } from '@mosaik/primitives';
import type { Entry, LogIndex, SnapshotMeta, Term } from '../raft/types.ts';
import { ChunkBook } from './chunk-book.ts';
import { StorageGroupError, StorageLockedError } from './errors.ts';
import { createIncarnation } from './incarnation.ts';
import { KeptReader, type KeptSnapshot, LogState } from './log-state.ts';
import { StagedSnapshot } from './stage.ts';
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

class MemoryStorage implements Storage {
  readonly durability = 'memory';
  readonly description = WHERE;
  #kept: LogState | undefined;
  #open: MemoryLog | undefined;

  async open(options: OpenOptions): Promise<LogStorage> {
    this.#requireClosed();
    this.#kept ??= new LogState(options.group, createIncarnation(options.runtime));
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
  readonly #kept: LogState;
  #stage: StagedSnapshot | undefined;
  #isClosed = false;

  constructor(kept: LogState) {
    this.#kept = kept;
    this.recovered = kept.recovered;
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
    this.#kept.append(batch);
  }

  async read(range: ReadRange): Promise<readonly Entry[]> {
    this.#requireOpen();
    return this.#kept.read(range, WHERE);
  }

  async stageSnapshot(meta: SnapshotMeta, options: StageOptions = {}): Promise<SnapshotStage> {
    this.#requireOpen();
    invariant(this.#stage === undefined, 'one snapshot is written at a time');
    this.#kept.shape.requireNewer(meta);
    const chunks: Uint8Array[] = [];
    this.#stage = new StagedSnapshot(meta, new ChunkBook(options.manifest), {
      write: async (position, chunk) => {
        chunks[position] = chunk;
      },
      commit: async (manifest) => this.#adopt({ meta, manifest, chunks }),
      end: () => {
        this.#stage = undefined;
      },
    });
    return this.#stage;
  }

  #adopt(snapshot: KeptSnapshot): void {
    this.#requireOpen();
    this.#kept.adopt(snapshot);
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    this.#requireOpen();
    return this.#kept.snapshot === undefined ? undefined : new KeptReader(this.#kept.snapshot);
  }

  async prune(upTo: LogIndex): Promise<void> {
    this.#requireOpen();
    this.#kept.prune(upTo);
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
