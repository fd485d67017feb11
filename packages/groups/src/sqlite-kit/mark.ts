/**
 * The mark: a small file beside the database that says how far what is in it was acknowledged.
 *
 * The write-ahead log of SQLite ends at its first frame with a wrong checksum: one flipped bit there undoes all that came
 * after, and SQLite cannot tell it from a write that a crash had cut. The mark can: it is written after the fsync of each
 * transaction and before anybody hears of it, in place, within one sector. A database that ends before its mark has lost what was
 * promised. (Two places for one record tell a crash from damage: Alagappan et al., "Protocol-Aware Recovery for
 * Consensus-Based Storage", FAST 2018, §3.3.) It is not synced itself: it survives a kill exactly, and after a loss of power
 * may be older than the database, never newer.
 */
import { closeSync, existsSync, fsyncSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { crc32 } from 'node:zlib';
import { DecodeError } from '@mosaik/primitives';
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js';
import { ByteReader, ByteWriter } from '../bytes.ts';
import { FailureError } from './failure.ts';

const MAGIC = new TextEncoder().encode('mosaik log mark\n');
const CHECKSUM_BYTES = 4;
const OWNER_BYTES = 16;

/** What a mark says. */
export interface MarkContent {
  readonly format: number;
  /** Random, made with the database and written in it too: 16 bytes in hex. */
  readonly owner: string;
  /** Of the last transaction that was acknowledged. */
  readonly sequence: number;
}

export function markPath(path: string): string {
  return `${path}-mark`;
}

/**
 * The mark beside a database; undefined when there is none, or nothing in it yet: a crash when it was made.
 *
 * @throws {FailureError} for a damaged one.
 */
export function readMark(path: string): MarkContent | undefined {
  if (isBlank(path)) return undefined;
  try {
    return decodeMark(readFileSync(markPath(path)));
  } catch (thrown) {
    if (thrown instanceof DecodeError) {
      throw new FailureError({ kind: 'damaged', detail: `${markPath(path)}: ${thrown.message}` });
    }
    throw thrown;
  }
}

function isBlank(path: string): boolean {
  return !existsSync(markPath(path)) || statSync(markPath(path)).size === 0;
}

function decodeMark(bytes: Uint8Array): MarkContent {
  const expected = new ByteReader(bytes).uint32();
  const content = bytes.subarray(CHECKSUM_BYTES);
  if (crc32(content) !== expected) throw new DecodeError('malformed', 'its checksum is wrong');
  const reader = new ByteReader(content);
  const magic = reader.raw(MAGIC.length);
  if (bytesToHex(magic) !== bytesToHex(MAGIC)) throw new DecodeError('malformed', 'not a mark');
  const format = reader.uint32();
  const owner = bytesToHex(reader.raw(OWNER_BYTES));
  const sequence = reader.uint32() * 2 ** 32 + reader.uint32();
  reader.end();
  return { format, owner, sequence };
}

function encodeMark({ format, owner, sequence }: MarkContent): Uint8Array {
  const writer = new ByteWriter(64);
  writer.raw(MAGIC);
  writer.uint32(format);
  writer.raw(hexToBytes(owner));
  // Of one length whatever it says, so that it is written in place.
  writer.uint32(Math.floor(sequence / 2 ** 32));
  writer.uint32(sequence % 2 ** 32);
  const content = writer.finish();
  const sealed = new ByteWriter(CHECKSUM_BYTES + content.length);
  sealed.uint32(crc32(content));
  sealed.raw(content);
  return sealed.finish();
}

/** The writing end of a mark. */
export class Mark {
  readonly #file: number;
  readonly #content: Omit<MarkContent, 'sequence'>;

  /** Makes the file where there is none, durably; `onMade` is called when it is there, and empty. */
  constructor(path: string, content: MarkContent, onMade: () => void = () => {}) {
    const isNew = isBlank(path);
    this.#content = content;
    this.#file = openSync(markPath(path), isNew ? 'w' : 'r+');
    if (isNew) onMade();
    this.write(content.sequence);
    if (!isNew) return;
    fsyncSync(this.#file);
    syncFolderOf(path);
  }

  write(sequence: number): void {
    writeSync(this.#file, encodeMark({ ...this.#content, sequence }), 0, undefined, 0);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/**
 * Makes what is in a file durable, if it is there. A process that was killed may have written what it had not synced: what is
 * recovered is acted upon, and must not be lost after that.
 */
export function syncFile(path: string): void {
  if (!existsSync(path)) return;
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Makes what happened to the names in a folder durable. */
export function syncFolderOf(path: string): void {
  syncFile(dirname(path));
}
