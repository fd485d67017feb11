import { DecodeError } from '@mosaik/primitives';
import type { ByteReader, ByteWriter } from '../bytes.ts';
import { decodeConfiguration } from '../raft/configuration.ts';
import type { AppendRejection, AppendRequest, Message, MessageHeader } from '../raft/messages.ts';
import type { Entry, EntryKind, LogIndex, LogPosition, Term } from '../raft/types.ts';

/*
 * Messages of the core, as bytes: a type, the term, and the fields of the type in the order of the interfaces. From whom
 * and to whom follows from the bond. Numbers are varints (see ByteWriter).
 */

type MessageType = Message['type'];
type Body<Type extends MessageType> = Type extends MessageType
  ? Omit<Extract<Message, { type: Type }>, keyof MessageHeader>
  : never;

const TYPES: readonly MessageType[] = [
  'preVoteRequest',
  'preVoteResponse',
  'voteRequest',
  'voteResponse',
  'append',
  'appendResponse',
  'heartbeat',
  'heartbeatResponse',
  'catchUp',
  'timeoutNow',
  'readRequest',
  'readResponse',
];
const TYPE_CODES: Readonly<Record<MessageType, number>> = Object.fromEntries(
  TYPES.map((type, code) => [type, code]),
) as Record<MessageType, number>;

const KINDS: readonly EntryKind[] = ['command', 'noop', 'configuration'];
const KIND_CODES: Readonly<Record<EntryKind, number>> = { command: 0, noop: 1, configuration: 2 };

/** A term, a kind, a length. */
const ENTRY_BYTES_MIN = 3;

/** Writes a message. */
export function writeRaftMessage(writer: ByteWriter, message: Message): void {
  writer.byte(TYPE_CODES[message.type]);
  writer.varint(message.term);
  switch (message.type) {
    case 'append':
      writeAppend(writer, message);
      break;
    case 'appendResponse':
      writer.varint(message.match);
      writeRejection(writer, message.rejection);
      break;
    case 'heartbeat':
      writeNumbers(writer, message.commit, message.round);
      break;
    case 'heartbeatResponse':
      writeNumbers(writer, message.round, message.match);
      break;
    case 'catchUp':
      writer.varint(message.commit);
      break;
    case 'timeoutNow':
      break;
    case 'readRequest':
      writeNumbers(writer, message.context, message.epoch);
      break;
    case 'readResponse':
      writeNumbers(writer, message.context, message.epoch);
      writeOptional(writer, message.index);
      break;
    default:
      writeVote(writer, message);
  }
}

type VoteMessage = Extract<Message, { type: `${'preV' | 'v'}ote${string}` }>;

function writeVote(writer: ByteWriter, message: VoteMessage): void {
  switch (message.type) {
    case 'preVoteRequest':
      writePosition(writer, message.last);
      break;
    case 'voteRequest':
      writePosition(writer, message.last);
      writer.byte(message.isTransfer ? 1 : 0);
      break;
    case 'preVoteResponse':
    case 'voteResponse':
      writer.byte(message.granted ? 1 : 0);
      break;
  }
}

function writeNumbers(writer: ByteWriter, ...numbers: readonly number[]): void {
  for (const number of numbers) writer.varint(number);
}

function writeOptional(writer: ByteWriter, number: number | undefined): void {
  writer.byte(number === undefined ? 0 : 1);
  if (number !== undefined) writer.varint(number);
}

/** Bytes that a message will take, about. */
export function sizeOfRaftMessage(message: Message): number {
  if (message.type !== 'append') return 64;
  return message.entries.reduce((sum, { data }) => sum + data.length + 16, 64);
}

/**
 * Reads a message; the data of entries are views.
 *
 * @throws {DecodeError}
 */
export function readRaftMessage(reader: ByteReader, parties: Pick<MessageHeader, 'from' | 'to'>): Message {
  const type = TYPES[reader.byte()];
  if (type === undefined) throw new DecodeError('schema', 'a message of the core of an unknown type');
  const term = reader.varint() as Term;
  const message = { ...parties, term, ...readBody(type, reader) } as Message;
  reader.end();
  return message;
}

