import { ClosedError, DecodeError, invariant } from '@mosaik/primitives';
import type { Entry, LogIndex, SnapshotMeta, Term } from '../raft/types.ts';
import { bytesOf, DEFAULT_READ_BYTES, firstBytes } from '../storage/batch.ts';
import { ChunkBook, chunksInOrder } from '../storage/chunk-book.ts';
import { LogPrunedError, StorageDamagedError } from '../storage/errors.ts';
import { equalBytes, hashChunk, type SnapshotManifest } from '../storage/manifest.ts';
import { LogShape } from '../storage/shape.ts';
import { decodeSnapshot, encodeSnapshot, type SnapshotRecord } from '../storage/snapshot-codec.ts';
import { StagedSnapshot } from '../storage/stage.ts';
import type {
  Incarnation,
  LogBatch,
  LogStorage,
  ReadRange,
  RecoveredLog,
  SnapshotReader,
  SnapshotStage,
  StageOptions,
} from '../storage/storage.ts';
import { checked, decodeEntries, encodeEntries, withChecksum } from './layout.ts';
import type { Opened, Value, Work } from './messages.ts';
import type { WorkerPort } from './pool.ts';

/** A snapshot that is there, under its number, and how many read it. */
interface Held extends SnapshotRecord {
  readonly number: number;
  readers: number;
}

/** The log at this end of its worker: knows its shape, sends its work, in order. */
export class SqliteLog implements LogStorage {
  readonly durability = 'fsync';
  readonly incarnation: Incarnation;
  readonly recovered: RecoveredLog;
  readonly #where: string;
  readonly #port: WorkerPort;
  readonly #shape: LogShape;
  #snapshot: Held | undefined;
  #stage: StagedSnapshot | undefined;
  #nextSnapshot: number;
  #commit: LogIndex;
  #pendingBytes = 0;
  #closing: Promise<void> | undefined;

