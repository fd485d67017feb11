import type { Runtime } from '@mosaik/primitives';

/** Something that changes, and since when it is as it is. */
export class Dated<T> {
  readonly #runtime: Runtime;
  #value: T;
  #sinceMs: number;

  constructor(runtime: Runtime, value: T) {
    this.#runtime = runtime;
    this.#value = value;
    this.#sinceMs = runtime.now();
  }

  get value(): T {
    return this.#value;
  }

  set value(value: T) {
    if (value === this.#value) return;
    this.#value = value;
    this.#sinceMs = this.#runtime.now();
  }

  /** Monotonic. */
  get sinceMs(): number {
    return this.#sinceMs;
  }
}
