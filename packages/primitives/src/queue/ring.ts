const FIRST_CAPACITY = 16;

/** A first-in first-out buffer that grows by doubling; every operation is O(1), amortised over growth. */
export class Ring<T> {
  #slots: (T | undefined)[] = new Array(FIRST_CAPACITY);
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[this.#index(this.#length)] = item;
    this.#length++;
  }

  /** Removes the oldest item; there must be one. */
  shift(): T {
    const item = this.#slots[this.#head] as T;
    this.#slots[this.#head] = undefined;
    this.#head = this.#index(1);
    this.#length--;
    return item;
  }

  /** The slot of the item `offset` after the oldest; the capacity is a power of two. */
  #index(offset: number): number {
    return (this.#head + offset) & (this.#slots.length - 1);
  }

  #grow(): void {
    const slots: (T | undefined)[] = new Array(this.#slots.length * 2);
    for (let offset = 0; offset < this.#length; offset++) slots[offset] = this.#slots[this.#index(offset)];
    this.#slots = slots;
    this.#head = 0;
  }
}
