import { textCodec } from '@mosaik/primitives';
import { ByteReader, ByteWriter } from '../bytes.ts';
import type { LogIndex, LogPosition, MemberId, SnapshotMeta, Term } from '../raft/types.ts';
import { HASH_BYTES, manifestOf, type SnapshotManifest } from './manifest.ts';

/** A snapshot without its chunks. */
export interface SnapshotRecord {
  readonly meta: SnapshotMeta;
  readonly manifest: SnapshotManifest;
}

/** Writes what a snapshot is; its root follows from the rest. */
export function encodeSnapshot({ meta, manifest }: SnapshotRecord): Uint8Array {
  const writer = new ByteWriter(256 + manifest.chunkHashes.length * HASH_BYTES);
  writePosition(writer, meta);
  for (const members of [meta.configuration.voters, meta.configuration.learners]) {
    writer.varint(members.length);
    for (const member of members) writer.sized(textCodec.encode(member));
  }
  writer.varint(manifest.bytes);
  writer.varint(manifest.chunkHashes.length);
  for (const hash of manifest.chunkHashes) writer.raw(hash);
  return writer.finish();
}

/** @throws {DecodeError} and nothing else. */
export function decodeSnapshot(bytes: Uint8Array): SnapshotRecord {
  const reader = new ByteReader(bytes);
  const position = readPosition(reader);
  const [voters, learners] = [readMembers(reader), readMembers(reader)];
  const total = reader.varint();
  const hashes: Uint8Array[] = [];
  for (let left = reader.count(HASH_BYTES); left > 0; left--) hashes.push(reader.raw(HASH_BYTES).slice());
  reader.end();
  return { meta: { ...position, configuration: { voters, learners } }, manifest: manifestOf(total, hashes) };
}

function readMembers(reader: ByteReader): MemberId[] {
  const members: MemberId[] = [];
  for (let left = reader.count(); left > 0; left--)
    members.push(textCodec.decode(reader.sized()) as MemberId);
  return members;
}

export function writePosition(writer: ByteWriter, { index, term }: LogPosition): void {
  writer.varint(index);
  writer.varint(term);
}

/** @throws {DecodeError} and nothing else. */
export function readPosition(reader: ByteReader): LogPosition {
  return { index: reader.varint() as LogIndex, term: reader.varint() as Term };
}
