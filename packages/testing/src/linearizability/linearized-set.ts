/** As many bits as one UTF-16 unit, of which {@link LinearizedSet.key} is made. */
const WORD_BITS = 16;
const FULL = 0xffff;
/** `String.fromCharCode` takes its characters as arguments, of which engines allow some ten thousand. */
const UNITS_AT_ONCE = 4096;

/**
 * A set of operations by number, made to be remembered many times over: its key leaves out the part before which all are
 * in and the part after which none is, so it is as long as the operations that overlap, not as the history.
 *
 * Invariant: all words before `#first` are full, and all from `#end` on are empty.
 */
export class LinearizedSet {
  readonly #words: Uint16Array;
  #first = 0;
  #end = 0;

  constructor(capacity: number) {
    this.#words = new Uint16Array(Math.ceil(capacity / WORD_BITS));
  }

  add(number: number): void {
    const word = (number / WORD_BITS) | 0;
    this.#words[word] = this.#word(word) | (1 << (number % WORD_BITS));
    this.#end = Math.max(this.#end, word + 1);
    while (this.#word(this.#first) === FULL) this.#first++;
  }

  delete(number: number): void {
    const word = (number / WORD_BITS) | 0;
    this.#words[word] = this.#word(word) & ~(1 << (number % WORD_BITS));
    this.#first = Math.min(this.#first, word);
    while (this.#end > 0 && this.#word(this.#end - 1) === 0) this.#end--;
  }

  has(number: number): boolean {
    return (this.#word((number / WORD_BITS) | 0) & (1 << (number % WORD_BITS))) !== 0;
  }

  /** A text that two sets of one capacity share if and only if they have the same members. */
  key(): string {
    // With its bounds first, so that it also ends by itself: keys may be put one after the other.
    let text = `${this.#first},${this.#end}:`;
    for (let start = this.#first; start < this.#end; start += UNITS_AT_ONCE) {
      const part = this.#words.subarray(start, Math.min(start + UNITS_AT_ONCE, this.#end));
      text += String.fromCharCode(...part);
    }
    return text;
  }

  #word(index: number): number {
    return this.#words[index] ?? 0;
  }
}
