import { TEXT } from './head.ts';
import { wordAt } from './words.ts';

/** Keys of more bytes are encoded each time. */
const KEY_BYTES_MAX = 64;
const KEYS_MAX = 1024;
/** For so many unknown keys one of them is waited for, twice as many the next time if it does not come again, up to a limit. */
const WAIT = 8;
const WAIT_MAX = 1024;

/** How many bytes of a key are in words. */
const WORDS_BYTES = 12;

/**
 * A key as it is encoded, its head among the bytes. The first 12 of them are four to a word, the highest first: to take
 * them from there takes less than half of the time of copying them one by one.
 */
export interface KnownKey {
  readonly key: string | undefined;
  readonly length: number;
  /** What there has to be to write it by words. */
  readonly room: number;
  readonly word0: number;
  readonly word1: number;
  readonly word2: number;
  readonly bytes: Uint8Array;
  /** What came after it in an object the last time, and probably does again: that is quicker than to look it up. */
  next: KnownKey | undefined;
}

const known = new Map<string, KnownKey>();

/** The key to remember when it comes again: fields of a stream soon do, and objects with ever new keys pay for none of them. */
let awaited = '';
let wait = WAIT;
let waitLeft = WAIT;

/** What comes before the first key of an object. */
export const BEFORE_KEYS: KnownKey = create(undefined, new Uint8Array(0));

const textEncoder = new TextEncoder();

/** Finds a key that comes behind another, if it is known; or it may be from now on. */
export function findKey(key: string, last: KnownKey): KnownKey | undefined {
  const found = known.get(key) ?? (isWorthIt(key) ? remember(key) : undefined);
  if (found !== undefined) last.next = found;
  return found;
}

function isWorthIt(key: string): boolean {
  if (key === awaited) return true;
  if (--waitLeft === 0) {
    awaited = key;
    wait = Math.min(2 * wait, WAIT_MAX);
    waitLeft = wait;
  }
  return false;
}

/** Writes what of a known key is behind its first two words. */
export function putKeyEnd({ word2, length, bytes }: KnownKey, view: DataView, at: number): void {
  view.setInt32(at, word2);
  for (let index = WORDS_BYTES; index < length; index++)
    view.setUint8(at + index - 8, bytes[index] as number);
}

function remember(key: string): KnownKey | undefined {
  wait = WAIT;
  waitLeft = 1;
  if (key.length > KEY_BYTES_MAX) return undefined;
  const text = textEncoder.encode(key);
  if (text.length > KEY_BYTES_MAX) return undefined;
  if (known.size === KEYS_MAX) forget();
  const head = text.length < 24 ? [(TEXT << 5) | text.length] : [(TEXT << 5) | 24, text.length];
  const made = create(key, Uint8Array.of(...head, ...text));
  known.set(key, made);
  return made;
}

/** Those that come again are soon known again. What is forgotten refers to nothing, or it would be kept by others like it. */
function forget(): void {
  for (const key of known.values()) key.next = undefined;
  BEFORE_KEYS.next = undefined;
  known.clear();
}

function create(key: string | undefined, bytes: Uint8Array): KnownKey {
  const padded = new Uint8Array(WORDS_BYTES);
  padded.set(bytes.subarray(0, WORDS_BYTES));
  const [word0, word1, word2] = [wordAt(padded, 0), wordAt(padded, 4), wordAt(padded, 8)];
  const room = Math.max(bytes.length, WORDS_BYTES);
  return { key, length: bytes.length, room, word0, word1, word2, bytes, next: undefined };
}
