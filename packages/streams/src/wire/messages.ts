import {
  DecodeError,
  decodeCbor,
  encodeCbor,
  idFromBytes,
  idToBytes,
  type StreamId,
} from '@mosaik/primitives';

/**
 * What goes over a subscription (docs/wire.md): the consumer says `subscribe`, the producer answers `accepted` or closes
 * with a code; then come blocks of data, and `finished` when the producer ends in an orderly way. The first byte of a
 * message tells its kind.
 */
export const Kind = { Subscribe: 1, Accepted: 2, Block: 3, Finished: 4 } as const;

/** A producer's life: another one has other sequence numbers. 16 hexadecimal digits. */
export type Epoch = string & { readonly __brand: 'Epoch' };

/** The place of a datum among all that a producer accepted in one epoch, from 0. */
export type Sequence = number;

/** What a consumer asks for. */
export interface Subscribe {
  readonly stream: StreamId;
  /** Not checked yet. */
  readonly criteria: unknown;
  /** The consumer's signed catalog entry, in case the producer has not heard of it; empty when there is none. */
  readonly entry: Uint8Array;
}

/** Where a subscription begins. */
export interface Accepted {
  readonly epoch: Epoch;
  /** Of the first datum that this subscription covers. */
  readonly next: Sequence;
}

/** The producer has ended; nothing was sent from this sequence on. */
export interface Finished {
  readonly next: Sequence;
}

const EPOCH = /^[0-9a-f]{16}$/;
/** Criteria, and an entry of at most 64 KiB. */
const SUBSCRIBE_LIMITS = { maxBytes: 256 * 1024, maxDepth: 24, maxItems: 100_000 } as const;
const SMALL_LIMITS = { maxBytes: 64, maxDepth: 2, maxItems: 8, int64: 'number' } as const;

export function encodeSubscribe({ stream, criteria, entry }: Subscribe): Uint8Array {
  return withKind(Kind.Subscribe, [idToBytes(stream), criteria ?? null, entry]);
}

export function encodeAccepted({ epoch, next }: Accepted): Uint8Array {
  return withKind(Kind.Accepted, [epoch, next]);
}

export function encodeFinished({ next }: Finished): Uint8Array {
  return withKind(Kind.Finished, [next]);
}

/** @throws {DecodeError} */
export function decodeSubscribe(message: Uint8Array): Subscribe {
  const [stream, criteria, entry] = bodyOf(message, Kind.Subscribe, SUBSCRIBE_LIMITS);
  if (!(stream instanceof Uint8Array) || stream.length !== 32)
    throw new DecodeError('malformed', 'no stream id');
  if (!(entry instanceof Uint8Array)) throw new DecodeError('malformed', 'no entry');
  return { stream: idFromBytes(stream), criteria: criteria ?? undefined, entry };
}

/** @throws {DecodeError} */
export function decodeAccepted(message: Uint8Array): Accepted {
  const [epoch, next] = bodyOf(message, Kind.Accepted, SMALL_LIMITS);
  if (typeof epoch !== 'string' || !EPOCH.test(epoch)) throw new DecodeError('malformed', 'no epoch');
  return { epoch: epoch as Epoch, next: sequence(next) };
}

/** @throws {DecodeError} */
export function decodeFinished(message: Uint8Array): Finished {
  return { next: sequence(bodyOf(message, Kind.Finished, SMALL_LIMITS)[0]) };
}

/** The kind of a message; undefined for an empty one. */
export function kindOf(message: Uint8Array): number | undefined {
  return message[0];
}

function withKind(kind: number, body: readonly unknown[]): Uint8Array {
  const encoded = encodeCbor(body);
  const message = new Uint8Array(1 + encoded.length);
  message[0] = kind;
  message.set(encoded, 1);
  return message;
}

function bodyOf(
  message: Uint8Array,
  kind: number,
  limits: typeof SUBSCRIBE_LIMITS | typeof SMALL_LIMITS,
): unknown[] {
  if (message[0] !== kind) throw new DecodeError('malformed', `a message of kind ${kind} was expected`);
  const body = decodeCbor(message.subarray(1), limits);
  if (Array.isArray(body)) return body;
  throw new DecodeError('malformed', 'not a list');
}

function sequence(value: unknown): Sequence {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw new DecodeError('malformed', 'not a sequence number');
}
