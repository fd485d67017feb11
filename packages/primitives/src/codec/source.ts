import { ARGUMENT_FOLLOWS, argumentBytes, overLimit, truncated } from './head.ts';
import { bigints, floats, shortFloats, takeWords, wordAt, words } from './words.ts';

const NOTHING = new Uint8Array(0);

/** What is being read, and how far. */
export interface Source {
  bytes: Uint8Array;
  /** The next byte. */
  at: number;
  /** Behind the last byte. */
  end: number;
  /** How many items came so far. */
  items: number;
  maxItems: number;
}

/** Shared by all calls of the decoder: decoding is synchronous and calls nobody. */
export const source: Source = { bytes: NOTHING, at: 0, end: 0, items: 0, maxItems: 0 };

/** Keeps nothing of the input. */
export function closeSource(): void {
  source.bytes = NOTHING;
}

/** The first byte of an item, which is counted. */
export function readHead(): number {
  const { at } = source;
  if (source.items++ >= source.maxItems) throw overLimit(`more than ${source.maxItems} items`, at);
  if (at >= source.end) throw truncated(at);
  source.at = at + 1;
  return source.bytes[at] as number;
}

/**
 * The argument of a head with these low bits (lengths, tags, integers) as a number: what exceeds 2^53 is rounded, and too
 * large for anything it can be the length of.
 */
export function readArgument(low: number): number {
  if (low < ARGUMENT_FOLLOWS) return low;
  const { at, bytes } = source;
  const end = at + argumentBytes(low, at);
  if (end > source.end) throw truncated(source.end);
  source.at = end;
  if (low === 24) return bytes[at] as number;
  if (low === 25) return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  if (low === 26) return wordAt(bytes, at) >>> 0;
  let value = 0;
  for (let index = at; index < end; index++) value = value * 256 + (bytes[index] as number);
  return value;
}

export function readFloat32(): number {
  words[0] = readArgument(26);
  return shortFloats[0] as number;
}

export function readFloat64(): number {
  readWords();
  return floats[0] as number;
}

export function readUint64(): bigint {
  readWords();
  return bigints[0] as bigint;
}

/** The next 8 bytes, to `words`. */
function readWords(): void {
  const { at, bytes } = source;
  if (source.end - at < 8) throw truncated(source.end);
  source.at = at + 8;
  takeWords(bytes, at);
}
