import { DecodeError, toError } from '@mosaik/primitives';
import { ByteReader, ByteWriter } from '../../bytes.ts';
import { SnapshotFormatError } from '../errors.ts';

/** A machine's own chunk, at most; larger ones are refused when the snapshot is made. */
const MACHINE_CHUNK_BYTES_MAX = 16 * 1024 * 1024;
/** The header holds the session table, whose results are bounded. */
const HEADER_BYTES_MAX = 2 ** 31;

/*
 * The bytes of a snapshot, before they are cut into chunks of one size:
 *
 *   length of the header (4) | header | (length of a chunk + 1 (4) | chunk) × n | 0 (4)
 *
 * so that the machine gets back the chunks that it gave, and a snapshot that ends early is known as one.
 */
const LENGTH_BYTES = 4;

/** Writes a header and the chunks of a machine as chunks of `chunkBytes`, but for the last. */
export async function* writeStream(
  header: Uint8Array,
  chunks: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  chunkBytes: number,
): AsyncGenerator<Uint8Array, void, void> {
  const cutter = new Cutter(chunkBytes);
  yield* cutter.push(lengthBytes(header.length));
  yield* cutter.push(header);
  for await (const chunk of chunks) {
    if (chunk.length > MACHINE_CHUNK_BYTES_MAX) {
      throw new SnapshotFormatError(
        `the machine gave a chunk of ${chunk.length} bytes: give several smaller ones`,
      );
    }
    yield* cutter.push(lengthBytes(chunk.length + 1));
    yield* cutter.push(chunk);
  }
  yield* cutter.push(lengthBytes(0));
  yield* cutter.rest();
}

function lengthBytes(length: number): Uint8Array {
  const writer = new ByteWriter(LENGTH_BYTES);
  writer.uint32(length);
  return writer.finish();
}

/** Cuts what it is given into pieces of one size. */
class Cutter {
  readonly #size: number;
  #piece: Uint8Array<ArrayBuffer>;
  #length = 0;

  constructor(size: number) {
    this.#size = size;
    this.#piece = new Uint8Array(size);
  }

  *push(bytes: Uint8Array): Generator<Uint8Array, void, void> {
    for (let from = 0; from < bytes.length; ) {
      const count = Math.min(bytes.length - from, this.#size - this.#length);
      this.#piece.set(bytes.subarray(from, from + count), this.#length);
      this.#length += count;
      from += count;
      if (this.#length < this.#size) continue;
      yield this.#piece;
      this.#piece = new Uint8Array(this.#size);
      this.#length = 0;
    }
  }

  *rest(): Generator<Uint8Array, void, void> {
    if (this.#length > 0) yield this.#piece.slice(0, this.#length);
  }
}

/** Reads what {@link writeStream} wrote, however it is cut. */
export class StreamReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #piece: Uint8Array = new Uint8Array();
  #offset = 0;

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#source = chunks[Symbol.asyncIterator]();
  }

  /** @throws {SnapshotFormatError} */
  async header(): Promise<Uint8Array> {
    return this.#take(await this.#length(HEADER_BYTES_MAX));
  }

  /** The machine's chunks, after the header. @throws {SnapshotFormatError} */
  async *chunks(): AsyncGenerator<Uint8Array, void, void> {
    while (true) {
      const length = await this.#length(MACHINE_CHUNK_BYTES_MAX + 1);
      if (length === 0) break;
      yield await this.#take(length - 1);
    }
    if (!(await this.#isAtEnd())) throw new SnapshotFormatError('bytes after the end of the snapshot');
  }

  /** Tells the source that no more is read. */
  async release(): Promise<void> {
    await this.#source.return?.();
  }

  async #length(max: number): Promise<number> {
    const length = new ByteReader(await this.#take(LENGTH_BYTES)).uint32();
    if (length > max) throw new SnapshotFormatError(`a part of ${length} bytes, of at most ${max}`);
    return length;
  }

  /** The next bytes, in memory of their own. Grows with what arrives, whatever length was claimed. */
  async #take(count: number): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let missing = count;
    while (missing > 0) {
      if (await this.#isAtEnd()) throw new SnapshotFormatError('the snapshot ends early');
      const part = this.#piece.subarray(this.#offset, this.#offset + missing);
      this.#offset += part.length;
      missing -= part.length;
      parts.push(part);
    }
    const taken = new Uint8Array(count);
    let at = 0;
    for (const part of parts) {
      taken.set(part, at);
      at += part.length;
    }
    return taken;
  }

  async #isAtEnd(): Promise<boolean> {
    while (this.#offset >= this.#piece.length) {
      const next = await this.#source.next();
      if (next.done === true) return true;
      this.#piece = next.value;
      this.#offset = 0;
    }
    return false;
  }
}

/** A failure to decode what a snapshot holds, as one of the snapshot. */
export function asFormatError(thrown: unknown): Error {
  if (!(thrown instanceof DecodeError)) return toError(thrown);
  return new SnapshotFormatError(`the snapshot cannot be decoded: ${thrown.message}`, { cause: thrown });
}
