/**
 * A log as a file of records, each with a checksum over its number and content; and the mark beside it. The bytes of a chunk
 * are not in the checksum: as in SQLite, they are verified by their hash, when they are read.
 */
import { DecodeError, type GroupId, ID_BYTES, idFromBytes, idToBytes, textCodec } from '@mosaik/primitives';
import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from '../../bytes.ts';
import type { Entry, EntryKind, HardState, LogIndex, MemberId, Term } from '../../raft/types.ts';
import { INCARNATION_BYTES } from '../incarnation.ts';
import type { Incarnation, LogBatch } from '../storage.ts';

const CHECKSUM_BYTES = 8;
const LENGTH_BYTES = 4;
const KINDS: readonly EntryKind[] = ['command', 'noop', 'configuration'];
const [CREATE, BATCH, CHUNK, COMMIT, PRUNE] = [0, 1, 2, 3, 4];

/** One change of a log. */
export type LogRecord =
  | { readonly kind: 'create'; readonly group: GroupId; readonly incarnation: Incarnation }
  | { readonly kind: 'batch'; readonly batch: LogBatch }
  | {
      readonly kind: 'chunk';
      readonly snapshot: number;
      readonly position: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'commit'; readonly snapshot: number; readonly record: Uint8Array }
  | { readonly kind: 'prune'; readonly upTo: LogIndex };

/** A record and where it is. */
export interface PlacedRecord {
  readonly record: LogRecord;
  readonly place: RecordPlace;
}

/** Where a record is in the file, and which one: its checksum is over its number, too. */
export interface RecordPlace {
  readonly sequence: number;
  readonly from: number;
  readonly to: number;
}

/** Writes a record: length, checksum, content. */
export function frameRecord(sequence: number, record: LogRecord): Uint8Array {
  const content = new ByteWriter();
  writeRecord(content, record);
  const bytes = content.finish();
  const frame = new ByteWriter(LENGTH_BYTES + CHECKSUM_BYTES + bytes.length);
  frame.uint32(bytes.length);
  frame.raw(checksum(sequence, covered(bytes)));
  frame.raw(bytes);
  return frame.finish();
}

/**
 * The records of a file in order, up to the first one that is not whole: `end` is where that one begins, at the end of the
 * file when all are.
 */
export function readRecords(file: Uint8Array): {
  readonly records: readonly PlacedRecord[];
  readonly end: number;
} {
  const records: PlacedRecord[] = [];
  const reader = new ByteReader(file);
  let end = 0;
  while (reader.remaining > 0) {
    const sequence = records.length + 1;
    const content = readFrame(reader, sequence);
    if (content === undefined) break;
    const place = { sequence, from: end, to: reader.offset };
    records.push({ record: parseRecord(content), place });
    end = reader.offset;
  }
  return { records, end };
}

/** Reads one record by itself; undefined when it is not what was written. */
export function readRecord(bytes: Uint8Array, sequence: number): LogRecord | undefined {
  const content = readFrame(new ByteReader(bytes), sequence);
  return content && parseRecord(content);
}

function readFrame(reader: ByteReader, sequence: number): Uint8Array | undefined {
  try {
    const length = reader.uint32();
    const expected = bytesToHex(reader.raw(CHECKSUM_BYTES));
    const content = reader.raw(length);
    return bytesToHex(checksum(sequence, covered(content))) === expected ? content : undefined;
  } catch (thrown) {
    if (thrown instanceof DecodeError) return undefined;
    throw thrown;
  }
}

/**
 * What of a record its checksum is over.
 *
 * @throws {DecodeError} for a chunk that has no head.
 */
function covered(content: Uint8Array): Uint8Array {
  if (content[0] !== CHUNK) return content;
  const reader = new ByteReader(content.subarray(1));
  for (const _ of ['snapshot', 'position', 'length']) reader.varint();
  return content.subarray(0, 1 + reader.offset);
}

function checksum(sequence: number, content: Uint8Array): Uint8Array {
  const key = new Uint8Array(32);
  new DataView(key.buffer).setFloat64(0, sequence);
  return blake3(content, { key, dkLen: CHECKSUM_BYTES });
}

