import type { StandardSchemaV1 } from '@standard-schema/spec';
import { cborDecoder, type DecodeOptions } from './decode.ts';
import { encodeCbor, encodeCborInto } from './encode.ts';
import { DecodeError, EncodeError } from './errors.ts';
import { validateSync } from './validate.ts';

/** A way to write values of one type as bytes. */
export interface Codec<T> {
  /** For logs and for handshakes; two codecs that do not understand each other have different names. */
  readonly name: string;
  /** @throws {EncodeError} for what cannot be written. */
  encode(value: T): Uint8Array;
  /** @throws {DecodeError} and nothing else, whatever the bytes. */
  decode(bytes: Uint8Array): T;
  /** Faster forms of both, for many small values; see {@link inPlaceOf}. */
  readonly inPlace?: InPlaceCodec<T> | undefined;
}

/** A codec that needs no memory in between. */
export interface InPlaceCodec<T> {
  /** What these are faster forms of. */
  readonly of: Pick<Codec<T>, 'encode' | 'decode'>;
  /**
   * Writes the encoding to `target` from `offset` on, and says where it ends, or undefined when there is no room. What lies
   * behind may be written over.
   */
  encodeInto(value: T, target: Uint8Array, offset: number): number | undefined;
  /** Decodes the bytes from `start` to `end`, without a view of them. */
  decodeWithin(bytes: Uint8Array, start: number, end: number): T;
}

/** The faster forms of a codec, unless it is one that was changed since it was made, as by `{ ...codec, decode }`. */
export function inPlaceOf<T>({ encode, decode, inPlace }: Codec<T>): InPlaceCodec<T> | undefined {
  return inPlace?.of.encode === encode && inPlace.of.decode === decode ? inPlace : undefined;
}

/** Adds the faster forms to a codec. */
export function withInPlace<T>(codec: Codec<T>, fast: Omit<InPlaceCodec<T>, 'of'>): Codec<T> {
  return { ...codec, inPlace: { ...fast, of: codec } };
}

/** Options of {@link cborCodec}. */
export interface CborCodecOptions<T> extends DecodeOptions {
  /** Checks, and may transform, what was decoded; any Standard Schema that validates synchronously. */
  readonly schema?: StandardSchemaV1<unknown, T> | undefined;
}

/**
 * Values as CBOR: see `encodeCbor` and `decodeCbor` for what survives.
 *
 * With a schema, what was decoded is validated; without one it is handed on as whatever the peer sent, and `T` is a
 * hope. Encoding does not validate.
 */
export function cborCodec<T>(options: CborCodecOptions<T> = {}): Codec<T> {
  const { schema } = options;
  const decodeUnchecked = cborDecoder(options) as (bytes: Uint8Array, start: number, end: number) => T;
  const decodeWithin: typeof decodeUnchecked =
    schema === undefined
      ? decodeUnchecked
      : (bytes, start, end) => validateSync(schema, decodeUnchecked(bytes, start, end));
  const codec: Codec<T> = {
    name: 'cbor',
    encode: encodeCbor,
    decode: (bytes) => decodeWithin(bytes, 0, bytes.length),
  };
  return withInPlace<T>(codec, { encodeInto: encodeCborInto, decodeWithin });
}

/** Bytes as they are: neither direction copies. */
export const bytesCodec: Codec<Uint8Array> = {
  name: 'bytes',
  encode: (value) => value,
  decode: (bytes) => bytes,
};

const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Text as UTF-8; a lone surrogate is written as U+FFFD, bytes that are not UTF-8 are refused. */
export const textCodec: Codec<string> = {
  name: 'text',
  encode: (value) => textEncoder.encode(value),
  decode: (bytes) => {
    try {
      return textDecoder.decode(bytes);
    } catch (cause) {
      throw new DecodeError('malformed', 'not UTF-8', { cause });
    }
  },
};

/** Options of {@link jsonCodec}. */
export interface JsonCodecOptions<T> {
  readonly schema?: StandardSchemaV1<unknown, T> | undefined;
}

/** Values as JSON in UTF-8; for people and other languages. The schema is as in {@link cborCodec}. */
export function jsonCodec<T>(options: JsonCodecOptions<T> = {}): Codec<T> {
  const { schema } = options;
  return {
    name: 'json',
    encode: (value) => textCodec.encode(toJson(value)),
    decode: (bytes) => {
      const value = fromJson(textCodec.decode(bytes));
      return schema === undefined ? (value as T) : validateSync(schema, value);
    },
  };
}

function toJson(value: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (cause) {
    throw new EncodeError('cannot be written as JSON', [], { cause });
  }
  if (text === undefined) throw new EncodeError(`${typeof value} cannot be written as JSON`);
  return text;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new DecodeError('malformed', 'not JSON', { cause });
  }
}
