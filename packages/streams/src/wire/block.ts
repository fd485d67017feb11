import { type Codec, DecodeError, EncodeError, type InPlaceCodec, inPlaceOf } from '@mosaik/primitives';
import { type Loan, lend } from '@mosaik/transport';
import { Kind, type Sequence } from './messages.ts';
import { MESSAGE_BYTES_MAX } from './protocol.ts';
import { returnSlab, SLAB_BYTES, takeSlab } from './slabs.ts';
import { readVarint, VARINT_BYTES_MAX, varintBytes, writeVarint } from './varint.ts';

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
  /** Of the memory that it lies in: to be told of each who is given the block as it is. */
  readonly loan?: Loan | undefined;
}

/** A block is sealed when it has reached this size: it then fills an encrypted frame, whose cost hardly depends on its size. */
export const BLOCK_BYTES: number = 60 * 1024;

/** What is left of a message beside its heads. */
const DATUM_BYTES_MAX = MESSAGE_BYTES_MAX - 64;

/** What a datum takes besides itself, and the places that are skipped after the last one. */
const ROOM_BYTES = 3 * VARINT_BYTES_MAX;

const FIRST_SLAB_BYTES = 1024;
/** Smaller slabs are of streams that are idle or begin. */
const LENT_BYTES_MIN = 64 * 1024;
/** What is larger is encoded on its own: most of a slab would be left behind for it. */
const IN_PLACE_BYTES_MAX = SLAB_BYTES / 2;

export interface BlockWriterOptions {
  /** Where the first block begins, whatever its first datum. */
  readonly from?: Sequence | undefined;
  /**
   * Has the memory of blocks back when they have left: nobody keeps a view of one then but links, and each that gets one is told
   * to {@link Block.loan}. By default memory is left to the garbage collector.
   */
  readonly isLending?: boolean;
}

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
  #lastLength = 0;
  #isEncoding = false;
  readonly #isContiguous: boolean;
  readonly #isLending: boolean;
  #loan: Loan | undefined;

  constructor({ from, isLending = false }: BlockWriterOptions = {}) {
    this.#isContiguous = from !== undefined;
    this.#next = from ?? 0;
    this.#isLending = isLending;
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

  /**
   * Encodes a datum where it is to lie, if the codec can do that and the datum is not too large; returns its length.
   *
   * @throws what the codec throws; nothing was added then.
   */
  encode<T>(sequence: Sequence, datum: T, codec: Codec<T>): number {
    const length =
      this.#lastLength > IN_PLACE_BYTES_MAX ? undefined : this.#encodeInPlace(sequence, datum, codec);
    if (length !== undefined) {
      this.#lastLength = length;
      return length;
    }
    const encoded = codec.encode(datum);
    checkDatumSize(encoded.length);
    this.append(sequence, encoded);
    this.#lastLength = encoded.length;
    return encoded.length;
  }

  #encodeInPlace<T>(sequence: Sequence, datum: T, codec: Codec<T>): number | undefined {
    const inPlace = inPlaceOf(codec);
    if (inPlace === undefined) return undefined;
    if (this.#isEncoding) throw new EncodeError('it sends a datum of the same stream while it is encoded');
    this.#isEncoding = true;
    try {
      const length = this.#tryInPlace(sequence, datum, inPlace);
      if (length !== undefined) return length;
      // There was not room enough in what is left of this slab; there may be in the next.
      this.#reserve(this.#slab.length - this.#end + 1);
      return this.#tryInPlace(sequence, datum, inPlace);
    } finally {
      this.#isEncoding = false;
    }
  }

  #tryInPlace<T>(sequence: Sequence, datum: T, codec: InPlaceCodec<T>): number | undefined {
    if (this.#count === 0) this.#begin(this.#isContiguous ? this.#next : sequence, 0);
    else this.#reserve(ROOM_BYTES);
    const lengthAt = writeVarint(this.#slab, this.#end, sequence - this.#next);
    // Its length comes before it, and probably takes as many bytes as that of the last one.
    const guess = lengthAt + varintBytes(this.#lastLength);
    const guessedEnd = codec.encodeInto(datum, this.#slab, guess);
    if (guessedEnd === undefined) return undefined;
    const length = guessedEnd - guess;
    const start = lengthAt + varintBytes(length);
    if (start + length + VARINT_BYTES_MAX > this.#slab.length) return undefined;
    if (start !== guess) this.#slab.copyWithin(start, guess, guessedEnd);
    writeVarint(this.#slab, lengthAt, length);
    this.#end = start + length;
    this.#next = sequence + 1;
    this.#count++;
    return length;
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
      loan: this.#loan,
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
    const slab = takeSlab(Math.max(this.#nextSlabBytes, open.length + bytes));
    slab.set(open);
    this.#nextSlabBytes = Math.min(4 * this.#nextSlabBytes, SLAB_BYTES);
    this.#slab = slab;
    this.#start = 0;
    this.#end = open.length;
    // The end of a loan takes the memory away.
    this.#loan?.close();
    this.#loan =
      this.#isLending && slab.length >= LENT_BYTES_MIN ? lend(slab, () => returnSlab(slab)) : undefined;
  }
}

/** @throws {EncodeError} for a datum that no message holds. */
export function checkDatumSize(bytes: number): void {
  if (bytes > DATUM_BYTES_MAX)
    throw new EncodeError(`a datum takes at most ${DATUM_BYTES_MAX} bytes encoded`);
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
  readonly type = 'datum';
  /** The whole block. */
  readonly bytes: Uint8Array;
  readonly #reader: { readonly bytes: Uint8Array; offset: number };
  #next: Sequence;
  #left: number;

  constructor(block: Pick<Block, 'bytes' | 'count'>) {
    this.bytes = block.bytes;
    this.#reader = { bytes: block.bytes, offset: 1 };
    this.#left = block.count;
    this.#next = readVarint(this.#reader);
  }

  get isDone(): boolean {
    return this.#left === 0;
  }

  /** The sequence of the datum that was moved to. */
  get sequence(): Sequence {
    return this.#next - 1;
  }

  /** Where the datum that was moved to begins in the block… */
  start = 0;
  /** …and ends. */
  end = 0;

  /** Moves to the next datum. There must be one. */
  advance(): void {
    const reader = this.#reader;
    this.#left--;
    this.#next += readVarint(reader) + 1;
    const length = readVarint(reader);
    this.start = reader.offset;
    this.end = reader.offset + length;
    reader.offset = this.end;
  }

  /** The next datum, encoded; a view. There must be one. */
  take(): Uint8Array {
    this.advance();
    return this.#reader.bytes.subarray(this.start, this.end);
  }
}
