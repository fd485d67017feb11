import { DecodeError, type GroupId, ID_BYTES, idFromBytes, idToBytes, textCodec } from '@mosaik/primitives';
import { NONCE_BYTES, PROOF_BYTES } from './proof.ts';

/*
 * The messages of a bond, as bytes: a kind, and fields of fixed lengths, but for the last. Numbers are big-endian.
 *
 *   hello    00 | nonce (32) | lane token (16) | instance (16)
 *   join     01 | channel (4) | group (32) | proof (32) | status (rest)
 *   beat     02
 *   status   03 | channel (4) | status (rest)
 *   leave    04 | group (32)
 *   refuse   05 | group (32) | code (4) | reason (rest, UTF-8)
 *   message  06 | channel (4) | payload (rest)
 *   entry    07 | signed entry of discovery (rest)
 *
 * The lane carries the token in its first frame, and then messages.
 */
const HELLO = 0;
const JOIN = 1;
const BEAT = 2;
const STATUS = 3;
const LEAVE = 4;
const REFUSE = 5;
const MESSAGE = 6;
const ENTRY = 7;

export const TOKEN_BYTES = 16;
export const INSTANCE_BYTES = 16;
/** What a member tells of itself, at most. */
const STATUS_BYTES_MAX = 4_096;
/** An entry of discovery, at most; whether it is one is for discovery to say. */
const ENTRY_BYTES_MAX = 65_536;
const REASON_BYTES_MAX = 256;
const CHANNEL_BYTES = 4;
/** A payload begins here: kind and channel go before it. */
export const MESSAGE_HEAD_BYTES: number = 1 + CHANNEL_BYTES;

/** What goes over the control link of a bond. */
export type BondMessage =
  | {
      readonly kind: 'hello';
      readonly nonce: Uint8Array;
      /** What the dialler shows on the lane that it opens next. */
      readonly token: Uint8Array;
      /** Drawn by a process when it starts: another one is another life of the node. */
      readonly instance: Uint8Array;
    }
  | {
      readonly kind: 'join';
      /** Stands for the group in what the sender says from now on. */
      readonly channel: number;
      readonly group: GroupId;
      readonly proof: Uint8Array;
      readonly status: Uint8Array;
    }
  | { readonly kind: 'beat' }
  | { readonly kind: 'status'; readonly channel: number; readonly status: Uint8Array }
  | { readonly kind: 'leave'; readonly group: GroupId }
  | { readonly kind: 'refuse'; readonly group: GroupId; readonly code: number; readonly reason: string }
  | { readonly kind: 'message'; readonly channel: number; readonly payload: Uint8Array }
  | { readonly kind: 'entry'; readonly signed: Uint8Array };

/** Writes a message; `message` is written by {@link writeMessageHead} where it should not be copied. */
export function encodeBondMessage(message: BondMessage): Uint8Array {
  switch (message.kind) {
    case 'hello':
      return join(HELLO, message.nonce, message.token, message.instance);
    case 'join':
      return join(JOIN, uint32(message.channel), idToBytes(message.group), message.proof, message.status);
    case 'beat':
      return Uint8Array.of(BEAT);
    case 'status':
      return join(STATUS, uint32(message.channel), message.status);
    case 'leave':
      return join(LEAVE, idToBytes(message.group));
    case 'refuse': {
      const reason = textCodec.encode(message.reason.slice(0, REASON_BYTES_MAX / 4));
      return join(REFUSE, idToBytes(message.group), uint32(message.code), reason);
    }
    case 'message':
      return join(MESSAGE, uint32(message.channel), message.payload);
    case 'entry':
      return join(ENTRY, message.signed);
  }
}

/** Writes what goes before a payload into the first {@link MESSAGE_HEAD_BYTES} of a frame. */
export function writeMessageHead(frame: Uint8Array, channel: number): void {
  frame[0] = MESSAGE;
  frame[1] = channel >>> 24;
  frame[2] = channel >>> 16;
  frame[3] = channel >>> 8;
  frame[4] = channel;
}

