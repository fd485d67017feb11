import type { HoldPoint } from '../../src/sqlite/points.ts';

/** Holds the worker of a log up at a point, as a disk that stalls would, from when it is closed until it is opened. */
export class Gate implements HoldPoint {
  readonly point: HoldPoint['point'];
  readonly gate: SharedArrayBuffer = new SharedArrayBuffer(8);
  readonly #state = new Int32Array(this.gate);

  constructor(point: HoldPoint['point']) {
    this.point = point;
  }

  close(): void {
    Atomics.store(this.#state, 0, 1);
  }

  open(): void {
    Atomics.store(this.#state, 0, 0);
    Atomics.notify(this.#state, 0);
  }

  /** Resolves when workers have been held so many times. */
  async reached(times: number): Promise<void> {
    for (let found = this.#held; found < times; found = this.#held)
      await Atomics.waitAsync(this.#state, 1, found).value;
  }

  get #held(): number {
    return Atomics.load(this.#state, 1);
  }
}
