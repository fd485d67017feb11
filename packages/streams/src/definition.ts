import {
  type Codec,
  cborDecoder,
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

const decodeWithViews = cborDecoder({ copyBytes: false });
const decodeWithCopies = cborDecoder({ copyBytes: true });

/**
 * CBOR. Bytes within a datum that fills most of the block it came in are views of that block: nobody else writes to it,
 * and keeping the datum keeps little else. Of smaller data they are copied, or a byte would keep a block alive.
 */
const datumCodec: Codec<unknown> = withInPlace<unknown>(
  {
    name: 'cbor',
    encode: encodeCbor,
    decode: (bytes) => decodeDefault(bytes, 0, bytes.length),
  },
  { encodeInto: encodeCborInto, decodeWithin: decodeDefault },
);

function decodeDefault(bytes: Uint8Array, start: number, end: number): unknown {
  return isMost(end - start, bytes)
    ? decodeWithViews(bytes, start, end)
    : decodeWithCopies(bytes, start, end);
}

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

/**
 * Decodes and checks the datum that lies from `start` to `end`, as a part of larger memory, such as of the block that it came in.
 *
 * @throws {DecodeError} when it is not one of the stream, and what its schema throws.
 */
export type DatumDecoder<Out> = (bytes: Uint8Array, start: number, end: number) => Out;

/** Decodes data of a stream; made once, as what there is to look at in a definition is then looked at once. */
export function datumDecoder<Out>({ codec, schema }: StreamDefinition<unknown, Out>): DatumDecoder<Out> {
  const decode =
    inPlaceOf(codec)?.decodeWithin ??
    ((bytes: Uint8Array, start: number, end: number) => codec.decode(bytes.subarray(start, end)));
  if (schema === undefined) return decode as DatumDecoder<Out>;
  return (bytes, start, end) => validateSync(schema, decode(bytes, start, end));
}
