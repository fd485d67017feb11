import { ClosedError, invariant } from '@mosaik/primitives';
import type { Entry, LogIndex, SnapshotMeta, Term } from '../../raft/types.ts';
import { bytesOf } from '../batch.ts';
import { ChunkBook } from '../chunk-book.ts';
import { StorageFailedError } from '../errors.ts';
import { KeptReader, type KeptSnapshot, type LogState } from '../log-state.ts';
import { encodeSnapshot } from '../snapshot-codec.ts';
import { StagedSnapshot } from '../stage.ts';
import type {
  Incarnation,
  LogBatch,
  LogStorage,
  ReadRange,
  RecoveredLog,
  SnapshotReader,
  SnapshotStage,
  StageOptions,
} from '../storage.ts';
import type { SimulatedMount } from './disk.ts';
import { type Places, requireChunk, requireWhole } from './places.ts';
import { encodeMark, frameRecord, type LogRecord } from './records.ts';
import type { LogFiles, Recovered } from './recovery.ts';

/** The rules of durability; the simulator replaces them to prove that it would notice. */
export interface WriteRules {
  /** Whether a write is acknowledged only once it was synced. */
  readonly syncsFirst: boolean;
}

/** Where a log is written. */
export interface LogPlace {
  readonly mount: SimulatedMount;
  readonly files: LogFiles;
  readonly where: string;
  readonly rules: Partial<WriteRules>;
}

interface Waiting {
  readonly sequence: number;
  resolve(): void;
  reject(error: Error): void;
}

