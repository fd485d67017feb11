import {
  type Codec,
  decodeCbor,
  decodeCborWithin,
  encodeCbor,
  encodeCborInto,
  InvalidArgumentError,
  inPlaceOf,
  isUniqueId,
  type StreamId,
  streamId,
  validateSync,
  withInPlace,
} from '@mosaik/primitives';
import type { StandardSchemaV1 } from '@standard-schema/spec';

/**
 * Names a stream and the type of its data, for both sides.
 *
 * `In` is what producers send, `Out` what consumers receive; they differ only where a schema transforms or fills in
 * defaults. On the wire travels what was sent: each side validates, and only the receiving one transforms.
 */
export interface StreamDefinition<In, Out = In> {
  readonly id: StreamId;
  /** For people; the id is what counts. */
  readonly name: string;
  readonly codec: Codec<In>;
  readonly schema: StandardSchemaV1<In, Out> | undefined;
}

/**
 * CBOR. Bytes within a datum that fills most of the block it came in are views of that block: nobody else writes to it,
 * and keeping the datum keeps little else. Of smaller data they are copied, or a byte would keep a block alive.
 */
const datumCodec: Codec<unknown> = withInPlace<unknown>(
  {
    name: 'cbor',
    encode: encodeCbor,
    decode: (bytes) => decodeCbor(bytes, isMost(bytes.length, bytes) ? VIEWS : COPIES),
  },
  {
    encodeInto: encodeCborInto,
    decodeWithin: (bytes, start, end) =>
      decodeCborWithin(bytes, start, end, isMost(end - start, bytes) ? VIEWS : COPIES),
  },
);

const VIEWS = { copyBytes: false } as const;
const COPIES = { copyBytes: true } as const;

function isMost(length: number, bytes: Uint8Array): boolean {
  // What is not most of a part is not most of the whole, whose size takes a tenth of the time of a small datum to ask for.
  return 2 * length >= bytes.length && 2 * length >= bytes.buffer.byteLength;
}

/** What a definition may say besides its name. */
export interface StreamDefinitionOptions<In, Out = In> {
  /** Checks each datum on both sides; any Standard Schema that validates synchronously. */
  readonly schema?: StandardSchemaV1<In, Out> | undefined;
  /** How data are written as bytes; both sides must agree. Default: CBOR. */
  readonly codec?: Codec<In> | undefined;
  /** Default: the BLAKE3 hash of the name, so that whoever says the same name means the same stream. */
  readonly id?: StreamId | undefined;
}

/** What producers of a stream send. */
export type StreamInput<S> = S extends StreamDefinition<infer In, infer _> ? In : never;
/** What consumers of a stream receive. */
export type StreamOutput<S> = S extends StreamDefinition<infer _, infer Out> ? Out : never;

/**
 * Defines a stream of `T`; nothing checks at run time that the data are of that type.
 *
 * @throws {InvalidArgumentError} when the name is empty.
 */
export function stream<T>(name: string, options?: StreamDefinitionOptions<T>): StreamDefinition<T>;
/** Defines a stream whose data a schema describes and checks. */
export function stream<Schema extends StandardSchemaV1>(
  name: string,
  schema: Schema,
): StreamDefinition<StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>>;
/** Defines a stream with a schema and more. */
export function stream<Schema extends StandardSchemaV1>(
  name: string,
  options: { readonly schema: Schema } & Omit<
    StreamDefinitionOptions<StandardSchemaV1.InferInput<Schema>>,
    'schema'
  >,
): StreamDefinition<StandardSchemaV1.InferInput<Schema>, StandardSchemaV1.InferOutput<Schema>>;
export function stream<In, Out>(
  name: string,
  given: StandardSchemaV1<In, Out> | StreamDefinitionOptions<In, Out> = {},
): StreamDefinition<In, Out> {
  if (typeof name !== 'string' || name === '')
    throw new InvalidArgumentError('name', 'a text that is not empty');
  const options: StreamDefinitionOptions<In, Out> = '~standard' in given ? { schema: given } : given;
  const { schema, codec = datumCodec as Codec<In>, id = streamId(name) } = options;
  if (!isUniqueId(id)) throw new InvalidArgumentError('id', '64 lowercase hexadecimal digits');
  return Object.freeze({ id, name, codec, schema });
}

/** A datum as it travels: a part of larger memory, such as of the block that it came in. */
export interface EncodedDatum {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/**
 * Decodes and checks a datum.
 *
 * @throws {DecodeError} when it is not one of this stream, and what its schema throws.
 */
export function decodeDatum<Out>(
  { codec, schema }: StreamDefinition<unknown, Out>,
  { bytes, start, end }: EncodedDatum,
): Out {
  const inPlace = inPlaceOf(codec);
  const decoded =
    inPlace === undefined
      ? codec.decode(bytes.subarray(start, end))
      : inPlace.decodeWithin(bytes, start, end);
  return schema === undefined ? (decoded as Out) : validateSync(schema, decoded);
}
