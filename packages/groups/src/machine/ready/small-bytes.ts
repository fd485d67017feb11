/** Bytes up to here share memory with others. */
const SMALL_BYTES = 256;
/** What is shared. Kept as long as any of it is, which costs about what memory of their own would cost each of them. */
const SLAB_BYTES = 2_048;

/** Copies of bytes, the small ones in memory that they share: memory of its own takes several times as long to get and to free. */
export class SmallBytes {
  #slab = new Uint8Array(0);
  #end = 0;

  copyOf(bytes: Uint8Array): Uint8Array {
    const { length } = bytes;
    if (length > SMALL_BYTES) return new Uint8Array(bytes);
    if (this.#slab.length - this.#end < length) {
      this.#slab = new Uint8Array(SLAB_BYTES);
      this.#end = 0;
    }
    const start = this.#end;
    this.#slab.set(bytes, start);
    this.#end += length;
    return this.#slab.subarray(start, this.#end);
  }
}
