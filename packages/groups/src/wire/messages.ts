import { DecodeError } from '@mosaik/primitives';
import { MESSAGE_HEAD_BYTES, writeMessageHead } from '../bonds/codec.ts';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { decodeConfiguration, encodeConfiguration } from '../raft/configuration.ts';
import type { Message, MessageHeader } from '../raft/messages.ts';
import type { Entry, LogIndex, MemberId, SnapshotMeta, Term } from '../raft/types.ts';
import { HASH_BYTES, manifestOf, type SnapshotManifest } from '../storage/manifest.ts';
import {
  readEntries,
  readRaftMessage,
  sizeOfRaftMessage,
  writeEntries,
  writeRaftMessage,
} from './raft-codec.ts';

/*
 * What members of a group say to each other, as the payload of messages of a bond: the tags of both sides (4 bytes each),
 * a kind, and its fields. Numbers are varints.
 */
const KINDS = [
  'raft',
  'forward',
  'forwardRefused',
  'rangeAsk',
  'range',
  'entriesAsk',
  'entries',
  'manifestAsk',
  'manifest',
  'chunkAsk',
  'chunk',
  'stateHash',
  'quiesce',
  'awake',
] as const;

/** What this member holds, and may give to others. */
export interface HeldRange {
  /** Entries up to here are gone. */
  readonly base: LogIndex;
  /** Known to be committed up to here. */
  readonly commit: LogIndex;
  /** The member's term when it said so. */
  readonly term: Term;
  /** Of its newest snapshot; 0 when it has none. */
  readonly snapshot: LogIndex;
}

export type GroupMessage =
  | { readonly kind: 'raft'; readonly message: Message }
  /** Records of commands, one after the other, for the leader. */
  | { readonly kind: 'forward'; readonly records: Uint8Array }
  /** They were not taken: the member does not lead, or has too much to do. To be sent again later. */
  | { readonly kind: 'forwardRefused' }
  | { readonly kind: 'rangeAsk'; readonly id: number }
  | { readonly kind: 'range'; readonly id: number; readonly held: HeldRange }
  | { readonly kind: 'entriesAsk'; readonly id: number; readonly from: LogIndex; readonly to: LogIndex }
  /** Committed entries; none when the member has them no longer. */
  | {
      readonly kind: 'entries';
      readonly id: number;
      readonly from: LogIndex;
      readonly entries: readonly Entry[];
    }
  | { readonly kind: 'manifestAsk'; readonly id: number }
  | { readonly kind: 'manifest'; readonly id: number; readonly offer: SnapshotOffer | undefined }
  | { readonly kind: 'chunkAsk'; readonly id: number; readonly index: LogIndex; readonly position: number }
  /** Empty when the member has the snapshot no longer. */
  | { readonly kind: 'chunk'; readonly id: number; readonly chunk: Uint8Array }
  | { readonly kind: 'stateHash'; readonly index: LogIndex; readonly hash: Uint8Array }
  /** The leader of this term rests: it lives as long as its bond does. All up to `index` is committed, and nothing is after it. */
  | { readonly kind: 'quiesce'; readonly term: Term; readonly index: LogIndex }
  /** It does not rest, or does not any more; from a follower: the leader must not. */
  | { readonly kind: 'awake' };

export interface SnapshotOffer {
  readonly meta: SnapshotMeta;
  /** The member's term when it offered. */
  readonly term: Term;
  readonly manifest: SnapshotManifest;
}

/** Writes a message as a frame of the bond, its head included. */
export function encodeGroupMessage(channel: number, parties: Parties, message: GroupMessage): Uint8Array {
  const writer = new ByteWriter(MESSAGE_HEAD_BYTES + 16 + expectedBytes(message));
  writer.raw(HEAD);
  writer.uint32(tagOf(parties.from));
  writer.uint32(tagOf(parties.to));
  writer.byte(KINDS.indexOf(message.kind));
  writeBody(writer, message);
  const frame = writer.finish();
  writeMessageHead(frame, channel);
  return frame;
}

const HEAD = new Uint8Array(MESSAGE_HEAD_BYTES);

/** From whom and to whom: of which life of either side. */
export type Parties = Pick<MessageHeader, 'from' | 'to'>;

/**
 * Stands for one life of a member: the first 32 bits of its incarnation. A peer that begins another life, in whose new log
 * nothing of the old one counts, keeps its bonds; what was under way between the old ones must not reach the new.
 */
function tagOf(member: MemberId): number {
  return Number.parseInt(member.slice(ID_TEXT_LENGTH, ID_TEXT_LENGTH + 8), 16);
}

const ID_TEXT_LENGTH = 64;

function expectedBytes(message: GroupMessage): number {
  switch (message.kind) {
    case 'raft':
      return sizeOfRaftMessage(message.message);
    case 'forward':
      return message.records.length;
    case 'chunk':
      return message.chunk.length + 16;
    case 'entries':
      return message.entries.reduce((sum, { data }) => sum + data.length + 16, 32);
    default:
      return 64;
  }
}

