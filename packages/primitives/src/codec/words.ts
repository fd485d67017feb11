/** Which half of 8 bytes in memory is the upper one here. */
const UPPER = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1 ? 1 : 0;

/** What 8 bytes mean, and their halves: over such memory the value of a number is had sooner than by a view of where it is. */
export const words: Int32Array = new Int32Array(2);
export const floats: Float64Array = new Float64Array(words.buffer);
export const shortFloats: Float32Array = new Float32Array(words.buffer);
export const bigints: BigUint64Array = new BigUint64Array(words.buffer);

/** Four bytes, the highest first. */
export function wordAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at] as number) << 24) |
    ((bytes[at + 1] as number) << 16) |
    ((bytes[at + 2] as number) << 8) |
    (bytes[at + 3] as number)
  );
}

/** Both halves of what is in {@link words}. */
export function takeWords(bytes: Uint8Array, at: number): void {
  words[UPPER] = wordAt(bytes, at);
  words[1 - UPPER] = wordAt(bytes, at + 4);
}
