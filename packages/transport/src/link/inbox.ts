import { MosaikError } from '@mosaik/primitives';
import { CloseCode } from '../codes.ts';
import { HEADER_BYTES, isControl, lengthOf, MAX_CONTROL_BYTES, readHeader } from './frame.ts';

/** The other side sent what no frame may be; `closeCode` is what the link closes with. */
export class FramingError extends MosaikError {
  override readonly name = 'FramingError';
  readonly closeCode: number;

  constructor(closeCode: number, message: string) {
    super('ERR_FRAMING', message);
    this.closeCode = closeCode;
  }
}

const EMPTY = new Uint8Array(0);

/** What a record that straddles chunks gets at first; most fit, and need no second copy. */
const FIRST_PARTIAL_BYTES = 128 * 1024;

/** A run of whole data records, headers included, in one piece of memory. */
interface Segment {
  readonly bytes: Uint8Array;
  /** Where the next record starts. */
  offset: number;
  readonly end: number;
}

/**
 * Bytes on their way in: finds the frames as chunks arrive, hands out the payloads when they are asked for.
 *
 * Headers are checked on arrival, so that control records are seen and oversized frames refused before they are
 * buffered; payloads are sliced only on {@link Inbox.next}. Payloads are views of the chunks they came in: only a
 * record that straddles chunks is copied.
 */
export class Inbox {
  readonly #maxFrameBytes: number;
  readonly #onControl: (payload: Uint8Array) => void;
  readonly #segments: Segment[] = [];
  #firstSegment = 0;
  #bytes = 0;
  #partial: Uint8Array = EMPTY;
  #partialBytes = 0;

  constructor(maxFrameBytes: number, onControl: (payload: Uint8Array) => void) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#onControl = onControl;
  }

  /** Bytes of whole data records that nobody has taken yet. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Whether a frame has begun to arrive and not ended. */
  get isMidFrame(): boolean {
    return this.#partialBytes > 0;
  }

  /**
   * Takes in a chunk; returns whether all of it was copied, so that no view of it is left.
   *
   * @throws {FramingError} when a header in it cannot be; what came before it is kept, nothing after it is looked at.
   */
  push(chunk: Uint8Array): boolean {
    let offset = 0;
    while (this.#partialBytes > 0 && offset < chunk.length) offset = this.#completePartial(chunk, offset);
    return offset === chunk.length || this.#scan(chunk, offset) === offset;
  }

  /** The payload of the next data record, or `undefined` when there is none yet. */
  next(): Uint8Array | undefined {
    const segment = this.#segments[this.#firstSegment];
    if (segment === undefined) return undefined;
    const start = segment.offset + HEADER_BYTES;
    const end = start + lengthOf(readHeader(segment.bytes, segment.offset));
    this.#bytes -= end - segment.offset;
    segment.offset = end;
    if (end === segment.end) this.#dropSegment();
    return segment.bytes.subarray(start, end);
  }

  clear(): void {
    this.#segments.length = 0;
    this.#firstSegment = 0;
    this.#bytes = 0;
    this.#partial = EMPTY;
    this.#partialBytes = 0;
  }

  /** Walks the records that lie in `chunk` as a whole, and copies what is left of the last one; returns where they end. */
  #scan(chunk: Uint8Array, from: number): number {
    let start = from;
    let offset = from;
    while (chunk.length - offset >= HEADER_BYTES) {
      const header = readHeader(chunk, offset);
      const violation = this.#violationOf(header);
      if (violation) {
        this.#addSegment(chunk, start, offset);
        throw violation;
      }
      const end = offset + HEADER_BYTES + lengthOf(header);
      if (end > chunk.length) break;
      if (isControl(header)) {
        this.#addSegment(chunk, start, offset);
        start = end;
        this.#onControl(chunk.subarray(offset + HEADER_BYTES, end));
      }
      offset = end;
    }
    this.#addSegment(chunk, start, offset);
    if (offset < chunk.length) this.#keepPartial(chunk.subarray(offset));
    return offset;
  }

  /** Adds to the record that is incomplete as much of `chunk` as it lacks; returns where the rest begins. */
  #completePartial(chunk: Uint8Array, offset: number): number {
    const wanted = this.#partialBytes < HEADER_BYTES ? HEADER_BYTES : this.#partialLength();
    const end = Math.min(chunk.length, offset + wanted - this.#partialBytes);
    this.#keepPartial(chunk.subarray(offset, end));
    if (this.#partialBytes >= HEADER_BYTES && this.#partialBytes === this.#partialLength())
      this.#finishPartial();
    return end;
  }

  /** Copies into a buffer that doubles up to the length announced: who only announces much makes us hold little. */
  #keepPartial(bytes: Uint8Array): void {
    const needed = this.#partialBytes + bytes.length;
    if (needed > this.#partial.length) {
      const known = this.#partialBytes >= HEADER_BYTES ? this.#partialLength() : needed;
      const grown = new Uint8Array(
        Math.max(needed, Math.min(known, Math.max(FIRST_PARTIAL_BYTES, 2 * needed))),
      );
      grown.set(this.#partial.subarray(0, this.#partialBytes));
      this.#partial = grown;
    }
    this.#partial.set(bytes, this.#partialBytes);
    this.#partialBytes = needed;
  }

  /** The length of the incomplete record, header included; its header is complete. */
  #partialLength(): number {
    const header = readHeader(this.#partial, 0);
    const violation = this.#violationOf(header);
    if (violation) throw violation;
    return HEADER_BYTES + lengthOf(header);
  }

  #finishPartial(): void {
    const record = this.#partial.subarray(0, this.#partialBytes);
    this.#partial = EMPTY;
    this.#partialBytes = 0;
    if (isControl(readHeader(record, 0))) this.#onControl(record.subarray(HEADER_BYTES));
    else this.#addSegment(record, 0, record.length);
  }

  #violationOf(header: number): FramingError | undefined {
    const length = lengthOf(header);
    if (isControl(header)) {
      if (length <= MAX_CONTROL_BYTES) return undefined;
      return new FramingError(CloseCode.Malformed, `a control record of ${length} bytes`);
    }
    if (length <= this.#maxFrameBytes) return undefined;
    const message = `a frame of ${length} bytes is over the limit of ${this.#maxFrameBytes}`;
    return new FramingError(CloseCode.FrameTooLarge, message);
  }

  #addSegment(bytes: Uint8Array, offset: number, end: number): void {
    if (end === offset) return;
    this.#segments.push({ bytes, offset, end });
    this.#bytes += end - offset;
  }

  #dropSegment(): void {
    this.#firstSegment++;
    // Amortised O(1): the front is cut off when it is at least half of the list.
    if (this.#firstSegment * 2 >= this.#segments.length) {
      this.#segments.splice(0, this.#firstSegment);
      this.#firstSegment = 0;
    }
  }
}
