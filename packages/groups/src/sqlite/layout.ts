/** How a log is written into a database: the head, runs of entries, and what a snapshot is. All with checksums. */
import { crc32 } from 'node:zlib';
import { DecodeError, type GroupId, ID_BYTES, idFromBytes, idToBytes, textCodec } from '@mosaik/primitives';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from '../bytes.ts';
import type { Entry, EntryKind, HardState, LogIndex, LogPosition, MemberId, Term } from '../raft/types.ts';
import { INCARNATION_BYTES } from '../storage/incarnation.ts';
import { readPosition, writePosition } from '../storage/snapshot-codec.ts';
import type { Incarnation } from '../storage/storage.ts';

/** Of the whole file; in SQLite's `user_version`. */
export const FORMAT_VERSION = 1;
/** SQLite's `application_id`: "mosL". */
export const APPLICATION_ID = 0x6d6f734c;

/** Everything about a log but its entries and chunks: one row, written with each transaction. */
export interface Head {
  readonly group: GroupId;
  readonly incarnation: Incarnation;
  /** Counts transactions. */
  readonly sequence: number;
  readonly hardState: HardState;
  readonly base: LogPosition;
  readonly lastIndex: LogIndex;
  readonly commit: LogIndex;
  /** Of the current snapshot; 0 for none. */
  readonly snapshot: number;
}

const KINDS: readonly EntryKind[] = ['command', 'noop', 'configuration'];
const CHECKSUM_BYTES = 4;
const NO_VOTE = 0;
const VOTE = 1;

export function encodeHead(head: Head): Uint8Array {
  const writer = new ByteWriter(192);
  writer.raw(idToBytes(head.group));
  writer.raw(hexToBytes(head.incarnation));
  writer.varint(head.sequence);
  writer.varint(head.hardState.term);
  const { vote } = head.hardState;
  writer.byte(vote === undefined ? NO_VOTE : VOTE);
  writer.sized(textCodec.encode(vote ?? ''));
  writePosition(writer, head.base);
  writer.varint(head.lastIndex);
  writer.varint(head.commit);
  writer.varint(head.snapshot);
  return withChecksum(writer.finish());
}

/** @throws {DecodeError} also for a checksum that is wrong. */
export function decodeHead(bytes: Uint8Array): Head {
  const reader = new ByteReader(checked(bytes));
  const group = idFromBytes<GroupId>(reader.raw(ID_BYTES));
  const incarnation = bytesToHex(reader.raw(INCARNATION_BYTES)) as Incarnation;
  const sequence = reader.varint();
  const term = reader.varint() as Term;
  const hasVote = reader.byte() === VOTE;
  const vote = textCodec.decode(reader.sized()) as MemberId;
  const head: Head = {
    group,
    incarnation,
    sequence,
    hardState: { term, vote: hasVote ? vote : undefined },
    base: readPosition(reader),
    lastIndex: reader.varint() as LogIndex,
    commit: reader.varint() as LogIndex,
    snapshot: reader.varint(),
  };
  reader.end();
  return head;
}

/** Entries in a row as one value: each with a checksum over all of it, its place too. */
export function encodeEntries(entries: readonly Entry[]): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(entries.reduce((sum, { data }) => sum + data.length + 24, 0));
  for (const { index, term, kind, data } of entries) {
    const start = writer.length;
    writer.uint32(0);
    writer.byte(KINDS.indexOf(kind));
    writer.varint(index);
    writer.varint(term);
    writer.sized(data);
    writer.setUint32(start, crc32(writer.since(start + CHECKSUM_BYTES)));
  }
  return writer.finish();
}

/**
 * Reads what {@link encodeEntries} wrote; the data are views. `offset` is where an entry begins.
 *
 * @throws {DecodeError} also for a checksum that is wrong.
 */
export function* decodeEntries(
  bytes: Uint8Array,
): Generator<Entry & { readonly offset: number }, void, void> {
  const reader = new ByteReader(bytes);
  while (reader.remaining > 0) {
    const { offset } = reader;
    const checksum = reader.uint32();
    const start = reader.offset;
    const kind = KINDS[reader.byte()];
    const index = reader.varint() as LogIndex;
    const term = reader.varint() as Term;
    const data = reader.sized();
    if (crc32(bytes.subarray(start, reader.offset)) !== checksum || kind === undefined) {
      throw new DecodeError('malformed', `entry ${index}: its checksum is wrong`);
    }
    yield { index, term, kind, data, offset };
  }
}

/** Bytes after their CRC-32. */
export function withChecksum(bytes: Uint8Array): Uint8Array {
  const writer = new ByteWriter(CHECKSUM_BYTES + bytes.length);
  writer.uint32(crc32(bytes));
  writer.raw(bytes);
  return writer.finish();
}

/** @throws {DecodeError} when the checksum is wrong. */
export function checked(bytes: Uint8Array): Uint8Array {
  const expected = new ByteReader(bytes).uint32();
  const content = bytes.subarray(CHECKSUM_BYTES);
  if (crc32(content) !== expected) throw new DecodeError('malformed', 'a checksum is wrong');
  return content;
}