function writeRecord(writer: ByteWriter, record: LogRecord): void {
  switch (record.kind) {
    case 'create':
      writer.byte(CREATE);
      writer.raw(idToBytes(record.group));
      writer.raw(hexToBytes(record.incarnation));
      break;
    case 'batch':
      writer.byte(BATCH);
      writeBatch(writer, record.batch);
      break;
    case 'chunk':
      writer.byte(CHUNK);
      writer.varint(record.snapshot);
      writer.varint(record.position);
      writer.varint(record.bytes.length);
      writer.raw(record.bytes);
      break;
    case 'commit':
      writer.byte(COMMIT);
      writer.varint(record.snapshot);
      writer.raw(record.record);
      break;
    case 'prune':
      writer.byte(PRUNE);
      writer.varint(record.upTo);
      break;
  }
}

/** @throws {DecodeError} */
function parseRecord(content: Uint8Array): LogRecord {
  const reader = new ByteReader(content);
  const kind = reader.byte();
  if (kind === CREATE) {
    const group = idFromBytes<GroupId>(reader.raw(ID_BYTES));
    return { kind: 'create', group, incarnation: bytesToHex(reader.raw(INCARNATION_BYTES)) as Incarnation };
  }
  if (kind === BATCH) return { kind: 'batch', batch: readBatch(reader) };
  if (kind === CHUNK) {
    const [snapshot, position, length] = [reader.varint(), reader.varint(), reader.varint()];
    const bytes = reader.raw(length);
    reader.end();
    return { kind: 'chunk', snapshot, position, bytes };
  }
  if (kind === COMMIT) {
    return { kind: 'commit', snapshot: reader.varint(), record: reader.raw(reader.remaining) };
  }
  if (kind === PRUNE) return { kind: 'prune', upTo: reader.varint() as LogIndex };
  throw new DecodeError('malformed', `a record of kind ${kind}`);
}

function writeBatch(writer: ByteWriter, { hardState, truncateFrom, entries = [], commit }: LogBatch): void {
  writer.varint(hardState === undefined ? 0 : hardState.term + 1);
  writer.byte(hardState?.vote === undefined ? 0 : 1);
  writer.sized(textCodec.encode(hardState?.vote ?? ''));
  writer.varint(truncateFrom ?? 0);
  writer.varint(commit ?? 0);
  writer.varint(entries.length);
  for (const { index, term, kind, data } of entries) {
    writer.varint(index);
    writer.varint(term);
    writer.byte(KINDS.indexOf(kind));
    writer.sized(data);
  }
}

function readBatch(reader: ByteReader): LogBatch {
  const hardState = readHardState(reader);
  const [truncateFrom, commit] = [reader.varint() as LogIndex, reader.varint() as LogIndex];
  const entries: Entry[] = [];
  for (let left = reader.count(4); left > 0; left--) {
    const [index, term] = [reader.varint() as LogIndex, reader.varint() as Term];
    const kind = KINDS[reader.byte()] ?? 'command';
    entries.push({ index, term, kind, data: reader.sized().slice() });
  }
  return { hardState, truncateFrom: truncateFrom || undefined, commit: commit || undefined, entries };
}

function readHardState(reader: ByteReader): HardState | undefined {
  const term = reader.varint() - 1;
  const hasVote = reader.byte() === 1;
  const vote = textCodec.decode(reader.sized()) as MemberId;
  return term < 0 ? undefined : { term: term as Term, vote: hasVote ? vote : undefined };
}

/** What the mark says: how many records were acknowledged. */
export function encodeMark(sequence: number): Uint8Array {
  const content = new Uint8Array(8);
  new DataView(content.buffer).setFloat64(0, sequence);
  const writer = new ByteWriter(16);
  writer.raw(checksum(0, content));
  writer.raw(content);
  return writer.finish();
}

/** @throws {DecodeError} for a mark that is not what was written. */
export function decodeMark(bytes: Uint8Array): number {
  const reader = new ByteReader(bytes);
  const expected = reader.raw(CHECKSUM_BYTES);
  const content = reader.raw(8).slice();
  reader.end();
  if (bytesToHex(checksum(0, content)) !== bytesToHex(expected)) {
    throw new DecodeError('malformed', 'the checksum of the mark is wrong');
  }
  return new DataView(content.buffer).getFloat64(0);
}
