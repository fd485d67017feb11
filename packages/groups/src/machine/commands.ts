import { DecodeError } from '@mosaik/primitives';
import { bytesToHex } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from '../bytes.ts';

/*
 * The data of an entry of kind `command`: a batch of what members sent, under one stamp of the leader.
 *
 *   entry    01 | now in ms (varint) | record, record, …
 *   open     00 | nonce (16)
 *   run      01 | session | sequence of the first | settled | count | (length | bytes) × count      (all varints)
 *   close    02 | session
 *
 * A record is written once, by the member whose commands it holds; a leader puts them together as they are.
 */
const VERSION = 1;
const OPEN = 0;
const RUN = 1;
const CLOSE = 2;

/** Bytes of a nonce. */
export const NONCE_BYTES = 16;
/** Of version and time. */
const ENTRY_HEAD_BYTES_MAX = 9;

/** Commands of one session, in a row. */
export interface CommandRun {
  /** The number that the session was given when it opened. */
  readonly session: number;
  /** Of the first command; the first one of a session has 1. */
  readonly sequence: number;
  /**
   * All commands of the session up to this sequence are settled: their results have arrived, nobody will ask again (Raft
   * dissertation §6.3). 0 for none.
   */
  readonly settled: number;
  /** Encoded by the codec of the machine. With none, the run only says what is settled and that the session is alive. */
  readonly commands: readonly Uint8Array[];
}

/** What a member asks for. */
export type CommandRecord =
  /** Opens a session, whose number the applier tells; an open that is sent twice opens two. */
  | { readonly kind: 'open'; readonly nonce: Uint8Array }
  | ({ readonly kind: 'run' } & CommandRun)
  | { readonly kind: 'close'; readonly session: number };

/** The data of an entry. */
export interface CommandEntry {
  /** The wall clock of the leader that took it, in whole ms since the Unix epoch. */
  readonly nowMs: number;
  readonly records: readonly CommandRecord[];
}

/** Writes what a member asks for, to be sent to the leader or put into an entry. */
export function encodeRecord(record: CommandRecord): Uint8Array {
  switch (record.kind) {
    case 'open':
      return encodeOpen(record.nonce);
    case 'run':
      return encodeRun(record);
    case 'close': {
      const writer = new ByteWriter(16);
      writer.byte(CLOSE);
      writer.varint(record.session);
      return writer.finish();
    }
  }
}

function encodeOpen(nonce: Uint8Array): Uint8Array {
  const writer = new ByteWriter(1 + NONCE_BYTES);
  writer.byte(OPEN);
  writer.raw(nonce);
  return writer.finish();
}

function encodeRun({ session, sequence, settled, commands }: CommandRun): Uint8Array {
  const bytes = commands.reduce((sum, { length }) => sum + length + 4, 0);
  const writer = new ByteWriter(64 + bytes);
  writer.byte(RUN);
  writer.varint(session);
  writer.varint(sequence);
  writer.varint(settled);
  writer.varint(commands.length);
  for (const command of commands) writer.sized(command);
  return writer.finish();
}

/** Puts records together, as {@link encodeRecord} wrote them. */
export function encodeEntry(nowMs: number, records: readonly Uint8Array[]): Uint8Array {
  const bytes = records.reduce((sum, { length }) => sum + length, 0);
  const writer = new ByteWriter(ENTRY_HEAD_BYTES_MAX + bytes);
  writer.byte(VERSION);
  writer.varint(nowMs);
  for (const record of records) writer.raw(record);
  return writer.finish();
}

/**
 * Reads the data of an entry; the commands are views of it.
 *
 * @throws {DecodeError} and nothing else.
 */
export function decodeEntry(data: Uint8Array): CommandEntry {
  const reader = new ByteReader(data);
  const version = reader.byte();
  if (version !== VERSION) throw new DecodeError('malformed', `commands of version ${version}`);
  const nowMs = reader.varint();
  return { nowMs, records: readRecords(reader) };
}

/**
 * Reads records that were put together, such as what a member forwards: to be checked before a leader takes them.
 *
 * @throws {DecodeError} and nothing else.
 */
export function decodeRecords(bytes: Uint8Array): CommandRecord[] {
  return readRecords(new ByteReader(bytes));
}

/** The text that stands for a nonce. */
export function nonceText(nonce: Uint8Array): string {
  return bytesToHex(nonce);
}

function readRecords(reader: ByteReader): CommandRecord[] {
  const records: CommandRecord[] = [];
  while (reader.remaining > 0) records.push(readRecord(reader));
  return records;
}

function readRecord(reader: ByteReader): CommandRecord {
  const kind = reader.byte();
  if (kind === RUN) return readRun(reader);
  if (kind === OPEN) return { kind: 'open', nonce: reader.raw(NONCE_BYTES) };
  if (kind === CLOSE) return { kind: 'close', session: reader.varint() };
  throw new DecodeError('malformed', `a record of kind ${kind}`, { offset: reader.offset });
}

function readRun(reader: ByteReader): CommandRecord {
  const session = reader.varint();
  const sequence = reader.varint();
  const settled = reader.varint();
  const count = reader.count();
  if (sequence < 1) throw new DecodeError('malformed', 'sequences begin at 1');
  if (settled >= sequence) throw new DecodeError('malformed', 'a command that is sent again is not settled');
  if (!Number.isSafeInteger(sequence + count)) throw new DecodeError('malformed', 'a sequence beyond 2^53');
  const commands: Uint8Array[] = [];
  for (let at = 0; at < count; at++) commands.push(reader.sized());
  return { kind: 'run', session, sequence, settled, commands };
}
