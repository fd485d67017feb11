import { DecodeError, idToBytes, type PeerId, type StreamId } from '@mosaik/primitives';
import type { Epoch, Sequence } from '@mosaik/streams';
import type { LogExtent, LogIdentity } from '../log/log-storage.ts';
import {
  decodeBody,
  encodeMessage,
  malformed,
  readArray,
  readBytes,
  readCount,
  readId,
  readLog,
} from './fields.ts';

/**
 * What goes over a link of the store (docs/wire.md). Whoever opened it asks: `list` and `read` as often as it likes, one
 * after the other, `follow` as the last. Blocks travel as they do in streams, and as they are kept.
 */
export const Kind = {
  List: 1,
  Read: 2,
  /** The kind of a block in streams. */
  Block: 3,
  Follow: 4,
  AskSnapshot: 5,
  Logs: 16,
  Opened: 17,
  Time: 18,
  Skipped: 19,
  Reached: 20,
  Snapshot: 21,
  Chunk: 22,
} as const;

/** Asks which logs of a stream are kept. */
export interface ListRequest {
  readonly kind: 'list';
  readonly stream: StreamId;
  /** The signed catalog entry of who asks; empty when there is none. */
  readonly entry: Uint8Array;
  /** Asks, too, where what was kept at this time or later begins. */
  readonly sinceMs: number | undefined;
}

/** Asks for the data of a log from an offset on: up to another one, or as they come. */
export interface ReadRequest {
  readonly kind: 'read' | 'follow';
  readonly identity: LogIdentity;
  readonly entry: Uint8Array;
  readonly from: Sequence;
  /** Of `read`. */
  readonly to: Sequence;
}

/** A log as its holder describes it. */
export interface LogOffer extends LogExtent {
  readonly producer: PeerId;
  readonly log: Epoch;
  /** It is the holder's own log, and the holder writes to it: nobody can be further. */
  readonly isOwn: boolean;
  /** The first offset that was kept at `sinceMs` or later, when that was asked. */
  readonly since: Sequence | undefined;
}

/** Where a log began and ended when it was opened to be read. */
export interface Opened {
  readonly first: Sequence;
  readonly next: Sequence;
}

const ENTRY_BYTES_MAX = 80 * 1024;
const REQUEST_LIMITS = { maxBytes: ENTRY_BYTES_MAX, maxDepth: 2, maxItems: 16 } as const;
const SMALL_LIMITS = { maxBytes: 64, maxDepth: 1, maxItems: 4 } as const;
/** Logs of one stream that one holder tells of. */
export const LOGS_MAX = 4_096;
const LOG_FIELDS = 8;
const LOGS_LIMITS = {
  maxBytes: 1024 * 1024,
  maxDepth: 3,
  maxItems: LOGS_MAX * (LOG_FIELDS + 1) + 4,
} as const;

export function encodeList({ stream, entry, sinceMs }: Omit<ListRequest, 'kind'>): Uint8Array {
  return encodeMessage(Kind.List, [idToBytes(stream), entry, sinceMs ?? null]);
}

/** @throws {DecodeError} */
export function decodeList(message: Uint8Array): ListRequest {
  const [stream, entry, sinceMs] = decodeBody(message, 3, REQUEST_LIMITS);
  return {
    kind: 'list',
    stream: readId(stream),
    entry: readBytes(entry),
    sinceMs: sinceMs === null ? undefined : readCount(sinceMs),
  };
}

export function encodeRead({ kind, identity, entry, from, to }: ReadRequest): Uint8Array {
  const { stream, producer, log } = identity;
  const body = [idToBytes(stream), entry, idToBytes(producer), log, from, to];
  return encodeMessage(kind === 'read' ? Kind.Read : Kind.Follow, body);
}

/** @throws {DecodeError} */
export function decodeRead(message: Uint8Array): ReadRequest {
  const [stream, entry, producer, log, from, to] = decodeBody(message, 6, REQUEST_LIMITS);
  return {
    kind: message[0] === Kind.Read ? 'read' : 'follow',
    identity: { stream: readId(stream), producer: readId(producer), log: readLog(log) },
    entry: readBytes(entry),
    from: readCount(from),
    to: readCount(to),
  };
}

export function encodeLogs(logs: readonly LogOffer[]): Uint8Array {
  const list = logs.map(({ producer, log, first, next, bytes, newestMs, isOwn, since }) => [
    idToBytes(producer),
    log,
    first,
    next,
    bytes,
    newestMs,
    isOwn,
    since ?? null,
  ]);
  return encodeMessage(Kind.Logs, [list]);
}

/** @throws {DecodeError} */
export function decodeLogs(message: Uint8Array): readonly LogOffer[] {
  requireKind(message, Kind.Logs);
  const [list] = decodeBody(message, 1, LOGS_LIMITS);
  return readArray(list, 0).map(readOffer);
}

function readOffer(value: unknown): LogOffer {
  const [producer, log, first, next, bytes, newestMs, isOwn, since] = readArray(value, LOG_FIELDS);
  const offer = {
    producer: readId<PeerId>(producer),
    log: readLog(log),
    first: readCount(first),
    next: readCount(next),
    bytes: readCount(bytes),
    newestMs: readCount(newestMs),
    isOwn: isOwn === true,
    since: since === null ? undefined : readCount(since),
  };
  if (offer.first > offer.next) throw malformed('a log that ends before it begins');
  return offer;
}

export function encodeOpened({ first, next }: Opened): Uint8Array {
  return encodeMessage(Kind.Opened, [first, next]);
}

/** @throws {DecodeError} */
export function decodeOpened(message: Uint8Array): Opened {
  requireKind(message, Kind.Opened);
  const [first, next] = decodeBody(message, 2, SMALL_LIMITS);
  const opened = { first: readCount(first), next: readCount(next) };
  if (opened.first > opened.next) throw malformed('a log that ends before it begins');
  return opened;
}

/** When the blocks that follow were kept. */
export function encodeTime(timeMs: number): Uint8Array {
  return encodeMessage(Kind.Time, [timeMs]);
}

/** The data before this offset are not kept here; what follows begins there. */
export function encodeSkipped(to: Sequence): Uint8Array {
  return encodeMessage(Kind.Skipped, [to]);
}

/** Everything below this offset has been sent, and nothing more is there, or was asked for. */
export function encodeReached(next: Sequence): Uint8Array {
  return encodeMessage(Kind.Reached, [next]);
}

/**
 * The number in a message of kind `time`, `skipped` or `reached`.
 *
 * @throws {DecodeError}
 */
export function decodeNumber(message: Uint8Array): number {
  return readCount(decodeBody(message, 1, SMALL_LIMITS)[0]);
}

function requireKind(message: Uint8Array, kind: number): void {
  if (message[0] !== kind) throw new DecodeError('malformed', `a message of kind ${kind} was expected`);
}