export class SimulatedLog implements LogStorage {
  readonly durability = 'fsync';
  readonly recovered: RecoveredLog;
  readonly #state: LogState;
  readonly #place: LogPlace;
  readonly #places: Places;
  #end: number;
  #sequence: number;
  #nextSnapshot: number;
  #stage: StagedSnapshot | undefined;
  #pendingBytes = 0;
  /** Invariant: ascending; the writes that are not acknowledged. */
  #waiting: Waiting[] = [];
  #isSyncing = false;
  #failure: StorageFailedError | undefined;
  /** Those before it settle before it does. */
  #lastAppend: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  constructor({ state, places, end, sequence, nextSnapshot }: Recovered, place: LogPlace) {
    this.#state = state;
    this.#places = places;
    this.#end = end;
    this.#sequence = sequence;
    this.#nextSnapshot = nextSnapshot;
    this.#place = place;
    this.recovered = state.recovered;
  }

  get incarnation(): Incarnation {
    return this.#state.incarnation;
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  /** Whether a process holds it. */
  get isOpen(): boolean {
    return this.#closing === undefined && this.#place.mount.isAlive;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#state.shape.termAt(index);
  }

  /** Makes a log that was not there yet durable, and what a crash has cut off for good. */
  async created(): Promise<void> {
    const { group, incarnation } = this.#state;
    if (this.#sequence === 0) await this.#write({ kind: 'create', group, incarnation });
    else await this.#place.mount.sync();
  }

  append(batch: LogBatch): Promise<void> {
    this.#lastAppend = this.#append(batch);
    return this.#lastAppend;
  }

  async #append(batch: LogBatch): Promise<void> {
    this.#requireOpen();
    this.#state.append(batch);
    const { hardState, truncateFrom, entries = [] } = batch;
    if (hardState === undefined && truncateFrom === undefined && entries.length === 0) return;
    const size = bytesOf(entries);
    this.#pendingBytes += size;
    try {
      await this.#write({ kind: 'batch', batch });
    } finally {
      this.#pendingBytes -= size;
    }
  }

  async read(range: ReadRange): Promise<readonly Entry[]> {
    this.#requireOpen();
    const entries = this.#state.read(range, this.#place.where);
    for (const place of this.#places.ofEntries(entries)) requireWhole(this.#file, place);
    return entries;
  }

  async stageSnapshot(meta: SnapshotMeta, options: StageOptions = {}): Promise<SnapshotStage> {
    this.#requireOpen();
    invariant(this.#stage === undefined, 'one snapshot is written at a time');
    this.#state.shape.requireNewer(meta);
    const book = new ChunkBook(options.manifest);
    const snapshot = this.#nextSnapshot++;
    const chunks: Uint8Array[] = [];
    this.#stage = new StagedSnapshot(meta, book, {
      write: (position, bytes) => {
        this.#requireOpen();
        chunks[position] = bytes;
        return this.#write({ kind: 'chunk', snapshot, position, bytes });
      },
      commit: (manifest) => this.#adopt(snapshot, { meta, manifest, chunks }),
      end: () => {
        this.#stage = undefined;
      },
    });
    return this.#stage;
  }

  #adopt(snapshot: number, kept: KeptSnapshot): Promise<void> {
    this.#requireOpen();
    this.#state.adopt(kept);
    return this.#write({ kind: 'commit', snapshot, record: encodeSnapshot(kept) });
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    this.#requireOpen();
    const { snapshot } = this.#state;
    if (snapshot === undefined) return undefined;
    const { chunks } = this.#places;
    const { chunkHashes } = snapshot.manifest;
    return new KeptReader(snapshot, (position) =>
      requireChunk(this.#file, chunks.get(position), chunkHashes[position] as Uint8Array),
    );
  }

  get #file() {
    const { mount, files, where } = this.#place;
    return { mount, file: files.log, where };
  }

  async prune(upTo: LogIndex): Promise<void> {
    this.#requireOpen();
    if (this.#state.prune(upTo)) await this.#write({ kind: 'prune', upTo });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { commit } = this.#state.recovered;
    try {
      if (commit > this.recovered.commit) await this.#write({ kind: 'batch', batch: { commit } });
      else if (this.#waiting.length > 0) await this.#acknowledged(this.#sequence);
      await this.#lastAppend;
    } catch {
      // Whoever wrote was told.
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Writes at once, resolves when it is durable. */
  async #write(record: LogRecord): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    const { mount, files, rules } = this.#place;
    const frame = frameRecord(this.#sequence + 1, record);
    try {
      mount.append(files.log, frame);
    } catch (thrown) {
      throw this.#fail(thrown);
    }
    const place = { sequence: ++this.#sequence, from: this.#end, to: this.#end + frame.length };
    this.#end = place.to;
    this.#places.note({ record, place });
    const acknowledged = this.#acknowledged(this.#sequence);
    if (rules.syncsFirst !== false) await acknowledged;
    else acknowledged.catch(() => {});
  }

  #acknowledged(sequence: number): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push({ sequence, resolve, reject });
    if (!this.#isSyncing) void this.#sync();
    return promise;
  }

  /** One sync for all that was written before it, as long as anything waits. */
  async #sync(): Promise<void> {
    const { mount, files } = this.#place;
    this.#isSyncing = true;
    try {
      while (this.#waiting.length > 0) {
        const upTo = this.#sequence;
        await mount.sync();
        mount.replace(files.mark, encodeMark(upTo));
        this.#acknowledge(upTo);
      }
    } catch (thrown) {
      this.#fail(thrown);
    } finally {
      this.#isSyncing = false;
    }
  }

  #acknowledge(upTo: number): void {
    const beyond = this.#waiting.findIndex(({ sequence }) => sequence > upTo);
    const done = this.#waiting.splice(0, beyond === -1 ? this.#waiting.length : beyond);
    for (const { resolve } of done) resolve();
  }

  /** Nothing is written any more. */
  #fail(thrown: unknown): StorageFailedError {
    const isFull = (thrown as { reason?: unknown }).reason === 'full';
    this.#failure ??= new StorageFailedError(this.#place.where, isFull ? 'full' : 'io', { cause: thrown });
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(this.#failure);
    return this.#failure;
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('the log is closed');
  }
}
