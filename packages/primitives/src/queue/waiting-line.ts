/** A place in a line. */
interface Place<T> {
  readonly value: T;
  before: Place<T> | undefined;
  after: Place<T> | undefined;
}

/** Those who wait, in the order in which they came; whoever gives up leaves in O(1) from anywhere in the line. */
export class WaitingLine<T> {
  #first: Place<T> | undefined;
  #last: Place<T> | undefined;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Who is next. */
  get first(): T | undefined {
    return this.#first?.value;
  }

  /** Joins at the end; returns what leaves the line, which may be called more than once. */
  join(value: T): () => void {
    const place: Place<T> = { value, before: this.#last, after: undefined };
    if (this.#last === undefined) this.#first = place;
    else this.#last.after = place;
    this.#last = place;
    this.#length++;
    let isWaiting = true;
    return () => {
      if (isWaiting) this.#remove(place);
      isWaiting = false;
    };
  }

  #remove(place: Place<T>): void {
    if (place.before === undefined) this.#first = place.after;
    else place.before.after = place.after;
    if (place.after === undefined) this.#last = place.before;
    else place.after.before = place.before;
    this.#length--;
  }
}