function readBody(type: MessageType, reader: ByteReader): Body<MessageType> {
  switch (type) {
    case 'preVoteRequest':
      return { type, last: readPosition(reader) };
    case 'preVoteResponse':
    case 'voteResponse':
      return { type, granted: readFlag(reader) };
    case 'voteRequest':
      return { type, last: readPosition(reader), isTransfer: readFlag(reader) } as Body<'voteRequest'>;
    case 'append':
      return readAppend(reader);
    case 'appendResponse':
      return readAppendResponse(reader);
    case 'heartbeat':
      return { type, commit: readIndex(reader), round: reader.varint() } as Body<'heartbeat'>;
    case 'heartbeatResponse':
      return { type, round: reader.varint(), match: readIndex(reader) } as Body<'heartbeatResponse'>;
    case 'catchUp':
      return { type, commit: readIndex(reader) } as Body<'catchUp'>;
    case 'timeoutNow':
      return { type };
    case 'readRequest':
      return { type, context: reader.varint(), epoch: reader.varint() } as Body<'readRequest'>;
    case 'readResponse':
      return readReadResponse(reader);
  }
}

function writePosition(writer: ByteWriter, { index, term }: LogPosition): void {
  writeNumbers(writer, index, term);
}

function readFlag(reader: ByteReader): boolean {
  const value = reader.byte();
  if (value > 1) throw new DecodeError('schema', 'a flag that is neither set nor clear');
  return value === 1;
}

function readPosition(reader: ByteReader): LogPosition {
  return { index: readIndex(reader), term: reader.varint() as Term };
}

function readIndex(reader: ByteReader): LogIndex {
  return reader.varint() as LogIndex;
}

function writeAppend(writer: ByteWriter, { previous, commit, entries }: AppendRequest): void {
  writePosition(writer, previous);
  writer.varint(commit);
  writeEntries(writer, entries);
}

/** Writes entries that follow one another. */
export function writeEntries(writer: ByteWriter, entries: readonly Entry[]): void {
  writer.varint(entries.length);
  for (const { term, kind, data } of entries) {
    writer.varint(term);
    writer.byte(KIND_CODES[kind]);
    writer.sized(data);
  }
}

/** Reads entries, the first of which is at `from`; the data are views. */
export function readEntries(reader: ByteReader, from: number): Entry[] {
  const count = reader.count(ENTRY_BYTES_MIN);
  const entries: Entry[] = [];
  let before = 0;
  for (let position = 0; position < count; position++) {
    const term = reader.varint() as Term;
    if (term < before) throw new DecodeError('schema', 'entries whose terms fall');
    before = term;
    const kind = KINDS[reader.byte()];
    if (kind === undefined) throw new DecodeError('schema', 'an entry of an unknown kind');
    const data = reader.sized();
    if (kind === 'configuration' && decodeConfiguration(data) === undefined)
      throw new DecodeError('schema', 'an entry that is no configuration');
    entries.push({ index: (from + position) as LogIndex, term, kind, data });
  }
  return entries;
}

function readAppend(reader: ByteReader): Body<'append'> {
  const previous = readPosition(reader);
  const commit = readIndex(reader);
  const entries = readEntries(reader, previous.index + 1);
  const [first] = entries;
  if (first !== undefined && first.term < previous.term)
    throw new DecodeError('schema', 'entries of a term before the one they follow');
  return { type: 'append', previous, commit, entries };
}

function writeRejection(writer: ByteWriter, rejection: AppendRejection | undefined): void {
  writer.byte(rejection === undefined ? 0 : 1);
  if (rejection === undefined) return;
  writer.varint(rejection.index);
  writePosition(writer, rejection.hint);
}

function readAppendResponse(reader: ByteReader): Body<'appendResponse'> {
  const match = readIndex(reader);
  if (!readFlag(reader)) return { type: 'appendResponse', match };
  return {
    type: 'appendResponse',
    match,
    rejection: { index: readIndex(reader), hint: readPosition(reader) },
  };
}

function readReadResponse(reader: ByteReader): Body<'readResponse'> {
  const context = reader.varint();
  const epoch = reader.varint();
  if (!readFlag(reader)) return { type: 'readResponse', context, epoch };
  return { type: 'readResponse', context, epoch, index: readIndex(reader) };
}
