import { createLog, toError } from '@mosaik/primitives';
import type { Holds } from '../catch-up/holds.ts';
import type { Replica } from '../driver/replica.ts';
import type { Applier } from '../machine/applier.ts';
import type { ConsensusSettings } from '../options.ts';
import type { LogIndex, SnapshotMeta } from '../raft/types.ts';
import type { LogStorage } from '../storage/storage.ts';
import type { History } from '../wire/history.ts';
import { writeSnapshot } from './log-book.ts';

const log = createLog('groups:snapshots');

interface SnapshotsOptions {
  readonly log: LogStorage;
  readonly history: History;
  readonly replica: Replica;
  readonly applier: Applier<unknown, unknown, unknown>;
  readonly settings: ConsensusSettings;
  /** What others are pulling from this member. */
  readonly holds: Holds;
  readonly fail: (error: Error) => void;
}

/** Takes snapshots from time to time, and lets go of the entries that they cover. One snapshot is written at a time. */
export class Snapshots {
  readonly #options: SnapshotsOptions;
  #isLocked = false;
  #lastIndex: number;
  #writing: Promise<void> = Promise.resolve();
  /** Entries up to here are gone. */
  #pruned = 0;
  taken = 0;

  constructor(options: SnapshotsOptions) {
    this.#options = options;
    this.#lastIndex = options.applier.applied.index;
  }

  /** Where the newest snapshot stands. */
  get lastIndex(): number {
    return this.#lastIndex;
  }

  /** Keeps snapshots from being taken until disposed; undefined while one is written. */
  lock(): Disposable | undefined {
    if (this.#isLocked) return undefined;
    this.#isLocked = true;
    return {
      [Symbol.dispose]: () => {
        this.#isLocked = false;
      },
    };
  }

  /** Takes a snapshot if it is time to. All members do at the same indices, so that they can serve them together. */
  applied(index: LogIndex): void {
    const { replica, settings, applier } = this.#options;
    if (Math.floor(index / settings.snapshotEvery) <= Math.floor(this.#lastIndex / settings.snapshotEvery))
      return;
    if (this.#isLocked || replica.isBusyWithSnapshot || applier.applied.index !== index) return;
    const meta = replica.snapshotAt(index);
    if (meta === undefined) return;
    this.#lastIndex = index;
    const { chunks } = applier.snapshot();
    this.#writing = this.#write(meta, chunks);
  }

  /** The state was replaced by a snapshot of others, which is in the log already, mostly in the place of all entries. */
  restored(index: LogIndex): void {
    this.#lastIndex = index;
    this.#pruned = Math.max(this.#pruned, index);
  }

  /** Resolves when nothing is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  async #write(meta: SnapshotMeta, chunks: AsyncIterable<Uint8Array>): Promise<void> {
    const { log: opened, history, replica } = this.#options;
    this.#isLocked = true;
    try {
      await writeSnapshot(opened, history, { meta, chunks });
      this.taken++;
      const upTo = this.#prunable(meta.index);
      if (upTo > this.#pruned && !replica.isOver) {
        await opened.prune(upTo);
        this.#pruned = upTo;
        replica.compacted(upTo);
      }
      log('snapshot at %d', meta.index);
    } catch (thrown) {
      if (!replica.isOver) this.#options.fail(toError(thrown));
    } finally {
      this.#isLocked = false;
    }
  }

  /** Entries up to here go with a snapshot at `index`: all but those that lag a little, or are pulling, may need. */
  #prunable(index: LogIndex): LogIndex {
    const { settings, holds } = this.#options;
    const unneeded = index - settings.retainEntries;
    const held = Math.max(holds.after ?? unneeded, unneeded - settings.retainPulledEntries);
    return Math.min(unneeded, held) as LogIndex;
  }
}
