import { CborWriter } from './cbor-writer.ts';
import { DEFAULT_MAX_DEPTH } from './decode.ts';
import { EncodeError } from './errors.ts';
import { ARRAY, BYTES, MAP, NEGATIVE, SIMPLE, TAG, TEXT, UNSIGNED } from './head.ts';
import { bytesOfBigint, Tag } from './tags.ts';

const FALSE = 20;
const TRUE = 21;
const NULL = 22;
const UINT64_END = 1n << 64n;

/**
 * Encodes a value in the one way that everybody encodes it: for what is signed, hashed or compared.
 *
 * The core deterministic encoding of RFC 8949 §4.2.1: shortest heads, definite lengths, the keys of a map sorted by
 * the bytes of their encodings, no key twice. Takes null, booleans, numbers, bigints, text, `Uint8Array`, arrays,
 * plain objects and `Map`s; fields of an object that are `undefined` are left out. A number that is a safe integer is
 * an integer, as is a bigint (so 5 and 5n are the same bytes, RFC 8949 §4.2.2); every other number, -0 among them, is
 * the shortest float of its value. An object and a `Map` with the same text keys are the same bytes. Read it with
 * `decodeCbor(bytes, { int64: 'number' })` where numbers such as times in ms are to come back as numbers.
 *
 * @throws {EncodeError} with the path to what is none of these, to text with a lone surrogate, to a key `__proto__`,
 *   to a key that occurs twice, or to a level below the 64th (such as of a cycle).
 */
export function encodeCanonical(value: unknown): Uint8Array {
  const encoder = new CanonicalEncoder();
  encoder.write(value);
  return encoder.writer.slice(0);
}

class CanonicalEncoder {
  readonly writer = new CborWriter();
  readonly #path: (string | number)[] = [];

  write(value: unknown): void {
    if (typeof value === 'string') this.#writeText(value);
    else if (typeof value === 'number') this.#writeNumber(value);
    else if (typeof value === 'bigint') this.#writeBigint(value);
    else if (typeof value === 'boolean') this.writer.head(SIMPLE, value ? TRUE : FALSE);
    else if (value === null) this.writer.head(SIMPLE, NULL);
    else if (value instanceof Uint8Array) this.writer.string(BYTES, value);
    else if (typeof value === 'object') this.#writeContainer(value);
    else throw this.#error(`${typeof value} has no canonical encoding`);
  }

  #writeText(text: string): void {
    if (!text.isWellFormed()) throw this.#error('text with a lone surrogate has no UTF-8');
    this.writer.string(TEXT, text);
  }

  #writeNumber(value: number): void {
    if (!Number.isSafeInteger(value) || Object.is(value, -0)) this.writer.float(value);
    else if (value >= 0) this.writer.head(UNSIGNED, value);
    else this.writer.head(NEGATIVE, -1 - value);
  }

  #writeBigint(value: bigint): void {
    const argument = value < 0n ? -1n - value : value;
    if (argument < UINT64_END) {
      this.writer.bigHead(value < 0n ? NEGATIVE : UNSIGNED, argument);
    } else {
      this.writer.head(TAG, value < 0n ? Tag.NegativeBignum : Tag.Bignum);
      this.writer.string(BYTES, bytesOfBigint(argument));
    }
  }

  #writeContainer(value: object): void {
    if (this.#path.length >= DEFAULT_MAX_DEPTH) throw this.#error(`nested deeper than ${DEFAULT_MAX_DEPTH}`);
    if (Array.isArray(value)) this.#writeArray(value);
    else if (value instanceof Map) this.#writeMap([...value]);
    else if (isPlain(value)) this.#writeMap(fieldsOf(value));
    else throw this.#error(`${value.constructor?.name ?? 'this object'} has no canonical encoding`);
  }

  #writeArray(items: readonly unknown[]): void {
    this.writer.head(ARRAY, items.length);
    for (let index = 0; index < items.length; index++) {
      this.#path.push(index);
      this.write(items[index]);
      this.#path.pop();
    }
  }

  #writeMap(entries: readonly (readonly [unknown, unknown])[]): void {
    const encoded = entries.map(([key, value]) => ({ key, value, keyBytes: this.#encodeKey(key) }));
    encoded.sort((a, b) => compareBytes(a.keyBytes, b.keyBytes));
    this.writer.head(MAP, encoded.length);
    let previous: Uint8Array | undefined;
    for (const { key, value, keyBytes } of encoded) {
      this.#path.push(String(key));
      if (previous !== undefined && compareBytes(previous, keyBytes) === 0) throw this.#error('a key twice');
      this.writer.raw(keyBytes);
      this.write(value);
      this.#path.pop();
      previous = keyBytes;
    }
  }

  #encodeKey(key: unknown): Uint8Array {
    this.#path.push(String(key));
    if (key === '__proto__') throw this.#error('the key __proto__ is refused by decoders');
    const start = this.writer.length;
    this.write(key);
    const bytes = this.writer.slice(start);
    this.writer.truncate(start);
    this.#path.pop();
    return bytes;
  }

  #error(message: string): EncodeError {
    return new EncodeError(message, [...this.#path]);
  }
}

function fieldsOf(value: object): [string, unknown][] {
  return Object.entries(value).filter(([, field]) => field !== undefined);
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Bytewise, a prefix first. */
function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let index = 0; index < shared; index++) {
    const difference = (a[index] as number) - (b[index] as number);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
