/** A block as a row: what it is in the first columns, so that searching reads no data, and a checksum on each part. */
import { crc32 } from 'node:zlib';

/** All of a block but its bytes. */
export interface BlockHead {
  readonly first: number;
  readonly next: number;
  readonly timeMs: number;
  /** The bytes of all blocks that were ever appended to the log before it: a block that is missing is noticed. */
  readonly position: number;
  readonly size: number;
  readonly dataChecksum: number;
}

export interface HeadRow extends BlockHead {
  readonly headChecksum: number;
}

export interface BlockRow extends HeadRow {
  readonly bytes: Uint8Array<ArrayBuffer>;
}

export const HEAD_COLUMNS = 'first, next, timeMs, position, size, dataChecksum, headChecksum';

/** The columns of the table of a log. */
export const BLOCK_TABLE = `(first INTEGER PRIMARY KEY, next INTEGER NOT NULL, timeMs INTEGER NOT NULL,
  position INTEGER NOT NULL, size INTEGER NOT NULL, dataChecksum INTEGER NOT NULL, headChecksum INTEGER NOT NULL,
  bytes BLOB NOT NULL)`;

export function blockTable(log: number): string {
  return `blocks_${log}`;
}

export function headChecksumOf(log: number, head: BlockHead): number {
  const { first, next, timeMs, position, size, dataChecksum } = head;
  const numbers = Float64Array.of(log, first, next, timeMs, position, size, dataChecksum);
  return crc32(new Uint8Array(numbers.buffer));
}

export function isHeadSound(log: number, row: HeadRow): boolean {
  const numbers = [row.next, row.timeMs, row.position, row.size, row.dataChecksum, row.headChecksum];
  return numbers.every((value) => typeof value === 'number') && headChecksumOf(log, row) === row.headChecksum;
}

/** Of a row whose head is sound. */
export function isDataSound({ bytes, size, dataChecksum }: BlockRow): boolean {
  return bytes instanceof Uint8Array && bytes.length === size && crc32(bytes) === dataChecksum;
}

/** Where the block ends, in bytes. */
export function endOf({ position, size }: BlockHead): number {
  return position + size;
}