function writeBody(writer: ByteWriter, message: GroupMessage): void {
  switch (message.kind) {
    case 'raft':
      writeRaftMessage(writer, message.message);
      break;
    case 'forward':
      writer.raw(message.records);
      break;
    case 'forwardRefused':
    case 'awake':
      break;
    case 'quiesce':
      writer.varint(message.term);
      writer.varint(message.index);
      break;
    case 'stateHash':
      writer.varint(message.index);
      writer.raw(message.hash);
      break;
    default:
      writer.varint(message.id);
      writeAnswer(writer, message);
  }
}

function writeAnswer(writer: ByteWriter, message: Extract<GroupMessage, { id: number }>): void {
  switch (message.kind) {
    case 'range': {
      const { base, commit, term, snapshot } = message.held;
      for (const number of [base, commit, term, snapshot]) writer.varint(number);
      break;
    }
    case 'entriesAsk':
      writer.varint(message.from);
      writer.varint(message.to);
      break;
    case 'entries':
      writer.varint(message.from);
      writeEntries(writer, message.entries);
      break;
    case 'manifest':
      writeOffer(writer, message.offer);
      break;
    case 'chunkAsk':
      writer.varint(message.index);
      writer.varint(message.position);
      break;
    case 'chunk':
      writer.raw(message.chunk);
      break;
    case 'rangeAsk':
    case 'manifestAsk':
      break;
  }
}

function writeOffer(writer: ByteWriter, offer: SnapshotOffer | undefined): void {
  writer.byte(offer === undefined ? 0 : 1);
  if (offer === undefined) return;
  const { meta, term, manifest } = offer;
  writer.varint(meta.index);
  writer.varint(meta.term);
  writer.sized(encodeConfiguration(meta.configuration));
  writer.varint(term);
  writer.varint(manifest.bytes);
  writer.varint(manifest.chunkHashes.length);
  for (const hash of manifest.chunkHashes) writer.raw(hash);
}

/**
 * Reads a message; bytes in it are views of the payload. Undefined when it is from, or for, another life of a member.
 *
 * @throws {DecodeError}
 */
export function decodeGroupMessage(payload: Uint8Array, parties: Parties): GroupMessage | undefined {
  const reader = new ByteReader(payload);
  const [from, to] = [reader.uint32(), reader.uint32()];
  if (from !== tagOf(parties.from) || to !== tagOf(parties.to)) return undefined;
  const kind = KINDS[reader.byte()];
  switch (kind) {
    case 'raft':
      return { kind, message: readRaftMessage(reader, parties) };
    case 'forward':
      return { kind, records: reader.raw(reader.remaining) };
    case 'forwardRefused':
    case 'awake':
      return finished(reader, { kind });
    case 'quiesce':
      return finished(reader, { kind, term: reader.varint() as Term, index: readIndex(reader) });
    case 'stateHash':
      return finished(reader, { kind, index: readIndex(reader), hash: reader.raw(HASH_BYTES) });
    case undefined:
      throw new DecodeError('schema', 'a message of an unknown kind');
    default:
      return finished(reader, readAnswer(reader, kind));
  }
}

function finished(reader: ByteReader, message: GroupMessage): GroupMessage {
  reader.end();
  return message;
}

function readAnswer(reader: ByteReader, kind: Extract<GroupMessage, { id: number }>['kind']): GroupMessage {
  const id = reader.varint();
  switch (kind) {
    case 'rangeAsk':
    case 'manifestAsk':
      return { kind, id };
    case 'range':
      return { kind, id, held: readHeld(reader) };
    case 'entriesAsk':
      return { kind, id, from: readIndex(reader), to: readIndex(reader) };
    case 'entries': {
      const from = readIndex(reader);
      return { kind, id, from, entries: readEntries(reader, from) };
    }
    case 'manifest':
      return { kind, id, offer: readOffer(reader) };
    case 'chunkAsk':
      return { kind, id, index: readIndex(reader), position: reader.varint() };
    case 'chunk':
      return { kind, id, chunk: reader.raw(reader.remaining) };
  }
}

function readIndex(reader: ByteReader): LogIndex {
  return reader.varint() as LogIndex;
}

function readHeld(reader: ByteReader): HeldRange {
  const base = readIndex(reader);
  const commit = readIndex(reader);
  return { base, commit, term: reader.varint() as Term, snapshot: readIndex(reader) };
}

function readOffer(reader: ByteReader): SnapshotOffer | undefined {
  const isThere = reader.byte();
  if (isThere > 1) throw new DecodeError('schema', 'a flag that is neither set nor clear');
  if (isThere === 0) return undefined;
  const index = readIndex(reader);
  const metaTerm = reader.varint() as Term;
  const configuration = decodeConfiguration(reader.sized());
  if (configuration === undefined) throw new DecodeError('schema', 'a snapshot without a configuration');
  const term = reader.varint() as Term;
  const bytes = reader.varint();
  const count = reader.count(HASH_BYTES);
  const hashes = Array.from({ length: count }, () => reader.raw(HASH_BYTES).slice());
  return { meta: { index, term: metaTerm, configuration }, term, manifest: manifestOf(bytes, hashes) };
}
