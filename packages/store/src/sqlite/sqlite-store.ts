import type { PeerId, Runtime, StreamId } from '@mosaik/primitives';
import type { Epoch } from '@mosaik/streams';
import { LogStorageError } from '../log/errors.ts';
import type { LogIdentity, LogListing, LogStorage, LogStore } from '../log/log-storage.ts';
import type { OpenedLog, SqliteTestOptions } from './messages.ts';
import { SnapshotSaver } from './snapshot-saver.ts';
import { SqliteLog } from './sqlite-log.ts';
import { StoreWorkers } from './store-workers.ts';

export interface SqliteStoreOptions extends SqliteTestOptions {
  readonly path: string;
  readonly runtime: Pick<Runtime, 'randomBytes'>;
}

/** A log that is open, or being opened or removed. */
type InUse = SqliteLog | 'busy';

/** The logs of a database, and who uses them. */
export class SqliteLogStore implements LogStore {
  readonly durability = 'fsync';
  readonly #options: SqliteStoreOptions;
  #opening: Promise<StoreWorkers> | undefined;
  /** By number, in the order in which they were begun. */
  readonly #listings = new Map<number, LogListing>();
  readonly #inUse = new Map<string, InUse>();
  #saver: SnapshotSaver | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: SqliteStoreOptions) {
    this.#options = options;
  }

  async openOwn(stream: StreamId, producer: PeerId, newLog: () => Epoch): Promise<LogStorage> {
    const workers = await this.#open();
    // One own log of a stream, whatever it is called.
    return await this.#exclusively(ownKey(stream), async () => {
      const known = this.#find((listing) => listing.isOwn && listing.stream === stream);
      if (known === undefined) return await this.#begin(workers, { stream, producer, log: newLog() }, true);
      if (known.listing.producer !== producer) {
        throw new LogStorageError('other', `${workers.where}: the log of the stream is of another producer`);
      }
      return await this.#reopen(workers, known.log);
    });
  }

  async openMirror({ stream, producer, log }: LogIdentity): Promise<LogStorage> {
    const workers = await this.#open();
    const identity = { stream, producer, log };
    const known = this.#find((listing) => isSame(listing, identity));
    return await this.#exclusively(keyOf(known?.listing ?? { ...identity, isOwn: false }), () =>
      known === undefined ? this.#begin(workers, identity, false) : this.#reopen(workers, known.log),
    );
  }

  async #begin(workers: StoreWorkers, identity: LogIdentity, isOwn: boolean): Promise<SqliteLog> {
    const { stream, producer, log } = identity;
    const opened = await workers.begin({ stream, producer, log }, isOwn);
    this.#listings.set(opened.log, listingOf(opened));
    return new SqliteLog(this.#hostOf(workers), opened);
  }

  async #reopen(workers: StoreWorkers, log: number): Promise<SqliteLog> {
    const opened = await workers.verify(log);
    workers.sweep();
    return new SqliteLog(this.#hostOf(workers), opened);
  }

  #hostOf(workers: StoreWorkers): ConstructorParameters<typeof SqliteLog>[0] {
    return {
      append: (origin, placed) => workers.append(origin, placed),
      read: (log, range) => workers.read(log, range),
      offsetAt: (log, timeMs, end) => workers.offsetAt(log, timeMs, end),
      offsetWithin: (log, maxBytes, end) => workers.offsetWithin(log, maxBytes, end),
      trim: (log, below) => workers.trim(log, below),
      closed: (log) => {
        const listing = this.#listings.get(log);
        if (listing !== undefined) this.#inUse.delete(keyOf(listing));
      },
    };
  }

  async list(stream: StreamId): Promise<readonly LogListing[]> {
    await this.#open();
    return [...this.#listings.values()].filter((listing) => listing.stream === stream);
  }

  async remove(identity: LogIdentity): Promise<void> {
    const workers = await this.#open();
    const known = this.#find((listing) => isSame(listing, identity));
    if (known === undefined) return;
    const key = keyOf(known.listing);
    this.#reserve(key);
    try {
      await workers.remove(known.log);
      this.#listings.delete(known.log);
    } finally {
      this.#inUse.delete(key);
    }
  }

  async loadSnapshot(fold: string): Promise<Uint8Array | undefined> {
    const workers = await this.#open();
    return await workers.loadSnapshot(fold);
  }

  async saveSnapshot(fold: string, snapshot: Uint8Array): Promise<void> {
    const workers = await this.#open();
    this.#saver ??= new SnapshotSaver(workers);
    await this.#saver.save(fold, snapshot);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const workers = await this.#opening?.catch(() => undefined);
    await Promise.all([...this.#inUse.values()].map((log) => (log === 'busy' ? undefined : log.close())));
    await this.#saver?.close();
    await workers?.close();
  }

  /** Opens the database with what comes first. */
  async #open(): Promise<StoreWorkers> {
    this.#requireOpen();
    this.#opening ??= this.#start();
    const workers = await this.#opening;
    this.#requireOpen();
    return workers;
  }

  async #start(): Promise<StoreWorkers> {
    try {
      const { workers, logs } = await StoreWorkers.open(this.#options);
      for (const opened of logs) this.#listings.set(opened.log, listingOf(opened));
      workers.sweep();
      return workers;
    } catch (error) {
      // Whoever had it may let go of it: the next call tries again.
      this.#opening = undefined;
      throw error;
    }
  }

  async #exclusively(key: string, open: () => Promise<SqliteLog>): Promise<SqliteLog> {
    this.#reserve(key);
    try {
      const log = await open();
      this.#inUse.set(key, log);
      if (this.#closing === undefined) return log;
      await log.close();
      throw new LogStorageError('closed', 'the store of logs is closed');
    } catch (error) {
      this.#inUse.delete(key);
      throw error;
    }
  }

  #reserve(key: string): void {
    if (this.#inUse.has(key)) throw new LogStorageError('inUse', 'the log is open already');
    this.#inUse.set(key, 'busy');
  }

  #find(
    matches: (listing: LogListing) => boolean,
  ): { readonly log: number; readonly listing: LogListing } | undefined {
    for (const [log, listing] of this.#listings) if (matches(listing)) return { log, listing };
    return undefined;
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new LogStorageError('closed', 'the store of logs is closed');
  }
}

function listingOf({ record }: OpenedLog): LogListing {
  const { stream, producer, log, isOwn } = record;
  return { stream, producer, log, isOwn };
}

function isSame(listing: LogIdentity, { stream, producer, log }: LogIdentity): boolean {
  return listing.stream === stream && listing.producer === producer && listing.log === log;
}

function ownKey(stream: StreamId): string {
  return `own ${stream}`;
}

function keyOf({ stream, producer, log, isOwn }: LogListing): string {
  return isOwn ? ownKey(stream) : `${stream} ${producer} ${log}`;
}
