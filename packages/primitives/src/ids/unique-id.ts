import { blake3 } from '@noble/hashes/blake3.js';
import { bytesToHex, hexToBytes, utf8ToBytes } from '@noble/hashes/utils.js';
import { InvalidArgumentError } from '../errors.ts';
import type { Runtime } from '../runtime/runtime.ts';

declare const unique: unique symbol;
declare const kind: unique symbol;

/**
 * 32 bytes as 64 lowercase hexadecimal characters: a cheap map key, readable in logs.
 *
 * Ids are intent-addressed: two nodes that name the same thing get the same id without talking.
 */
export type UniqueId = string & { readonly [unique]: true };

type Kind<Name extends string> = UniqueId & { readonly [kind]: Name };

/** A network: nodes of different networks do not talk to each other. */
export type NetworkId = Kind<'network'>;
/** A node: its Ed25519 public key. */
export type PeerId = Kind<'peer'>;
/** A stream, from its name. */
export type StreamId = Kind<'stream'>;
/** A group, from everything its members must agree upon. */
export type GroupId = Kind<'group'>;
/** A store, from its name. */
export type StoreId = Kind<'store'>;
/** A role or property that a node claims. */
export type Tag = Kind<'tag'>;

/** Bytes of an id. */
export const ID_BYTES = 32;

const ID_TEXT = /^[0-9a-f]{64}$/;
const ID_TEXT_ANY_CASE = /^[0-9a-f]{64}$/i;
/** 40 bits: two of 1,000 ids share a short form with a probability under 1 in a million. */
const SHORT_ID_LENGTH = 10;

/**
 * The id that `text` names: BLAKE3 of its UTF-8 bytes, unless it is the text of an id already (64 hexadecimal
 * characters of either case), which is then taken as it is.
 *
 * The text is not normalised: `'é'` written as one or as two code points gives two ids.
 *
 * @example uniqueId('abc') // '6437b3ac38465133ffb63b75273a8db548c558465d79db03fd359c6cd5bd9d85'
 */
export function uniqueId<Id extends UniqueId = UniqueId>(text: string): Id {
  if (ID_TEXT_ANY_CASE.test(text)) return text.toLowerCase() as Id;
  return bytesToHex(blake3(utf8ToBytes(text))) as Id;
}

/** The {@link uniqueId} of a network's name. */
export function networkId(text: string): NetworkId {
  return uniqueId(text);
}

/** The {@link uniqueId} of a stream's name. */
export function streamId(text: string): StreamId {
  return uniqueId(text);
}

/** The {@link uniqueId} of a group's name. */
export function groupId(text: string): GroupId {
  return uniqueId(text);
}

/** The {@link uniqueId} of a store's name. */
export function storeId(text: string): StoreId {
  return uniqueId(text);
}

/** The {@link uniqueId} of a tag's name. */
export function tag(text: string): Tag {
  return uniqueId(text);
}

/**
 * The id of the node that holds an Ed25519 key.
 *
 * @param publicKey 32 bytes; whether they are a point of the curve is not checked here.
 * @throws {InvalidArgumentError} when it is of another length.
 */
export function peerIdFromBytes(publicKey: Uint8Array): PeerId {
  return idFromBytes(publicKey);
}

/** 32 bytes of the runtime's randomness as an id. */
export function randomId<Id extends UniqueId = UniqueId>(runtime: Pick<Runtime, 'randomBytes'>): Id {
  return idFromBytes(runtime.randomBytes(ID_BYTES));
}

/** The 32 bytes of an id, in an array of their own. */
export function idToBytes(id: UniqueId): Uint8Array {
  return hexToBytes(id);
}

/**
 * The id that is written by these bytes.
 *
 * @throws {InvalidArgumentError} when there are not 32 of them.
 */
export function idFromBytes<Id extends UniqueId = UniqueId>(bytes: Uint8Array): Id {
  if (bytes.length !== ID_BYTES)
    throw new InvalidArgumentError('id', `${ID_BYTES} bytes, not ${bytes.length}`);
  return bytesToHex(bytes) as Id;
}

/** Whether a value is an id as it is held: 64 hexadecimal characters, lowercase. */
export function isUniqueId(value: unknown): value is UniqueId {
  return typeof value === 'string' && ID_TEXT.test(value);
}

/** Orders ids as their bytes are ordered; for `sort`. */
export function compareIds(a: UniqueId, b: UniqueId): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The first 10 characters of an id, for people; never a key. */
export function shortId(id: UniqueId): string {
  return id.slice(0, SHORT_ID_LENGTH);
}
