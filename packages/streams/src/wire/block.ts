import { DecodeError } from '@mosaik/primitives';
import { Kind, type Sequence } from './messages.ts';
import { readVarint, VARINT_BYTES_MAX, varintBytes, writeVarint } from './varint.ts';

/**
 * A run of encoded data of one producer, as it travels: made once, sent to every consumer that wants all of it.
 *
 * `[kind] [sequence of the first place] ( [places skipped] [length] [datum] )*`, numbers as varints. Places are skipped where
 * the consumer's criteria did not match; a block without data only says how far the producer is.
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

const FIRST_SLAB_BYTES = 1024;
const SLAB_BYTES = 256 * 1024;

/**
 * Puts encoded data behind each other into blocks. Bytes of a slab are written once: who sends a block keeps references
 * to it. Idle streams send little, so slabs start small and grow while they fill.
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
    if (this.#count === 0) this.#begin(sequence, length);
    else this.#reserve(2 * VARINT_BYTES_MAX + length);
    this.#end = writeVarint(this.#slab, this.#end, sequence - this.#next);
    this.#end = writeVarint(this.#slab, this.#end, length);
    this.#slab.set(datum, this.#end);
    this.#end += length;
    this.#next = sequence + 1;
    this.#count++;
  }

  /** The block so far; the next datum begins another. `next` is at least the place after the last datum. */
  seal(next: Sequence = this.#next): Block {
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
    this.#reserve(1 + 3 * VARINT_BYTES_MAX + length);
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

/** A block without data, that only says how far the producer is. */
export function emptyBlock(next: Sequence): Block {
  const bytes = new Uint8Array(1 + varintBytes(next));
  bytes[0] = Kind.Block;
  writeVarint(bytes, 1, next);
  return { bytes, first: next, next, count: 0 };
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

  constructor(block: Pick<Block, 'bytes'>) {
    this.#reader = { bytes: block.bytes, offset: 1 };
    this.#next = readVarint(this.#reader);
  }

  get isDone(): boolean {
    return this.#reader.offset >= this.#reader.bytes.length;
  }

  /** The sequence of what {@link BlockCursor.take} gave last. */
  get sequence(): Sequence {
    return this.#next - 1;
  }

  /** The next datum, encoded; a view. There must be one. */
  take(): Uint8Array {
    const reader = this.#reader;
    this.#next += readVarint(reader) + 1;
    const length = readVarint(reader);
    const start = reader.offset;
    reader.offset = start + length;
    return reader.bytes.subarray(start, start + length);
  }
}