  constructor(where: string, port: WorkerPort, opened: Opened) {
    this.#where = where;
    this.#port = port;
    this.incarnation = opened.incarnation;
    this.#nextSnapshot = opened.nextSnapshot;
    if (opened.snapshot !== undefined) {
      const { number, record } = opened.snapshot;
      this.#snapshot = { number, readers: 0, ...decodeSnapshot(checked(record)) };
    }
    const snapshot = this.#snapshot?.meta;
    const { hardState, base, lastIndex, runs } = opened;
    this.#shape = new LogShape({ base, lastIndex, runs, snapshot });
    const { last } = this.#shape;
    this.#commit = Math.min(opened.commit, last.index) as LogIndex;
    this.recovered = { hardState, base, last, snapshot, commit: this.#commit };
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  termAt(index: LogIndex): Term | undefined {
    return this.#shape.termAt(index);
  }

  async append(batch: LogBatch): Promise<void> {
    this.#requireOpen();
    this.#shape.append(batch);
    const { hardState, truncateFrom, entries = [], commit = this.#commit } = batch;
    this.#commit = commit;
    const [first, last] = [entries[0], entries.at(-1)];
    if (hardState === undefined && truncateFrom === undefined && first === undefined) return;
    const bytes = first === undefined ? undefined : encodeEntries(entries);
    const run = first && last && bytes && { first: first.index, last: last.index, bytes };
    const size = bytesOf(entries);
    this.#pendingBytes += size;
    try {
      await this.#port.send({ kind: 'append', hardState, truncateFrom, run, commit }, bytes?.buffer);
    } finally {
      this.#pendingBytes -= size;
    }
  }

  async read({ from, to, maxBytes = DEFAULT_READ_BYTES }: ReadRange): Promise<readonly Entry[]> {
    this.#requireOpen();
    const { base, last } = this.#shape;
    if (from <= base.index) throw new LogPrunedError(this.#where, base.index);
    const end = Math.min(to, last.index) as LogIndex;
    if (end < from) return [];
    const rows = (await this.#port.send({ kind: 'read', from, to: end, maxBytes })) as readonly Uint8Array[];
    try {
      const entries = firstBytes(entriesIn(rows, from, end), maxBytes);
      if (entries[0]?.index !== from) throw new DecodeError('malformed', `entry ${from} is missing`);
      return entries;
    } catch (thrown) {
      throw damagedBy(this.#where, thrown);
    }
  }

  async stageSnapshot(meta: SnapshotMeta, options: StageOptions = {}): Promise<SnapshotStage> {
    this.#requireOpen();
    invariant(this.#stage === undefined, 'one snapshot is written at a time');
    this.#shape.requireNewer(meta);
    const book = new ChunkBook(options.manifest);
    const number = this.#nextSnapshot++;
    this.#stage = new StagedSnapshot(meta, book, {
      write: (position, bytes) => {
        this.#requireOpen();
        const own = bytes.buffer.byteLength === bytes.byteLength ? bytes : bytes.slice();
        const work: Work = { kind: 'chunk', snapshot: number, position, bytes: own };
        return this.#port.send(work, own.buffer as ArrayBuffer);
      },
      commit: (manifest) => this.#adopt({ number, readers: 0, meta, manifest }),
      end: (wasCommitted) => {
        this.#stage = undefined;
        if (!wasCommitted) this.#drop(number);
      },
    });
    return this.#stage;
  }

  #adopt(next: Held): Promise<Value> {
    this.#requireOpen();
    const { meta, manifest, number } = next;
    const holdsLog = this.#shape.holds(meta);
    this.#shape.adopt(meta);
    const before = this.#snapshot;
    this.#snapshot = next;
    const position = { index: meta.index, term: meta.term };
    const record = withChecksum(encodeSnapshot({ meta, manifest }));
    if (this.#commit < meta.index) this.#commit = meta.index;
    const committed = this.#port.send({ kind: 'commit', snapshot: number, record, position, holdsLog });
    if (before !== undefined && before.readers === 0) this.#drop(before.number);
    return committed;
  }

  /** In the background, after what was sent before; what is left of it when the log is closed goes when it is opened. */
  #drop(number: number): void {
    if (this.#closing !== undefined) return;
    this.#port.send({ kind: 'drop', snapshot: number }).then(
      (more) => {
        if (more === 'more') this.#drop(number);
      },
      // Whoever writes next is told of it.
      () => {},
    );
  }

  async openSnapshot(): Promise<SnapshotReader | undefined> {
    this.#requireOpen();
    const held = this.#snapshot;
    if (held === undefined) return undefined;
    held.readers++;
    return new SqliteReader(held, {
      read: (position) => this.#readChunk(held, position),
      close: () => {
        held.readers--;
        if (held.readers === 0 && held !== this.#snapshot) this.#drop(held.number);
      },
    });
  }

  async #readChunk({ number, manifest }: Held, position: number): Promise<Uint8Array> {
    this.#requireOpen();
    const expected = manifest.chunkHashes[position];
    invariant(expected !== undefined, `the snapshot has no chunk ${position}`);
    const value = await this.#port.send({ kind: 'readChunk', snapshot: number, position });
    const [chunk] = value as readonly Uint8Array[];
    if (chunk === undefined || !equalBytes(hashChunk(chunk), expected)) {
      throw new StorageDamagedError(this.#where, `chunk ${position} of the snapshot is not what was written`);
    }
    return chunk;
  }

  async prune(upTo: LogIndex): Promise<void> {
    this.#requireOpen();
    if (this.#shape.prune(upTo)) await this.#port.send({ kind: 'prune', base: this.#shape.base });
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      await this.#port.send({ kind: 'close', commit: this.#commit });
    } catch {
      // It had failed before, and whoever wrote was told.
    } finally {
      this.#port.release();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new ClosedError('the log is closed');
  }
}

function* entriesIn(rows: readonly Uint8Array[], from: LogIndex, to: LogIndex): Generator<Entry, void, void> {
  for (const row of rows) {
    for (const { index, term, kind, data } of decodeEntries(row)) {
      if (index > to) return;
      if (index >= from) yield { index, term, kind, data };
    }
  }
}

function damagedBy(where: string, thrown: unknown): unknown {
  return thrown instanceof DecodeError
    ? new StorageDamagedError(where, thrown.message, { cause: thrown })
    : thrown;
}

class SqliteReader implements SnapshotReader {
  readonly meta: SnapshotMeta;
  readonly manifest: SnapshotManifest;
  readonly #owner: { read(position: number): Promise<Uint8Array>; close(): void };
  #isClosed = false;

  constructor(
    { meta, manifest }: SnapshotRecord,
    owner: { read(position: number): Promise<Uint8Array>; close(): void },
  ) {
    this.meta = meta;
    this.manifest = manifest;
    this.#owner = owner;
  }

  async read(position: number): Promise<Uint8Array> {
    if (this.#isClosed) throw new ClosedError('the reader of the snapshot is closed');
    return await this.#owner.read(position);
  }

  chunks(): AsyncIterable<Uint8Array> {
    return chunksInOrder(this);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#owner.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
