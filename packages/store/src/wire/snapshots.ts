import { idToBytes, type PeerId, type StoreId } from '@mosaik/primitives';
import type { Epoch, Sequence } from '@mosaik/streams';
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
import { Kind } from './messages.ts';

/** How far a fold is with each log; ascending by producer and log, so that equal ones are equal bytes. */
export interface FoldPosition {
  readonly producer: PeerId;
  readonly log: Epoch;
  readonly next: Sequence;
  /** Nothing of this log is to come any more. */
  readonly isOver: boolean;
}

/** What a holder says of its newest snapshot of a fold. */
export interface SnapshotHead {
  readonly positions: readonly FoldPosition[];
  /** Of the whole. */
  readonly bytes: number;
  /** BLAKE3 of the bytes. */
  readonly hash: Uint8Array;
  /** BLAKE3 of each chunk of {@link CHUNK_BYTES}, so that each is checked when it comes. */
  readonly chunks: readonly Uint8Array[];
}

/** A snapshot, and what is said of it. */
export interface SnapshotOffer {
  readonly head: SnapshotHead;
  readonly data: Uint8Array;
}

/** Asks for the head of the newest snapshot; or with `hash`, for chunks of the one with this hash. */
export interface AskSnapshot {
  readonly fold: StoreId;
  readonly entry: Uint8Array;
  readonly hash: Uint8Array | undefined;
  /** The first chunk, and after the last one. */
  readonly from: number;
  readonly to: number;
}

export const CHUNK_BYTES: number = 256 * 1024;
const HASH_BYTES = 32;
/** Of a snapshot: 1 GiB. */
const CHUNKS_MAX = 4_096;
const POSITIONS_MAX = 4_096;
const ASK_LIMITS = { maxBytes: 80 * 1024, maxDepth: 2, maxItems: 16 } as const;
const HEAD_LIMITS = {
  maxBytes: 1024 * 1024,
  maxDepth: 4,
  maxItems: 5 * POSITIONS_MAX + CHUNKS_MAX + 16,
} as const;

export function encodeAskSnapshot({ fold, entry, hash, from, to }: AskSnapshot): Uint8Array {
  return encodeMessage(Kind.AskSnapshot, [idToBytes(fold), entry, hash ?? null, from, to]);
}

/** @throws {DecodeError} */
export function decodeAskSnapshot(message: Uint8Array): AskSnapshot {
  const [fold, entry, hash, from, to] = decodeBody(message, 5, ASK_LIMITS);
  return {
    fold: readId(fold),
    entry: readBytes(entry),
    hash: hash === null ? undefined : readBytes(hash, HASH_BYTES),
    from: readCount(from),
    to: readCount(to),
  };
}

/** Positions as plain lists, for messages and for what is saved. */
export function writePositions(positions: readonly FoldPosition[]): unknown[] {
  return positions.map(({ producer, log, next, isOver }) => [idToBytes(producer), log, next, isOver]);
}

/** @throws {DecodeError} */
export function readPositions(value: unknown): FoldPosition[] {
  const list = readArray(value, 0);
  if (list.length > POSITIONS_MAX) throw malformed('too many positions');
  return list.map((item) => {
    const [producer, log, next, isOver] = readArray(item, 4);
    return {
      producer: readId<PeerId>(producer),
      log: readLog(log),
      next: readCount(next),
      isOver: isOver === true,
    };
  });
}

/** Undefined says that there is no snapshot yet. */
export function encodeSnapshotHead(head: SnapshotHead | undefined): Uint8Array {
  if (head === undefined) return encodeMessage(Kind.Snapshot, [null, 0, null, []]);
  return encodeMessage(Kind.Snapshot, [writePositions(head.positions), head.bytes, head.hash, head.chunks]);
}

/** @throws {DecodeError} */
export function decodeSnapshotHead(message: Uint8Array): SnapshotHead | undefined {
  if (message[0] !== Kind.Snapshot) throw malformed('the head of a snapshot was expected');
  const [positions, bytes, hash, chunks] = decodeBody(message, 4, HEAD_LIMITS);
  if (positions === null) return undefined;
  const head = {
    positions: readPositions(positions),
    bytes: readCount(bytes),
    hash: readBytes(hash, HASH_BYTES),
    chunks: readArray(chunks, 0).map((chunk) => readBytes(chunk, HASH_BYTES)),
  };
  if (head.chunks.length !== Math.ceil(head.bytes / CHUNK_BYTES)) throw malformed('a wrong number of chunks');
  return head;
}

/** A chunk as it travels: its kind, then its bytes. */
export function encodeChunk(chunk: Uint8Array): Uint8Array {
  const message = new Uint8Array(1 + chunk.length);
  message[0] = Kind.Chunk;
  message.set(chunk, 1);
  return message;
}

/** @throws {DecodeError} */
export function decodeChunk(message: Uint8Array): Uint8Array {
  if (message[0] !== Kind.Chunk || message.length > 1 + CHUNK_BYTES) throw malformed('a chunk was expected');
  return message.subarray(1);
}
