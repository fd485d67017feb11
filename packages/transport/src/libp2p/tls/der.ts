/**
 * As much of DER (X.690) as a certificate takes: elements of a tag, a length and a content. Lengths are at most 65,535,
 * tags are of one byte.
 */
export interface Element {
  readonly tag: number;
  readonly content: Uint8Array;
  /** With tag and length. */
  readonly whole: Uint8Array;
}

export const Tag = {
  Boolean: 0x01,
  Integer: 0x02,
  BitString: 0x03,
  OctetString: 0x04,
  ObjectIdentifier: 0x06,
  UtcTime: 0x17,
  GeneralizedTime: 0x18,
  Sequence: 0x30,
} as const;

/** The tag of something explicitly tagged in its context, such as the version of a certificate. */
export function explicitTag(number: number): number {
  return 0xa0 | number;
}

/** One element of these pieces. */
export function element(tag: number, ...pieces: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(pieces);
  return Buffer.concat([Buffer.from([tag, ...lengthBytes(content.length)]), content]);
}

export function sequence(...elements: readonly Uint8Array[]): Uint8Array {
  return element(Tag.Sequence, ...elements);
}

function lengthBytes(length: number): readonly number[] {
  if (length < 0x80) return [length];
  return length < 0x100 ? [0x81, length] : [0x82, length >>> 8, length & 0xff];
}

/**
 * The elements that a content consists of, from end to end.
 *
 * @throws {RangeError} when that is not what it is.
 */
export function elementsOf(content: Uint8Array): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < content.length; ) {
    const next = readElement(content, at);
    elements.push(next);
    at += next.whole.length;
  }
  return elements;
}

/** @throws {RangeError} for one that is cut off, or longer than 65,535 bytes. */
function readElement(bytes: Uint8Array, at: number): Element {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined || first === undefined) throw new RangeError('an element is cut off');
  const sizeBytes = first < 0x80 ? 0 : first & 0x7f;
  if (first === 0x80 || sizeBytes > 2) throw new RangeError('the length of an element is none that is taken');
  const start = at + 2 + sizeBytes;
  let length = sizeBytes === 0 ? first : 0;
  for (const byte of bytes.subarray(at + 2, start)) length = length * 256 + byte;
  const end = start + length;
  if (end > bytes.length) throw new RangeError('an element is cut off');
  return { tag, content: bytes.subarray(start, end), whole: bytes.subarray(at, end) };
}
