import { StorageDamagedError } from '../errors.ts';
import { equalBytes, hashChunk } from '../manifest.ts';
import type { SimulatedMount } from './disk.ts';
import { type LogRecord, type PlacedRecord, type RecordPlace, readRecord } from './records.ts';

/** By position. */
type ChunkPlaces = ReadonlyMap<number, RecordPlace>;

/**
 * Where on the disk the entries and chunks of a log are. The log has them in memory, too, but what is read is verified where
 * it was written, as a log on a real disk does: damage is found when somebody reads.
 */
export class Places {
  readonly #entries = new Map<number, RecordPlace>();
  #staged = new Map<number, RecordPlace>();
  #stagedSnapshot = 0;
  #chunks: ChunkPlaces = this.#staged;

  /** Of the snapshot that is in force now. */
  get chunks(): ChunkPlaces {
    return this.#chunks;
  }

  note({ record, place }: PlacedRecord): void {
    switch (record.kind) {
      case 'batch':
        for (const { index } of record.batch.entries ?? []) this.#entries.set(index, place);
        break;
      case 'chunk':
        this.#begin(record.snapshot);
        this.#staged.set(record.position, place);
        break;
      case 'commit':
        this.#begin(record.snapshot);
        this.#chunks = this.#staged;
        break;
      case 'create':
      case 'prune':
        break;
    }
  }

  /** The records that hold some entries, each once. */
  ofEntries(entries: readonly { readonly index: number }[]): Iterable<RecordPlace> {
    return new Set(
      entries.map(({ index }) => this.#entries.get(index)).filter((place) => place !== undefined),
    );
  }

  #begin(snapshot: number): void {
    if (snapshot === this.#stagedSnapshot) return;
    this.#stagedSnapshot = snapshot;
    this.#staged = new Map();
  }
}

/** A file of records that is read again. */
interface RecordFile {
  readonly mount: Pick<SimulatedMount, 'read'>;
  readonly file: string;
  readonly where: string;
}

/** @throws {StorageDamagedError} when a record is not what was written. */
export function requireWhole(file: RecordFile, place: RecordPlace): void {
  if (recordAt(file, place) === undefined)
    throw new StorageDamagedError(file.where, `the checksum of record ${place.sequence} is wrong`);
}

/** @throws {StorageDamagedError} when a chunk is not there, or not what was written. */
export function requireChunk(file: RecordFile, place: RecordPlace | undefined, hash: Uint8Array): void {
  const record = place && recordAt(file, place);
  if (record?.kind !== 'chunk' || !equalBytes(hashChunk(record.bytes), hash))
    throw new StorageDamagedError(file.where, 'a chunk of the snapshot is not what was written');
}

function recordAt({ mount, file }: RecordFile, { sequence, from, to }: RecordPlace): LogRecord | undefined {
  return readRecord(mount.read(file, from, to) ?? new Uint8Array(), sequence);
}
