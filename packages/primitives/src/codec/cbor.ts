// The `encode` entry is the plain JavaScript of cbor-x on every platform; the main one loads `node:` modules in Node.
import { Encoder } from 'cbor-x/encode';
import { DecodeError, EncodeError } from './errors.ts';
import { type DecodeLimits, scanCbor } from './scan.ts';

/** How {@link decodeCbor} decodes. */
export interface DecodeOptions extends DecodeLimits {
  /**
   * Whether byte strings and typed arrays get memory of their own; default true. With false they are views of the
   * input where that is possible, which spares a copy: only for an input that is never written to again, and that
   * may stay in memory as long as any of them.
   */
  readonly copyBytes?: boolean | undefined;
}

const OPTIONS = {
  useRecords: false,
  mapsAsObjects: true,
  variableMapSize: true,
  tagUint8Array: false,
  structuredClone: false,
} as const;
/** An option that the types of cbor-x leave out. */
const INT64_AS_NUMBER: object = { int64AsNumber: true };

const copying = new Encoder({ ...OPTIONS, copyBuffers: true });
const viewing = new Encoder({ ...OPTIONS, copyBuffers: false });
/** As above, with integers of 64 bits as numbers. */
const copyingNumbers = new Encoder({ ...OPTIONS, ...INT64_AS_NUMBER, copyBuffers: true });
const viewingNumbers = new Encoder({ ...OPTIONS, ...INT64_AS_NUMBER, copyBuffers: false });

/**
 * Encodings share a buffer, which cbor-x enlarges for a large one and then keeps; beyond this it is given back. With
 * 64 KiB here an encoding of that size took 25 µs, with 1 MiB it takes 9.
 */
const SHARED_BUFFER_BYTES_MAX = 1024 * 1024;
/** Of the class that cbor-x writes to (in Node a Buffer); slices of it are fresh buffers for cbor-x to write to. */
const emptyBuffer: Uint8Array = copying.encode(new Uint8Array(8000));

/**
 * Small inputs are decoded from a copy: cheaper than a view and a DataView each (371 against 476 ns for 95 bytes),
 * and cbor-x leaves a property on what it decodes.
 */
const scratch = new Uint8Array(4096);

/**
 * Encodes a value as CBOR (RFC 8949), by cbor-x.
 *
 * Numbers, bigints, strings, booleans, null, undefined, arrays, plain objects, `Uint8Array`, `Map` (tag 259), `Set`
 * (tag 258), `Date` (tag 1) and typed arrays (tags 64–86) come back from {@link decodeCbor} as they were, with these
 * exceptions: -0 becomes 0, a lone surrogate becomes U+FFFD, a byte order mark at the head of a text of more than 64
 * bytes is lost, a `Date` has microseconds at best, an instance of another class becomes a plain object. What the
 * decoder refuses (an `Error`, a `RegExp`, a key `__proto__`, a bigint beyond 2,048 bits, more than 64 levels) is not
 * always refused here. Not deterministic in the order of keys: see {@link encodeCanonical}.
 *
 * The result is never written to again, but may share its underlying buffer with others.
 *
 * @throws {EncodeError} for functions, symbols, blobs and cycles.
 */
export function encodeCbor(value: unknown): Uint8Array {
  let encoded: Uint8Array;
  try {
    encoded = copying.encode(value);
  } catch (cause) {
    releaseBuffer();
    throw new EncodeError(`cannot be encoded: ${messageOf(cause)}`, [], { cause });
  }
  if (encoded.buffer.byteLength > SHARED_BUFFER_BYTES_MAX) return detach(encoded);
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

/**
 * Decodes one CBOR item, checked by {@link scanCbor} first.
 *
 * Maps become plain objects (keys as text, the last of equal keys wins) unless they carry tag 259, which makes them a
 * `Map`. Integers of 64 bits become a bigint whatever their value, unless `int64` says otherwise. Byte strings are
 * `Uint8Array`, never a `Buffer`. Text that is not UTF-8 is repaired with U+FFFD.
 *
 * @throws {DecodeError} and nothing else.
 */
export function decodeCbor(bytes: Uint8Array, options: DecodeOptions = {}): unknown {
  scanCbor(bytes, options);
  try {
    const asNumbers = options.int64 === 'number';
    if (options.copyBytes === false) return (asNumbers ? viewingNumbers : viewing).decode(plainView(bytes));
    const decoder = asNumbers ? copyingNumbers : copying;
    if (bytes.length > scratch.length) return decoder.decode(plainView(bytes));
    scratch.set(bytes);
    return decodePart(decoder, scratch, bytes.length);
  } catch (cause) {
    throw new DecodeError('malformed', `not CBOR that is exchanged: ${messageOf(cause)}`, { cause });
  }
}

/** `decode` takes an end, which its types leave out. */
function decodePart(decoder: Encoder, source: Uint8Array, end: number): unknown {
  return (decoder.decode as (source: Uint8Array, end: number) => unknown).call(decoder, source, end);
}

/** The same bytes as a `Uint8Array` that is nobody else's; views of it are then `Uint8Array`, too. */
function plainView(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Takes a large encoding out of the shared buffer, with the buffer when it fills most of it, and starts another. */
function detach(encoded: Uint8Array): Uint8Array {
  releaseBuffer();
  const isMost = encoded.byteLength * 2 > encoded.buffer.byteLength;
  return isMost ? plainView(encoded) : new Uint8Array(encoded);
}

function releaseBuffer(): void {
  const fresh = Uint8Array.prototype.slice.call(emptyBuffer);
  (copying as unknown as { useBuffer(buffer: Uint8Array): void }).useBuffer(fresh);
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
