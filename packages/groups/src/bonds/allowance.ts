/** A number of times within a while; after it, all is forgiven. */
export class Allowance {
  readonly #max: number;
  readonly #withinMs: number;
  #count = 0;
  #sinceMs: number;

  constructor({ max, withinMs, nowMs }: { max: number; withinMs: number; nowMs: number }) {
    this.#max = max;
    this.#withinMs = withinMs;
    this.#sinceMs = nowMs;
  }

  /** Takes one; false when it was one too many. */
  take(nowMs: number): boolean {
    if (nowMs - this.#sinceMs > this.#withinMs) {
      this.#sinceMs = nowMs;
      this.#count = 0;
    }
    this.#count++;
    return this.#count <= this.#max;
  }
}
