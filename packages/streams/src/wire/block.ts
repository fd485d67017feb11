import { DecodeError } from '@mosaik/primitives';
import { Kind, type Sequence } from './messages.ts';
import { readVarint, VARINT_BYTES_MAX, writeVarint } from './varint.ts';

/**
 * A run of encoded data of one producer, as it travels: made once, sent to every consumer that wants all of it.
 *
 * `[kind] [first place] ( [places skipped] [length] [datum] )* [places skipped]?`, numbers as varints. Places are skipped
 * where the consumer's criteria did not match. Each block of a subscription begins where the one before it ended, so that
 * a consumer sees when one is missing, whatever its criteria.
 */
export interface Block {
  /** The whole message, its kind first. */
  readonly bytes: Uint8Array;
  readonly first: Sequence;
  /** After the last place that this block covers. */
  readonly next: Sequence;
  /** How many data there are. */
  readonly count: number;
}

/** A block is sealed when it has reached this size: it then fills an encrypted frame, whose cost hardly depends on its size. */
export const BLOCK_BYTES: number = 60 * 1024;

/** What a datum takes besides itself, and the places that are skipped after the last one. */
const ROOM_BYTES = 3 * VARINT_BYTES_MAX;

const FIRST_SLAB_BYTES = 1024;
const SLAB_BYTES = 256 * 1024;

/**
 * Puts encoded data behind each other into blocks. Bytes of a slab are written once: who sends a block keeps references
 * to it. Idle streams send little, so slabs start small and grow while they fill. A block begins with its first datum, or,
 * with `from`, where the one before it ended.
 */
export class BlockWriter {
  #slab = new Uint8Array(0);
  #nextSlabBytes = FIRST_SLAB_BYTES;
  #start = 0;
  #end = 0;
  #first: Sequence = 0;
  /** The place after the last datum written. */
  #next: Sequence = 0;
  #count = 0;
  readonly #isContiguous: boolean;

  constructor(from?: Sequence) {
    this.#isContiguous = from !== undefined;
    this.#next = from ?? 0;
  }

  /** Up to where it has written. */
  get next(): Sequence {
    return this.#next;
  }

  get isEmpty(): boolean {
    return this.#count === 0;
  }

  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#end - this.#start;
  }

  get isFull(): boolean {
    return this.bytes >= BLOCK_BYTES;
  }

  append(sequence: Sequence, datum: Uint8Array): void {
    const { length } = datum;
    if (this.#count === 0) this.#begin(this.#isContiguous ? this.#next : sequence, length);
    else this.#reserve(ROOM_BYTES + length);
    this.#end = writeVarint(this.#slab, this.#end, sequence - this.#next);
    this.#end = writeVarint(this.#slab, this.#end, length);
    this.#slab.set(datum, this.#end);
    this.#end += length;
    this.#next = sequence + 1;
    this.#count++;
  }

  /** The block so far; the next datum begins another. The places up to `next` are skipped. */
  seal(next: Sequence = this.#next): Block {
    if (this.#count === 0) this.#begin(this.#next, 0);
    if (next > this.#next) this.#end = writeVarint(this.#slab, this.#end, next - this.#next);
    this.#next = next;
    const block: Block = {
      bytes: this.#slab.subarray(this.#start, this.#end),
      first: this.#first,
      next,
      count: this.#count,
    };
    this.#start = this.#end;
    this.#count = 0;
    return block;
  }

  #begin(sequence: Sequence, length: number): void {
    this.#start = this.#end;
    this.#reserve(1 + VARINT_BYTES_MAX + ROOM_BYTES + length);
    this.#first = sequence;
    this.#next = sequence;
    this.#slab[this.#end++] = Kind.Block;
    this.#end = writeVarint(this.#slab, this.#end, sequence);
  }

  /** Makes room; what the open block holds already moves along. */
  #reserve(bytes: number): void {
    if (this.#slab.length - this.#end >= bytes) return;
    const open = this.#slab.subarray(this.#start, this.#end);
    const slab = new Uint8Array(Math.max(this.#nextSlabBytes, open.length + bytes));
    slab.set(open);
    this.#nextSlabBytes = Math.min(4 * this.#nextSlabBytes, SLAB_BYTES);
    this.#slab = slab;
    this.#start = 0;
    this.#end = open.length;
  }
}

/**
 * Checks a message of kind block from end to end, so that it can be walked through without further checks.
 *
 * @throws {DecodeError} when it is not a block.
 */
export function scanBlock(message: Uint8Array): Block {
  const reader = { bytes: message, offset: 1 };
  const first = readVarint(reader);
  let next = first;
  let count = 0;
  while (reader.offset < message.length) {
    next += readVarint(reader);
    // The places skipped at the end have no datum behind them.
    if (reader.offset === message.length) break;
    const length = readVarint(reader);
    if (length > message.length - reader.offset) {
      throw new DecodeError('malformed', 'a datum is cut off', { offset: reader.offset });
    }
    reader.offset += length;
    next++;
    count++;
  }
  if (!Number.isSafeInteger(next)) throw new DecodeError('limit', 'a sequence beyond 2^53');
  return { bytes: message, first, next, count };
}

/** Goes through the data of a block that has been scanned, or was made here. */
export class BlockCursor {
  readonly #reader: { readonly bytes: Uint8Array; offset: number };
  #next: Sequence;
  #left: number;

  constructor(block: Pick<Block, 'bytes' | 'count'>) {
    this.#reader = { bytes: block.bytes, offset: 1 };
    this.#left = block.count;
    this.#next = readVarint(this.#reader);
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  /** The sequence of what {@link BlockCursor.take} gave last. */
  get sequence(): Sequence {
    return this.#next - 1;
  }

  /** The next datum, encoded; a view. There must be one. */
  take(): Uint8Array {
    const reader = this.#reader;
    this.#left--;
    this.#next += readVarint(reader) + 1;
    const length = readVarint(reader);
    const start = reader.offset;
    reader.offset = start + length;
    return reader.bytes.subarray(start, start + length);
  }
}
