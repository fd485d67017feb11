import { Work } from './work.ts';

/** The chunks of one snapshot that are to be pulled, by position. */
export class ChunkWork extends Work<number, unknown> {
  /** Invariant: descending, but for what was put back: the next one is the last. */
  readonly #open: number[];
  readonly #missing: Set<number>;

  constructor(count: number) {
    super();
    this.#open = Array.from({ length: count }, (_, place) => count - 1 - place);
    this.#missing = new Set(this.#open);
    if (count === 0) this.finish();
  }

  get isComplete(): boolean {
    return this.#missing.size === 0;
  }

  /** It is written. */
  got(position: number): void {
    this.#missing.delete(position);
    if (this.isComplete) this.finish();
  }

  protected override pick(): number | undefined {
    for (let next = this.#open.pop(); next !== undefined; next = this.#open.pop())
      if (this.#missing.has(next)) return next;
    return undefined;
  }

  protected override putBack(position: number): void {
    if (this.#missing.has(position)) this.#open.push(position);
  }
}
