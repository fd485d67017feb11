import { malformed } from './head.ts';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Texts up to this many bytes are remembered. */
const REMEMBERED_BYTES = 32;
const SLOTS = 1024;

/**
 * Texts that came before, by their bytes. Keys, and names of things, come again and again: to find one takes less than to
 * make one, and equal ones are then the same memory. Of fixed size; a text takes the place of another.
 */
export class TextReader {
  readonly #bytes = new Uint8Array(SLOTS * REMEMBERED_BYTES);
  readonly #lengths = new Uint8Array(SLOTS);
  readonly #texts: string[] = new Array<string>(SLOTS).fill('');
  /** Where the text that was read last is remembered, if it is; for {@link TextReader.again}. */
  place = 0;

  /** The text of these bytes if it is the one remembered at a place, for whoever knows where it was the last time. */
  again(place: number, bytes: Uint8Array, at: number, length: number): string | undefined {
    if (this.#lengths[place] !== length) return undefined;
    const remembered = this.#bytes;
    let known = place * REMEMBERED_BYTES;
    for (let index = 0; index < length; index++) {
      if (remembered[known++] !== bytes[at + index]) return undefined;
    }
    return this.#texts[place];
  }

  /** The text of `length` bytes at `at`, which are there. @throws {DecodeError} when they are not UTF-8. */
  read(bytes: Uint8Array, at: number, length: number): string {
    if (length > REMEMBERED_BYTES) return decode(bytes, at, length);
    const end = at + length;
    let hash = length;
    for (let index = at; index < end; index++) hash = (Math.imul(hash, 31) + (bytes[index] as number)) | 0;
    const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
    this.place = slot;
    if (this.#lengths[slot] !== length) return this.#remember(bytes, at, length, slot);
    const remembered = this.#bytes;
    let known = slot * REMEMBERED_BYTES;
    for (let index = at; index < end; index++) {
      if (remembered[known++] !== bytes[index]) return this.#remember(bytes, at, length, slot);
    }
    return this.#texts[slot] as string;
  }

  #remember(bytes: Uint8Array, at: number, length: number, slot: number): string {
    const text = decode(bytes, at, length);
    const known = slot * REMEMBERED_BYTES;
    for (let index = 0; index < length; index++) this.#bytes[known + index] = bytes[at + index] as number;
    this.#lengths[slot] = length;
    this.#texts[slot] = text;
    return text;
  }
}

/** Up to this many bytes text is read faster by hand than by a TextDecoder. */
const SHORT_BYTES = 64;

function decode(bytes: Uint8Array, at: number, length: number): string {
  if (length <= SHORT_BYTES) {
    const short = decodeShort(bytes, at, at + length);
    if (short !== undefined) return short;
  }
  try {
    return decoder.decode(bytes.subarray(at, at + length));
  } catch {
    throw malformed('text that is not UTF-8', at);
  }
}

const units = new Uint16Array(SHORT_BYTES);

/** Undefined for what is not of the first 2,048 characters of Unicode, well-formed or not. */
function decodeShort(bytes: Uint8Array, from: number, end: number): string | undefined {
  let count = 0;
  for (let at = from; at < end; ) {
    const byte = bytes[at++] as number;
    if (byte < 0x80) {
      units[count++] = byte;
      continue;
    }
    const next = bytes[at++] as number;
    // 0xc2 and 0xc3 begin the characters of Latin-1 beyond ASCII, 0xdf the last of two bytes.
    if (byte < 0xc2 || byte > 0xdf || at > end || (next & 0xc0) !== 0x80) return undefined;
    units[count++] = ((byte & 0x1f) << 6) | (next & 0x3f);
  }
  return textOf(count);
}

/** Four units at a time: each call of fromCharCode has its price. */
function textOf(count: number): string {
  let text = '';
  let index = 0;
  for (; index + 4 <= count; index += 4) {
    text += String.fromCharCode(
      units[index] as number,
      units[index + 1] as number,
      units[index + 2] as number,
      units[index + 3] as number,
    );
  }
  for (; index < count; index++) text += String.fromCharCode(units[index] as number);
  return text;
}
