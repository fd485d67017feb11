import type { Runtime } from '@mosaik/primitives';

/** As gossipsub's `seenTTL` default. */
const SEEN_MS = 120_000;

/** Remembers for two minutes which messages have been here. */
export class SeenCache {
  readonly #runtime: Runtime;
  /** In the order of arrival, so the oldest come first. */
  readonly #seenAtMs = new Map<number, number>();
  /** Nothing is to be forgotten before. */
  #nextMs = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** False when it had been here. */
  add(id: number): boolean {
    const nowMs = this.#forgetOld();
    if (this.#seenAtMs.has(id)) return false;
    this.#seenAtMs.set(id, nowMs);
    return true;
  }

  has(id: number): boolean {
    this.#forgetOld();
    return this.#seenAtMs.has(id);
  }

  /** Returns the time. */
  #forgetOld(): number {
    const nowMs = this.#runtime.now();
    if (nowMs < this.#nextMs) return nowMs;
    this.#nextMs = nowMs + SEEN_MS;
    for (const [old, atMs] of this.#seenAtMs) {
      if (nowMs - atMs < SEEN_MS) {
        this.#nextMs = atMs + SEEN_MS;
        break;
      }
      this.#seenAtMs.delete(old);
    }
    return nowMs;
  }
}
