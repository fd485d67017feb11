import {
  ARGUMENT_FOLLOWS,
  ARRAY,
  BYTES,
  INDEFINITE,
  MAP,
  malformed,
  overLimit,
  readArgument,
} from './head.ts';

/** cbor-x needs time quadratic in the length of a bignum; 2,048 bits hold an RSA key. */
const BIGNUM_BYTES_MAX = 256;

const TAG_DATE = 1;
const TAG_BIGNUM = 2;
const TAG_NEGATIVE_BIGNUM = 3;
const TAG_SET = 258;
const TAG_MAP = 259;
const TAG_TYPED_ARRAY_FIRST = 64;
/** Bytes of an element by tag from 64 on (RFC 8746 §2.1); 0 is what JavaScript has no array for. */
const ELEMENT_BYTES = Uint8Array.of(1, 2, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, 0, 2, 4, 8, 0, 4, 8, 0, 0, 4, 8, 0);

/**
 * Checks that `tag` is one that is exchanged, and is on what it may be on: a decoder that trusts a tag would otherwise
 * take an object for a buffer.
 *
 * @param at position of the tagged item, which exists
 */
export function checkTag(tag: number, bytes: Uint8Array, at: number): void {
  const head = bytes[at] as number;
  if (tag === TAG_DATE) {
    if (!isDateHead(head)) throw wrongContent(tag, at);
  } else if (tag === TAG_SET || tag === TAG_MAP) {
    if (head >> 5 !== (tag === TAG_SET ? ARRAY : MAP)) throw wrongContent(tag, at);
  } else {
    checkTaggedBytes(tag, bytes, at);
  }
}

/** An integer of up to 32 bits or a float; of 64 bits it would be a bigint, which is no time. */
function isDateHead(head: number): boolean {
  return (head & 0xdf) <= 0x1a || (head >= 0xf9 && head <= 0xfb);
}

function checkTaggedBytes(tag: number, bytes: Uint8Array, at: number): void {
  const isBignum = tag === TAG_BIGNUM || tag === TAG_NEGATIVE_BIGNUM;
  const elementBytes = isBignum ? 1 : elementSize(tag, at);
  const head = bytes[at] as number;
  const low = head & 31;
  if (head >> 5 !== BYTES || low === INDEFINITE) throw wrongContent(tag, at);
  const length = low < ARGUMENT_FOLLOWS ? low : readArgument(bytes, at + 1, low);
  if (length % elementBytes !== 0) throw wrongContent(tag, at);
  if (isBignum && length > BIGNUM_BYTES_MAX) throw overLimit(`a bignum of ${length} bytes`, at);
}

function elementSize(tag: number, at: number): number {
  const size = tag >= TAG_TYPED_ARRAY_FIRST ? ELEMENT_BYTES[tag - TAG_TYPED_ARRAY_FIRST] : undefined;
  if (size === undefined || size === 0) throw malformed(`tag ${tag} is not exchanged`, at);
  return size;
}

function wrongContent(tag: number, at: number): Error {
  return malformed(`tag ${tag} on something that it cannot be on`, at);
}
