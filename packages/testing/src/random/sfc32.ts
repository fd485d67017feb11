/** A source of pseudo-randomness; the same state gives the same numbers, everywhere. */
export interface Random {
  /** A uniform whole number of 32 bits. */
  uint32(): number;
  /** A uniform number in [0, 1), with 53 random bits. */
  next(): number;
  /** `count` uniform bytes. */
  bytes(count: number): Uint8Array;
}

/** Rounds that mix the seed into the whole state before the first number is used. */
const WARM_UP_ROUNDS = 12;

/**
 * sfc32, "small fast counter", by Chris Doty-Humphrey (PractRand): 128 bits of state of which 32 are a counter, so no
 * seed leads to a cycle shorter than 2^32. Passes PractRand and BigCrush; a few nanoseconds a number.
 */
export class Sfc32 implements Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** @param seed three words of 32 bits. */
  constructor(seed: readonly [number, number, number]) {
    [this.#a, this.#b, this.#c] = seed;
    for (let round = 0; round < WARM_UP_ROUNDS; round++) this.uint32();
  }

  uint32(): number {
    const sum = (this.#a + this.#b + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  next(): number {
    const high = this.uint32() >>> 5;
    const low = this.uint32() >>> 6;
    return (high * 2 ** 26 + low) / 2 ** 53;
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count);
    for (let start = 0; start < count; start += 4) {
      const word = this.uint32();
      for (let index = start; index < Math.min(start + 4, count); index++) {
        bytes[index] = word >>> (8 * (index - start));
      }
    }
    return bytes;
  }
}