/**
 * Reads a message; payloads are views of `bytes`.
 *
 * @throws {DecodeError} and nothing else.
 */
export function decodeBondMessage(bytes: Uint8Array): BondMessage {
  switch (bytes[0]) {
    case MESSAGE:
      return readMessage(bytes);
    case BEAT:
      requireLength(bytes, 1, 1);
      return { kind: 'beat' };
    case HELLO:
      return readHello(bytes);
    case JOIN:
      return readJoin(bytes);
    case STATUS:
      requireLength(bytes, MESSAGE_HEAD_BYTES, MESSAGE_HEAD_BYTES + STATUS_BYTES_MAX);
      return { kind: 'status', channel: readUint32(bytes, 1), status: bytes.slice(MESSAGE_HEAD_BYTES) };
    case LEAVE:
      requireLength(bytes, 1 + ID_BYTES, 1 + ID_BYTES);
      return { kind: 'leave', group: readGroup(bytes, 1) };
    case REFUSE:
      return readRefuse(bytes);
    case ENTRY:
      requireLength(bytes, 1, 1 + ENTRY_BYTES_MAX);
      return { kind: 'entry', signed: bytes.slice(1) };
    default:
      throw new DecodeError('schema', `no message of a bond: kind ${bytes[0] ?? 'missing'}`);
  }
}

function readMessage(bytes: Uint8Array): BondMessage {
  requireLength(bytes, MESSAGE_HEAD_BYTES, Number.POSITIVE_INFINITY);
  return { kind: 'message', channel: readUint32(bytes, 1), payload: bytes.subarray(MESSAGE_HEAD_BYTES) };
}

function readHello(bytes: Uint8Array): BondMessage {
  const tokenAt = 1 + NONCE_BYTES;
  const instanceAt = tokenAt + TOKEN_BYTES;
  requireLength(bytes, instanceAt + INSTANCE_BYTES, instanceAt + INSTANCE_BYTES);
  return {
    kind: 'hello',
    nonce: bytes.slice(1, tokenAt),
    token: bytes.slice(tokenAt, instanceAt),
    instance: bytes.slice(instanceAt),
  };
}

function readJoin(bytes: Uint8Array): BondMessage {
  const groupAt = 1 + CHANNEL_BYTES;
  const proofAt = groupAt + ID_BYTES;
  const statusAt = proofAt + PROOF_BYTES;
  requireLength(bytes, statusAt, statusAt + STATUS_BYTES_MAX);
  return {
    kind: 'join',
    channel: readUint32(bytes, 1),
    group: readGroup(bytes, groupAt),
    proof: bytes.slice(proofAt, statusAt),
    status: bytes.slice(statusAt),
  };
}

function readRefuse(bytes: Uint8Array): BondMessage {
  const codeAt = 1 + ID_BYTES;
  const reasonAt = codeAt + 4;
  requireLength(bytes, reasonAt, reasonAt + REASON_BYTES_MAX);
  return {
    kind: 'refuse',
    group: readGroup(bytes, 1),
    code: readUint32(bytes, codeAt),
    reason: textCodec.decode(bytes.subarray(reasonAt)),
  };
}

function requireLength(bytes: Uint8Array, min: number, max: number): void {
  if (bytes.length >= min && bytes.length <= max) return;
  const reason = bytes.length > max ? 'limit' : 'malformed';
  throw new DecodeError(reason, `a message of a bond of ${bytes.length} bytes, not ${min} to ${max}`);
}

function readGroup(bytes: Uint8Array, offset: number): GroupId {
  return idFromBytes(bytes.subarray(offset, offset + ID_BYTES));
}

function readUint32(bytes: Uint8Array, offset: number): number {
  const [a = 0, b = 0, c = 0, d = 0] = bytes.subarray(offset, offset + 4);
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

function uint32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value);
}

function join(kind: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 1);
  const bytes = new Uint8Array(length);
  bytes[0] = kind;
  let offset = 1;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
